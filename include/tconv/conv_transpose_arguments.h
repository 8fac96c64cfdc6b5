// What Keras' Conv1DTranspose, Conv2DTranspose and Conv3DTranspose are constructed with, and TensorFlow's functional
// forms called with.
#ifndef TCONV_CONV_TRANSPOSE_ARGUMENTS_H
#define TCONV_CONV_TRANSPOSE_ARGUMENTS_H

#include <cstdint>
#include <optional>
#include <string>

#include "tconv/activations.h"
#include "tconv/constraints.h"
#include "tconv/graph.h"
#include "tconv/initializers.h"
#include "tconv/regularizers.h"
#include "tconv/sizes.h"
#include "tconv/tensor.h"

namespace tconv {

// `filters` and `kernel_size` have to be given; the initialisers of the others are Keras' defaults, and that each has
// one keeps -Wextra quiet about those left out.
template <int rank>
struct ConvTransposeArguments {
  std::int64_t filters = 0;
  Sizes<rank> kernel_size = {};
  Sizes<rank> strides = 1;
  std::string padding = "valid";    // or "same", in any case
  Sizes<rank> output_padding = {};  // each below its stride; none: the output's size is inferred
  // "channels_last" or "channels_first"; empty: image_data_format(), and channels_last in the functional forms
  std::string data_format = {};
  Sizes<rank> dilation_rate = 1;  // not 1 only where all strides are
  std::int64_t groups = 1;        // beyond Keras: divides the channels and the filters
  ActivationFunction activation = {};
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";  // None: glorot_uniform; in the functional forms, no bias
  Regularizer kernel_regularizer = {}, bias_regularizer = {};
  Regularizer activity_regularizer = {};  // of the output; the loss is divided by the batch
  Constraint kernel_constraint = {}, bias_constraint = {};
  bool trainable = true;
  // Without a '/'. Empty: "conv2d_transpose", then "conv2d_transpose_1" and so on, unique among the default names of
  // the graph, or without one of the process.
  std::string name = {};
  std::string dtype = "float32";  // there is no other yet
  // Of a first layer: the input's shape without the batch, `unknown` where a size is open. The layer is then built by
  // its constructor.
  std::optional<Shape> input_shape = {};
  std::optional<Graph> graph = {};  // keeps records of the layer's calls; the functional forms have their scope's
};

}  // namespace tconv

#endif
