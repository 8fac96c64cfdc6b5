// The any-size kernels that are built with the library for its target.
#ifndef TCONV_RUNTIME_GENERAL_H
#define TCONV_RUNTIME_GENERAL_H

#include <span>

#include "tconv/run.h"

namespace tconv {

// Those of a rank and layout, in the order in which they are asked; none for a rank outside 1 to 3.
std::span<const tconv_kernel> general_kernels(int rank, bool channels_last);

// The one for the layer; nullptr for a rank outside 1 to 3.
inline const tconv_kernel *general_kernel(const tconv_layer &layer) {
  const auto kernels = general_kernels(layer.rank, layer.channels_last != 0);
  return kernels.empty() ? nullptr : tconv_choose_general(kernels.data(), static_cast<int>(kernels.size()), &layer);
}

}  // namespace tconv

#endif
