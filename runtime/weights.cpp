// The kernel arrays of the dialects as strides, and LayerConfig as the C struct.
#include "tconv/weights.h"

#include "layer_check.h"

namespace tconv {

std::int64_t kernel_channels(const LayerConfig &config, const Shape &kernel) {
  if (kernel.size() != count(config.rank) + 2) return unknown;
  for (const std::int64_t size : kernel) {
    if (size < 0 || size > TCONV_MAX_EXTENT) return unknown;
  }
  switch (config.dialect) {
    case Dialect::keras: return kernel.back() * config.groups;
    case Dialect::torch:
    case Dialect::onnx: return kernel.front();
    case Dialect::tflite: return kernel.back();
  }
  return unknown;
}

tconv_weight_strides weight_strides(const LayerConfig &config) {
  const std::int64_t in_each = config.in_channels / config.groups, out_each = config.filters / config.groups;
  const bool channels_first = config.dialect == Dialect::torch || config.dialect == Dialect::onnx;
  tconv_weight_strides strides = {};
  // Keras: (spatial..., filters, channels / groups); TFLite: (filters, spatial..., channels).
  std::int64_t tap = 1;
  if (config.dialect == Dialect::keras) tap = config.filters * in_each;
  if (config.dialect == Dialect::tflite) tap = in_each;
  for (int dim = config.rank - 1; dim >= 0; --dim) {
    strides.tap[dim] = tap;
    tap *= config.kernel_size[count(dim)];
  }
  strides.out = config.dialect == Dialect::keras ? in_each : tap;
  strides.in = channels_first ? out_each * tap : 1;
  strides.group = channels_first ? in_each * strides.in : out_each * strides.out;
  return strides;
}

Result<tconv_layer> describe(const LayerConfig &config) {
  if (Status status = validate(config); !status.ok()) return status;
  tconv_layer layer = {};
  layer.rank = config.rank;
  layer.channels_last = config.data_format == DataFormat::channels_last;
  layer.in_channels = config.input_shape ? (*config.input_shape)[channel_axis(config)] : config.in_channels;
  if (layer.in_channels == unknown) {
    return invalid_argument("the input channels are not known: give in_channels or input_shape");
  }
  layer.out_channels = config.filters;
  layer.groups = config.groups;
  layer.batch = config.input_shape ? config.input_shape->front() : TCONV_UNSET;
  for (int dim = 0; dim < config.rank; ++dim) {
    layer.rule[dim] = rule(config, dim);
    layer.size[dim] = config.input_shape ? (*config.input_shape)[spatial_axis(config) + count(dim)] : TCONV_UNSET;
  }
  layer.activation = static_cast<std::int32_t>(config.activation);
  return layer;
}

}  // namespace tconv
