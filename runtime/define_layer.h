// A layer's definition from Keras' arguments. Private to runtime/.
#ifndef TCONV_RUNTIME_DEFINE_LAYER_H
#define TCONV_RUNTIME_DEFINE_LAYER_H

#include <string>

#include "layer_definition.h"
#include "tconv/conv_transpose_arguments.h"

namespace tconv {

// "conv2d_transpose": what default names are made from.
std::string base_name(int rank);

// Checked, but the name stays empty where it is. `data_format` is that of arguments without one.
template <int rank>
Result<LayerDefinition> define_layer(const ConvTransposeArguments<rank> &arguments, DataFormat data_format);

extern template Result<LayerDefinition> define_layer(const ConvTransposeArguments<1> &, DataFormat);
extern template Result<LayerDefinition> define_layer(const ConvTransposeArguments<2> &, DataFormat);
extern template Result<LayerDefinition> define_layer(const ConvTransposeArguments<3> &, DataFormat);

// The same checks for a definition that was read.
Status check_definition(const LayerDefinition &definition, int rank);

}  // namespace tconv

#endif
