// The pool's size, forwarded to Halide, which would end the process on a negative one.
#include "tconv/threads.h"

#include <fmt/format.h>

#include "HalideRuntime.h"

namespace tconv {

Status set_num_threads(int threads) {
  if (threads < 0) return invalid_argument(fmt::format("set_num_threads({}): the number must not be negative", threads));
  halide_set_num_threads(threads);
  return {};
}

int num_threads() { return halide_get_num_threads(); }

}  // namespace tconv
