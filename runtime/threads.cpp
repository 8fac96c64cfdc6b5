// The pool's size, forwarded to Halide, which would end the process on a negative one and says 0 before its first use.
#include "tconv/threads.h"

#include <fmt/format.h>

#include "HalideRuntime.h"

namespace tconv {
namespace {

// Once, so that it cannot undo what another thread has just set.
void start_pool() {
  static const bool started = [] {
    if (halide_get_num_threads() < 1) halide_set_num_threads(0);
    return true;
  }();
  static_cast<void>(started);
}

}  // namespace

Status set_num_threads(int threads) {
  if (threads < 0)
    return invalid_argument(fmt::format("set_num_threads({}): the number must not be negative", threads));
  start_pool();
  halide_set_num_threads(threads);
  return {};
}

int num_threads() {
  start_pool();
  return halide_get_num_threads();
}

}  // namespace tconv
