// What follows from a layer's configuration: the kernel's shape, the rule of a dimension and the output's shape. Every
// extent comes from geometry.h.
#include "tconv/layer_config.h"

#include <fmt/format.h>

#include "layer_check.h"
#include "message.h"

namespace tconv {
namespace {

Result<std::int64_t> output_extent(const LayerConfig &config, const Shape &input_shape, int dim) {
  const tconv_rule dim_rule = rule(config, dim);
  const std::int64_t in = input_shape[spatial_axis(config) + count(dim)];
  if (in == unknown) {
    if (tconv_rule_is_size_free(&dim_rule)) return unknown;
    return invalid_argument(
        fmt::format("output_shape {} with input_shape {}: a prescribed output needs every spatial "
                    "size of the input, because the crop depends on it",
                    tuple(*config.output_shape), open_tuple(input_shape)));
  }
  tconv_dim resolved;
  if (tconv_resolve(&dim_rule, in, &resolved)) return resolved.out;
  return invalid_argument(
      fmt::format("spatial dimension {}: the output extent would be {}, which is not in 0 to {} "
                  "(input {}, kernel {}, stride {}, dilation {})",
                  dim, resolved.out, TCONV_MAX_EXTENT, in, resolved.kernel, resolved.stride, resolved.dilation));
}

Result<Shape> checked_output_shape(const LayerConfig &config, const Shape &input_shape) {
  if (Status status = check_input(config, input_shape); !status.ok()) return status;
  Shape shape = input_shape;
  shape[channel_axis(config)] = config.filters;
  for (int dim = 0; dim < config.rank; ++dim) {
    const Result<std::int64_t> extent = output_extent(config, input_shape, dim);
    if (!extent.ok()) return extent.status();
    shape[spatial_axis(config) + count(dim)] = extent.value();
  }
  if (Status status = check_elements("output", shape); !status.ok()) return status;
  return shape;
}

}  // namespace

Shape kernel_shape(const LayerConfig &config) {
  const std::int64_t groups = tconv_max(config.groups, 1), in = config.in_channels;
  const std::int64_t in_per_group = in == unknown ? unknown : in / groups;
  Shape shape = config.kernel_size;
  switch (config.dialect) {
    case Dialect::keras: shape.insert(shape.end(), {config.filters, in_per_group}); break;
    case Dialect::torch:
    case Dialect::onnx: shape.insert(shape.begin(), {in, config.filters / groups}); break;
    case Dialect::tflite:
      shape.insert(shape.begin(), config.filters);
      shape.push_back(in);
      break;
  }
  return shape;
}

Status validate(const LayerConfig &config) {
  if (Status status = check_layer(config); !status.ok()) return status;
  if (!config.input_shape) return {};
  return checked_output_shape(config, *config.input_shape).status();
}

tconv_rule rule(const LayerConfig &config, int dim) {
  const auto i = static_cast<std::size_t>(dim);
  tconv_rule result = {};
  result.padding = config.padding;
  result.kernel = config.kernel_size[i];
  result.stride = config.strides[i];
  result.dilation = config.dilation_rate[i];
  // Only Keras tells None from 0.
  result.output_padding = config.dialect == Dialect::keras ? TCONV_UNSET : 0;
  if (config.output_padding) result.output_padding = (*config.output_padding)[i];
  if (!config.pads_begin.empty()) result.pad_begin = config.pads_begin[i];
  if (!config.pads_end.empty()) result.pad_end = config.pads_end[i];
  result.output = config.output_shape ? (*config.output_shape)[i] : TCONV_UNSET;
  return result;
}

Result<Shape> compute_output_shape(const LayerConfig &config, const Shape &input_shape) {
  if (Status status = check_layer(config); !status.ok()) return status;
  return checked_output_shape(config, input_shape);
}

}  // namespace tconv
