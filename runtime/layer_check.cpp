// Refuses a layer early, in the dialect's own field names, so that a failure names what the user wrote; see
// layer_check.h.
#include "layer_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "elements.h"
#include "message.h"

namespace tconv {
namespace {

struct FieldNames {
  const char *dialect, *filters, *kernel, *strides, *dilation, *groups, *pads, *in_channels;
};

const FieldNames &field_names(Dialect dialect) {
  static constexpr std::array<FieldNames, 4> table = {{
      {"keras", "filters", "kernel_size", "strides", "dilation_rate", "groups", "padding", "in_channels"},
      {"torch", "out_channels", "kernel_size", "stride", "dilation", "groups", "padding", "in_channels"},
      {"onnx", "output channels", "kernel_shape", "strides", "dilations", "group", "pads", "input channels"},
      {"tflite", "output channels", "kernel size", "strides", "dilation", "groups", "padding", "input channels"},
  }};
  return table[static_cast<std::size_t>(dialect)];
}

bool is_known(Dialect dialect) { return dialect >= Dialect::keras && dialect <= Dialect::tflite; }

Status check_size(const char *name, std::int64_t size) {
  if (size < 1) return invalid_argument(fmt::format("{} {} must be positive", name, size));
  if (size <= TCONV_MAX_EXTENT) return {};
  return invalid_argument(fmt::format("{} {} is over the largest extent {}", name, size, TCONV_MAX_EXTENT));
}

// `rank` entries, each from `least` on.
Status check_sizes(const char *name, const Shape &sizes, int rank, std::int64_t least) {
  if (sizes.size() != count(rank)) {
    return invalid_argument(
        fmt::format("{} {} must have {} {}", name, tuple(sizes), rank, rank == 1 ? "entry" : "entries"));
  }
  if (std::any_of(sizes.begin(), sizes.end(), [&](std::int64_t size) { return size < least; })) {
    const std::string bound = least == 1 ? "positive" : least == 0 ? "zero or more" : fmt::format("{} or more", least);
    return invalid_argument(fmt::format("{} {} must be {}", name, tuple(sizes), bound));
  }
  const std::int64_t largest = *std::max_element(sizes.begin(), sizes.end());
  if (largest <= TCONV_MAX_EXTENT) return {};
  return invalid_argument(
      fmt::format("{} {}: {} is over the largest extent {}", name, tuple(sizes), largest, TCONV_MAX_EXTENT));
}

bool padding_fits(const LayerConfig &config) {
  const tconv_padding padding = config.padding;
  switch (config.dialect) {
    case Dialect::keras: return padding == TCONV_PADDING_KERAS_VALID || padding == TCONV_PADDING_KERAS_SAME;
    case Dialect::torch: return padding == TCONV_PADDING_EXPLICIT;
    case Dialect::onnx:
      return padding == TCONV_PADDING_ONNX_UPPER || padding == TCONV_PADDING_ONNX_LOWER ||
             (padding == TCONV_PADDING_EXPLICIT && !config.output_shape);
    case Dialect::tflite:
      return (padding == TCONV_PADDING_TFLITE_SAME || padding == TCONV_PADDING_TFLITE_VALID) && config.output_shape;
  }
  return false;
}

Status check_kind(const LayerConfig &config) {
  if (!is_known(config.dialect)) return invalid_argument("the dialect is not one of keras, torch, onnx, tflite");
  if (config.rank < 1 || config.rank > TCONV_MAX_RANK) {
    return {StatusCode::unsupported,
            fmt::format("{} spatial dimensions: tconv has 1 to {}", config.rank, static_cast<int>(TCONV_MAX_RANK))};
  }
  if (static_cast<int>(config.activation) < 0 || static_cast<int>(config.activation) >= activation_count) {
    return invalid_argument(fmt::format("activation number {} is not known", static_cast<int>(config.activation)));
  }
  if (config.data_format != DataFormat::channels_last && config.data_format != DataFormat::channels_first) {
    return invalid_argument("data_format is neither channels_last nor channels_first");
  }
  if (config.dialect == Dialect::tflite && config.data_format != DataFormat::channels_last) {
    return {StatusCode::unsupported, "data_format channels_first with dialect tflite: its tensors are channels_last"};
  }
  if (config.dialect == Dialect::tflite && !config.output_shape) {
    return invalid_argument("output_shape is missing: a TFLite TRANSPOSE_CONV always has it");
  }
  if (!padding_fits(config)) {
    return invalid_argument(fmt::format("padding rule {} does not belong to dialect {}{}",
                                        static_cast<int>(config.padding), field_names(config.dialect).dialect,
                                        config.output_shape ? " with output_shape" : ""));
  }
  return {};
}

Status check_channels(const LayerConfig &config) {
  const FieldNames &names = field_names(config.dialect);
  if (Status status = check_size(names.groups, config.groups); !status.ok()) return status;
  if (Status status = check_size(names.filters, config.filters); !status.ok()) return status;
  if (config.filters % config.groups != 0) {
    return invalid_argument(
        fmt::format("{} {} does not divide {} {}", names.groups, config.groups, names.filters, config.filters));
  }
  if (config.in_channels != unknown) {
    if (Status status = check_size(names.in_channels, config.in_channels); !status.ok()) return status;
    if (config.in_channels % config.groups != 0) {
      return invalid_argument(fmt::format("{} {} does not divide {} {}", names.groups, config.groups, names.in_channels,
                                          config.in_channels));
    }
  }
  if (config.dialect == Dialect::tflite && config.groups != 1) {
    return {StatusCode::unsupported, fmt::format("groups {}: a TFLite TRANSPOSE_CONV has no groups", config.groups)};
  }
  return {};
}

Status check_pads(const LayerConfig &config) {
  const char *const name = field_names(config.dialect).pads;
  const bool explicit_pads = config.dialect == Dialect::torch || config.dialect == Dialect::onnx;
  for (const Shape *pads : {&config.pads_begin, &config.pads_end}) {
    if (pads->empty()) continue;
    if (!explicit_pads) {
      return invalid_argument(fmt::format("explicit pads {} do not belong to dialect {}", tuple(*pads),
                                          field_names(config.dialect).dialect));
    }
    const std::int64_t least = config.dialect == Dialect::torch ? 0 : -TCONV_MAX_EXTENT;
    if (Status status = check_sizes(name, *pads, config.rank, least); !status.ok()) return status;
  }
  if (config.dialect == Dialect::torch && config.pads_begin != config.pads_end) {
    return invalid_argument(fmt::format("padding {} in front and {} behind: PyTorch has one for both",
                                        tuple(config.pads_begin), tuple(config.pads_end)));
  }
  return {};
}

// Keras asks for less than the stride; PyTorch and ONNX for less than the stride or the dilation.
Status check_output_padding(const LayerConfig &config) {
  if (!config.output_padding) return {};
  const FieldNames &names = field_names(config.dialect);
  const Shape &op = *config.output_padding;
  if (config.dialect == Dialect::tflite) return invalid_argument("output_padding does not belong to dialect tflite");
  if (Status status = check_sizes("output_padding", op, config.rank, 0); !status.ok()) return status;
  for (std::size_t i = 0; i < op.size(); ++i) {
    const bool keras = config.dialect == Dialect::keras;
    const std::int64_t limit = keras ? config.strides[i] : std::max(config.strides[i], config.dilation_rate[i]);
    if (op[i] < limit) continue;
    std::string message =
        fmt::format("output_padding {} must be smaller than {} {}", tuple(op), names.strides, tuple(config.strides));
    if (!keras) message += fmt::format(" or {} {}", names.dilation, tuple(config.dilation_rate));
    return invalid_argument(message);
  }
  return {};
}

Status check_window(const LayerConfig &config) {
  const FieldNames &names = field_names(config.dialect);
  if (Status status = check_sizes(names.kernel, config.kernel_size, config.rank, 1); !status.ok()) return status;
  if (Status status = check_sizes(names.strides, config.strides, config.rank, 1); !status.ok()) return status;
  if (Status status = check_sizes(names.dilation, config.dilation_rate, config.rank, 1); !status.ok()) return status;
  for (std::size_t i = 0; i < count(config.rank); ++i) {
    if (tconv_kernel_extent(config.kernel_size[i], config.dilation_rate[i]) <= TCONV_MAX_EXTENT) continue;
    return invalid_argument(fmt::format("{} {} with {} {} is over the largest extent {}", names.kernel,
                                        tuple(config.kernel_size), names.dilation, tuple(config.dilation_rate),
                                        TCONV_MAX_EXTENT));
  }
  std::int64_t phases = 1;
  for (const std::int64_t stride : config.strides) {
    phases *= stride;
    if (phases <= TCONV_MAX_PHASES) continue;
    return {StatusCode::unsupported, fmt::format("{} {} make more than {} phases of the output", names.strides,
                                                 tuple(config.strides), TCONV_MAX_PHASES)};
  }
  const auto above_one = [](std::int64_t size) { return size > 1; };
  if (config.dialect == Dialect::keras && std::any_of(config.strides.begin(), config.strides.end(), above_one) &&
      std::any_of(config.dilation_rate.begin(), config.dilation_rate.end(), above_one)) {
    return invalid_argument(fmt::format("strides {} with dilation_rate {}: Keras does not allow both above 1",
                                        tuple(config.strides), tuple(config.dilation_rate)));
  }
  return {};
}

Status check_prescribed_output(const LayerConfig &config) {
  if (!config.output_shape) return {};
  if (config.dialect != Dialect::onnx && config.dialect != Dialect::tflite) {
    return invalid_argument(fmt::format("output_shape {} does not belong to dialect {}", tuple(*config.output_shape),
                                        field_names(config.dialect).dialect));
  }
  return check_sizes("output_shape", *config.output_shape, config.rank, 0);
}

}  // namespace

Status check_elements(const char *what, const Shape &shape) {
  if (count_elements(shape)) return {};
  return {StatusCode::unsupported,
          fmt::format("the {} {} is too large: tconv addresses at most 2^31-1 elements per array", what,
                      open_tuple(shape))};
}

Status check_dtype(std::string_view dtype) {
  if (dtype == "float32") return {};
  return {StatusCode::unsupported, fmt::format("dtype {} must be 'float32'", quote(dtype))};
}

Status check_layer(const LayerConfig &config) {
  if (Status status = check_kind(config); !status.ok()) return status;
  if (Status status = check_channels(config); !status.ok()) return status;
  if (Status status = check_window(config); !status.ok()) return status;
  if (Status status = check_pads(config); !status.ok()) return status;
  if (Status status = check_output_padding(config); !status.ok()) return status;
  if (Status status = check_prescribed_output(config); !status.ok()) return status;
  return check_elements("kernel", kernel_shape(config));
}

Status check_input(const LayerConfig &config, const Shape &shape) {
  if (shape.size() != count(config.rank) + 2) {
    return invalid_argument(fmt::format("input_shape {} must have {} entries: batch, {} spatial and channels",
                                        open_tuple(shape), config.rank + 2, config.rank));
  }
  const std::int64_t smallest = *std::min_element(shape.begin(), shape.end());
  const std::int64_t largest = *std::max_element(shape.begin(), shape.end());
  if (smallest < unknown) return invalid_argument(fmt::format("input_shape {} has a negative size", open_tuple(shape)));
  if (largest > TCONV_MAX_EXTENT) {
    return invalid_argument(
        fmt::format("input_shape {}: {} is over the largest extent {}", open_tuple(shape), largest, TCONV_MAX_EXTENT));
  }
  const std::int64_t channels = shape[channel_axis(config)];
  if (channels == unknown || channels == 0) {
    return invalid_argument(fmt::format("input_shape {}: the channels, entry {}, must be a known positive size",
                                        open_tuple(shape), channel_axis(config)));
  }
  if (config.in_channels != unknown && channels != config.in_channels) {
    return invalid_argument(fmt::format("input_shape {} has {} channels, but the layer takes {}", open_tuple(shape),
                                        channels, config.in_channels));
  }
  if (channels % config.groups != 0) {
    return invalid_argument(fmt::format("{} {} does not divide the {} channels of input_shape {}",
                                        field_names(config.dialect).groups, config.groups, channels,
                                        open_tuple(shape)));
  }
  return check_elements("input", shape);
}

}  // namespace tconv
