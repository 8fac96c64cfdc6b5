// A transposed-convolution layer as its framework describes it, as plain data, and the JSON that it is read from.
// The fields are Keras' own; what PyTorch, ONNX and TensorFlow Lite add stands below them.
#ifndef TCONV_LAYER_CONFIG_H
#define TCONV_LAYER_CONFIG_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tconv/activation.h"
#include "tconv/geometry.h"
#include "tconv/status.h"
#include "tconv/tensor.h"

namespace tconv {

enum class Dialect { keras, torch, onnx, tflite };
enum class DataFormat { channels_last, channels_first };

struct LayerConfig {
  Dialect dialect = Dialect::keras;
  int rank = 2;  // spatial dimensions: 1, 2 or 3
  std::string name = {};
  std::int64_t filters = 0;  // output channels; 0 in ONNX and TFLite until the kernel's shape is known
  Shape kernel_size = {}, strides = {}, dilation_rate = {};  // `rank` sizes each, outermost first
  tconv_padding padding = TCONV_PADDING_KERAS_VALID;
  std::optional<Shape> output_padding = {};  // nullopt: Keras' None
  DataFormat data_format = DataFormat::channels_last;
  std::int64_t groups = 1;
  Activation activation = Activation::linear;
  bool use_bias = true;

  std::int64_t in_channels = unknown;      // PyTorch's argument, else from input_shape or the kernel's shape
  Shape pads_begin = {}, pads_end = {};    // PyTorch and ONNX: `rank` sizes each; empty: zeros
  std::optional<Shape> output_shape = {};  // ONNX and TFLite: `rank` spatial extents
  std::optional<Shape> input_shape =
      {};  // batch, spatial and channels in the order of data_format; `unknown` where null
};

// The shape of the kernel array in the dialect's own order: Keras (spatial..., filters, channels / groups); PyTorch and
// ONNX (channels, filters / groups, spatial...); TFLite (filters, height, width, channels).
Shape kernel_shape(const LayerConfig &config);

// Reads a layer. `kernel`, where there is one, is the shape of the kernel array; ONNX and TFLite layers take from it
// what their attributes leave out (filters, kernel_size); without it those layers need "weight_shape" in the JSON.
// Everything is checked: unknown fields and values, sizes, the dialect's own rules, nesting and overflow.
Result<LayerConfig> parse_layer(std::string_view json, const std::optional<Shape> &kernel = std::nullopt);

// The checks alone, for a config that was written in C++.
Status validate(const LayerConfig &config);

// The rule of one spatial dimension (0 is the outermost) of a valid config.
tconv_rule rule(const LayerConfig &config, int dim);

// The output's shape for an input shape (batch and spatial sizes may be `unknown`), in the order of data_format.
Result<Shape> compute_output_shape(const LayerConfig &config, const Shape &input_shape);

}  // namespace tconv

#endif
