// Where each dialect's kernel array keeps what, and the C struct (tconv/kernel.h) of a layer. Compiler and Layer pack
// weights with them.
#ifndef TCONV_WEIGHTS_H
#define TCONV_WEIGHTS_H

#include <cstdint>

#include "tconv/kernel.h"
#include "tconv/layer_config.h"

namespace tconv {

// The input channels that a kernel array of this shape is for, in the dialect's order; `unknown` if it cannot be the
// shape of one.
std::int64_t kernel_channels(const LayerConfig &config, const Shape &kernel);

// Strides of the kernel array, kernel_shape(config), in elements. The config is valid and its in_channels known.
tconv_weight_strides weight_strides(const LayerConfig &config);

// The layer as kernels take it. Batch and sizes come from input_shape and are TCONV_UNSET where that leaves them open;
// the input channels have to be known from in_channels or input_shape.
Result<tconv_layer> describe(const LayerConfig &config);

}  // namespace tconv

#endif
