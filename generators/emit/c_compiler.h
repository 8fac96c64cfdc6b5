// The C compiler of a target, for what an object file alone cannot be: shared libraries, and programs that run.
#ifndef TCONV_GENERATORS_C_COMPILER_H
#define TCONV_GENERATORS_C_COMPILER_H

#include <string>
#include <vector>

#include <Halide.h>

#include "tconv/status.h"

namespace tconv {

// `$TCONV_CC`, else `cc` for this machine's family and Debian's cross compiler for arm-64-linux.
Result<std::string> c_compiler(const Halide::Target &target);

// Runs a program with arguments, no shell between. Its standard error becomes part of the message if it fails; its
// standard output is returned.
Result<std::string> run_program(const std::vector<std::string> &command);

}  // namespace tconv

#endif
