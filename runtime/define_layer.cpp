#include "define_layer.h"

#include <fmt/format.h>

#include <optional>
#include <span>
#include <utility>

#include "layer_check.h"
#include "message.h"

namespace tconv {
namespace {

Shape sizes_or_ones(std::span<const std::int64_t> values, int rank) {
  return values.empty() ? Shape(count(rank), 1) : Shape(values.begin(), values.end());
}

Result<tconv_padding> parse_padding(const std::string &given) {
  const std::string padding = lower_case(given);
  if (padding == "valid") return TCONV_PADDING_KERAS_VALID;
  if (padding == "same") return TCONV_PADDING_KERAS_SAME;
  if (padding == "causal") {
    return invalid_argument("padding 'causal' is not defined for a transposed convolution: use 'valid' or 'same'");
  }
  return invalid_argument(fmt::format("padding {} is neither 'valid' nor 'same'", quote(given)));
}

Result<DataFormat> parse_data_format(const std::string &given, DataFormat fallback) {
  if (given.empty()) return fallback;
  const std::string data_format = lower_case(given);
  if (data_format == "channels_last") return DataFormat::channels_last;
  if (data_format == "channels_first") return DataFormat::channels_first;
  return invalid_argument(fmt::format("data_format {} is neither 'channels_last' nor 'channels_first'", quote(given)));
}

Status check_object(const char *argument, const Status &status) {
  if (status.ok()) return {};
  return {status.code(), fmt::format("{}: {}", argument, status.message())};
}

}  // namespace

std::string base_name(int rank) { return fmt::format("conv{}d_transpose", rank); }

Status check_definition(const LayerDefinition &d, int rank) {
  if (d.config.rank != rank) {
    return invalid_argument(
        fmt::format("a Conv{}DTranspose from a config with {} spatial dimensions", rank, d.config.rank));
  }
  if (Status status = check_layer_name(d.config.name); !status.ok()) return status;
  const std::pair<const char *, Status> objects[] = {{"activation", d.activation.status()},
                                                     {"kernel_initializer", d.kernel_initializer.status()},
                                                     {"bias_initializer", d.bias_initializer.status()},
                                                     {"kernel_regularizer", d.kernel_regularizer.status()},
                                                     {"bias_regularizer", d.bias_regularizer.status()},
                                                     {"activity_regularizer", d.activity_regularizer.status()},
                                                     {"kernel_constraint", d.kernel_constraint.status()},
                                                     {"bias_constraint", d.bias_constraint.status()}};
  for (const auto &[argument, status] : objects) {
    if (Status error = check_object(argument, status); !error.ok()) return error;
  }
  return validate(d.config);
}

template <int rank>
Result<LayerDefinition> define_layer(const ConvTransposeArguments<rank> &a, DataFormat data_format) {
  LayerDefinition d = {{},
                       a.activation,
                       a.kernel_initializer,
                       a.bias_initializer,
                       a.kernel_regularizer,
                       a.bias_regularizer,
                       a.activity_regularizer,
                       a.kernel_constraint,
                       a.bias_constraint,
                       a.trainable,
                       a.graph};
  LayerConfig &config = d.config;
  config.rank = rank;
  config.name = a.name;
  config.filters = a.filters;
  if (a.kernel_size.values().empty()) return invalid_argument("kernel_size is missing");
  config.kernel_size = sizes_or_ones(a.kernel_size.values(), rank);
  config.strides = sizes_or_ones(a.strides.values(), rank);
  config.dilation_rate = sizes_or_ones(a.dilation_rate.values(), rank);
  if (!a.output_padding.values().empty()) config.output_padding = sizes_or_ones(a.output_padding.values(), rank);
  const Result<tconv_padding> padding = parse_padding(a.padding);
  if (!padding.ok()) return padding.status();
  config.padding = padding.value();
  const Result<DataFormat> format = parse_data_format(a.data_format, data_format);
  if (!format.ok()) return format.status();
  config.data_format = format.value();
  config.groups = a.groups;
  config.use_bias = a.use_bias;
  config.activation = a.activation.builtin();
  if (Status status = check_dtype(a.dtype); !status.ok()) return status;
  if (a.input_shape) {
    config.input_shape = *a.input_shape;
    config.input_shape->insert(config.input_shape->begin(), unknown);
  }
  if (Status status = check_definition(d, rank); !status.ok()) return status;
  return d;
}

template Result<LayerDefinition> define_layer(const ConvTransposeArguments<1> &, DataFormat);
template Result<LayerDefinition> define_layer(const ConvTransposeArguments<2> &, DataFormat);
template Result<LayerDefinition> define_layer(const ConvTransposeArguments<3> &, DataFormat);

}  // namespace tconv
