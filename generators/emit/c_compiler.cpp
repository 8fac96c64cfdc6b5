#include "emit/c_compiler.h"

#include <cstdlib>

#include <fmt/format.h>

#include "emit/targets.h"

namespace tconv {

Result<std::string> c_compiler(const Halide::Target &target) {
  if (const char *chosen = std::getenv("TCONV_CC")) return std::string(chosen);
  const std::string family = family_name(target);
  if (family == family_name(Halide::get_host_target())) return std::string("cc");
  if (family == "arm-64-linux") return std::string("aarch64-linux-gnu-gcc");
  return Status(StatusCode::unsupported,
                fmt::format("no C compiler is known for {}: set TCONV_CC, or ask for --emit static", family));
}

}  // namespace tconv
