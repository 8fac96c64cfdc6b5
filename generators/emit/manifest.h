// NAME.manifest.json: what a library was made from, and what is in it.
#ifndef TCONV_GENERATORS_MANIFEST_H
#define TCONV_GENERATORS_MANIFEST_H

#include <string>
#include <vector>

#include "emit/emit.h"

namespace tconv {

std::string manifest_text(const EmitRequest &request, const std::vector<LibraryKernel> &kernels,
                          const std::vector<TargetObject> &objects);

}  // namespace tconv

#endif
