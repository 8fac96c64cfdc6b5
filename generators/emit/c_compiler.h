// The C compiler of a target, for what an object file alone cannot be: shared libraries, and programs that run.
#ifndef TCONV_GENERATORS_C_COMPILER_H
#define TCONV_GENERATORS_C_COMPILER_H

#include <string>

#include <Halide.h>

#include "tconv/status.h"

namespace tconv {

// `$TCONV_CC`, else `cc` for this machine's family and Debian's cross compiler for arm-64-linux.
Result<std::string> c_compiler(const Halide::Target &target);

}  // namespace tconv

#endif
