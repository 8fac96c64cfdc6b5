// Reads a PyTorch layer: the arguments of torch.nn.ConvTranspose1d, ConvTranspose2d and ConvTranspose3d by name.
#include <fmt/format.h>

#include <algorithm>

#include "layer_json.h"
#include "message.h"

namespace tconv {
namespace {

const Names &config_names() {
  static const Names names = {"in_channels", "out_channels", "kernel_size", "stride", "padding",      "output_padding",
                              "groups",      "bias",         "dilation",    "device", "padding_mode", "dtype"};
  return names;
}

int read_rank(const Fields &layer) {
  static const Names classes = {"ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"};
  const std::string class_name = layer.text("class_name", "");
  const auto found = std::find(classes.begin(), classes.end(), class_name);
  if (found != classes.end()) return static_cast<int>(found - classes.begin()) + 1;
  if (!layer.has("class_name")) layer.fail_missing("class_name");
  layer.fail({StatusCode::unsupported,
              fmt::format("class_name {} must be ConvTranspose1d, ConvTranspose2d or ConvTranspose3d{}",
                          quote(class_name), did_you_mean(class_name, classes))});
  return 0;
}

void check_fixed_arguments(const Fields &fields) {
  const std::string mode = fields.text("padding_mode", "zeros");
  if (mode != "zeros") {
    fields.fail(
        fmt::format("padding_mode {} must be 'zeros': PyTorch has no other for a transposed convolution", quote(mode)));
  }
  const std::string dtype = fields.text("dtype", "float32");
  if (dtype != "float32" && dtype != "torch.float32") {
    fields.fail({StatusCode::unsupported, fmt::format("dtype {} must be 'float32'", quote(dtype))});
  }
}

}  // namespace

ParsedLayer read_torch(const Fields &layer) {
  ParsedLayer parsed;
  LayerConfig &config = parsed.config;
  config.dialect = Dialect::torch;
  config.padding = TCONV_PADDING_EXPLICIT;
  config.data_format = DataFormat::channels_first;
  layer.allow_only(common_names());
  config.rank = read_rank(layer);
  const Fields fields = layer.object("config");
  if (!layer.has("config")) layer.fail_missing("config");
  fields.allow_only(config_names());
  if (!layer.ok()) return parsed;

  const auto rank = static_cast<std::size_t>(config.rank);
  read_common(layer, config);
  check_fixed_arguments(fields);
  config.in_channels = fields.integer("in_channels", std::nullopt);
  config.filters = fields.integer("out_channels", std::nullopt);
  if (!fields.has("kernel_size")) fields.fail_missing("kernel_size");
  config.kernel_size = fields.sizes("kernel_size", rank).value_or(Shape());
  config.strides = fields.sizes("stride", rank).value_or(Shape(rank, 1));
  config.dilation_rate = fields.sizes("dilation", rank).value_or(Shape(rank, 1));
  config.pads_begin = fields.sizes("padding", rank).value_or(Shape(rank, 0));
  config.pads_end = config.pads_begin;
  config.output_padding = fields.sizes("output_padding", rank);
  config.groups = fields.integer("groups", 1);
  config.use_bias = fields.boolean("bias", true);
  // -1 stands for "not known" in a LayerConfig, and here it is a mistake.
  if (layer.ok() && config.in_channels < 1) {
    fields.fail(fmt::format("in_channels {} must be positive", config.in_channels));
  }
  return parsed;
}

}  // namespace tconv
