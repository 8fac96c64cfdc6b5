// The text files of an emitted kernel: C99 header, manifest and CMake package.
#ifndef TCONV_GENERATORS_HEADER_H
#define TCONV_GENERATORS_HEADER_H

#include <string>
#include <vector>

#include "emit/emit.h"

namespace tconv {

// C initialisers, which the runner of `tconvc run` needs as well.
std::string layer_initializer(const tconv_layer &layer);
std::string strides_initializer(const tconv_weight_strides &strides);

std::string header_text(const EmitRequest &request, const Schedule &schedule);
std::string cmake_text(const EmitRequest &request);
std::string manifest_text(const EmitRequest &request, const Schedule &schedule,
                          const std::vector<TargetObject> &objects);

// "libNAME.a" or "NAME.lib"; "libNAME.so", "libNAME.dylib" or "NAME.dll".
std::string static_library_name(const std::string &name, const Halide::Target &target);
std::string shared_library_name(const std::string &name, const Halide::Target &target);

}  // namespace tconv

#endif
