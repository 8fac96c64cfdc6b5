// The text files that a program with an emitted kernel is built with: C99 header and CMake package.
#ifndef TCONV_GENERATORS_HEADER_H
#define TCONV_GENERATORS_HEADER_H

#include <string>
#include <vector>

#include "emit/emit.h"

namespace tconv {

// C initialisers, which the runner of `tconvc run` needs as well.
std::string layer_initializer(const tconv_layer &layer);
std::string strides_initializer(const tconv_weight_strides &strides);

std::string header_text(const EmitRequest &request, const std::vector<LibraryKernel> &kernels);
std::string cmake_text(const EmitRequest &request);

// "libNAME.a" or "NAME.lib"; "libNAME.so", "libNAME.dylib" or "NAME.dll".
std::string static_library_name(const std::string &name, const Halide::Target &target);
std::string shared_library_name(const std::string &name, const Halide::Target &target);

}  // namespace tconv

#endif
