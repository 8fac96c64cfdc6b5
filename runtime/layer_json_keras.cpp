// Reads what keras.layers.serialize() writes for Conv1DTranspose, Conv2DTranspose and Conv3DTranspose, and the older
// forms of the same. Fields that only matter to training are known by name, and not looked into.
#include <fmt/format.h>

#include <algorithm>

#include "layer_check.h"
#include "layer_json.h"
#include "message.h"

namespace tconv {
namespace {

const Names &layer_names() {
  static const Names names = {"dialect",      "module", "class_name",    "config",          "registered_name",
                              "build_config", "name",   "inbound_nodes", "shared_object_id"};
  return names;
}

const Names &config_names() {
  static const Names names = {"name",
                              "trainable",
                              "dtype",
                              "filters",
                              "kernel_size",
                              "strides",
                              "padding",
                              "output_padding",
                              "data_format",
                              "dilation_rate",
                              "groups",
                              "activation",
                              "use_bias",
                              "kernel_initializer",
                              "bias_initializer",
                              "kernel_regularizer",
                              "bias_regularizer",
                              "activity_regularizer",
                              "kernel_constraint",
                              "bias_constraint",
                              "batch_input_shape",
                              "batch_shape"};
  return names;
}

int read_rank(const Fields &layer) {
  static const Names classes = {"Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"};
  const std::string class_name = layer.text("class_name", "");
  const auto found = std::find(classes.begin(), classes.end(), class_name);
  if (found != classes.end()) return static_cast<int>(found - classes.begin()) + 1;
  if (!layer.has("class_name")) {
    layer.fail_missing("class_name");
  } else if (class_name.starts_with("ConvTranspose")) {
    layer.fail(
        fmt::format("class_name {} is not Keras': a PyTorch or ONNX layer needs \"dialect\"", quote(class_name)));
  } else {
    layer.fail({StatusCode::unsupported,
                fmt::format("class_name {} must be Conv1DTranspose, Conv2DTranspose or Conv3DTranspose{}",
                            quote(class_name), did_you_mean(class_name, classes))});
  }
  return 0;
}

tconv_padding read_padding(const Fields &config) {
  const std::string given = config.text("padding", "valid");
  const std::string padding = lower_case(given);
  if (padding == "same") return TCONV_PADDING_KERAS_SAME;
  if (padding == "causal") {
    config.fail("padding 'causal' is not defined for a transposed convolution: use 'valid' or 'same'");
  } else if (padding != "valid") {
    config.fail(fmt::format("padding {} must be 'valid' or 'same'", quote(given)));
  }
  return TCONV_PADDING_KERAS_VALID;
}

// build_config has the shape that the layer was built for; the other two are what older files have instead.
void read_input_shape(const Fields &layer, const Fields &fields, LayerConfig &config) {
  for (const char *const name : {"batch_shape", "batch_input_shape"}) {
    if (fields.has(name)) config.input_shape = fields.open_shape(name);
  }
  read_build_config(layer, config);
  take_from_input(config);
}

}  // namespace

ParsedLayer read_keras(const Fields &layer) {
  ParsedLayer parsed;
  LayerConfig &config = parsed.config;
  config.dialect = Dialect::keras;
  if (layer.has("op_type")) layer.fail("'op_type' is not Keras': an ONNX or TFLite operator needs \"dialect\"");
  layer.allow_only(layer_names());
  config.rank = read_rank(layer);
  const Fields fields = layer.object("config");
  if (!layer.has("config")) layer.fail_missing("config");
  fields.allow_only(config_names());
  if (!layer.ok()) return parsed;

  const auto rank = static_cast<std::size_t>(config.rank);
  config.name = fields.text("name", "");
  check_dtype(fields);
  config.filters = fields.integer("filters", std::nullopt);
  if (!fields.has("kernel_size")) fields.fail_missing("kernel_size");
  config.kernel_size = fields.sizes("kernel_size", rank).value_or(Shape());
  config.strides = fields.sizes("strides", rank).value_or(Shape(rank, 1));
  config.dilation_rate = fields.sizes("dilation_rate", rank).value_or(Shape(rank, 1));
  config.padding = read_padding(fields);
  config.output_padding = fields.sizes("output_padding", rank);
  config.data_format = read_data_format(fields, DataFormat::channels_last);
  config.groups = fields.integer("groups", 1);
  config.activation = read_activation(fields);
  config.use_bias = fields.boolean("use_bias", true);
  read_input_shape(layer, fields, config);
  return parsed;
}

void check_dtype(const Fields &config) {
  const Json *const value = config.find("dtype");
  if (value == nullptr) return;
  std::string dtype;
  if (value->is_object()) {
    const Fields policy = config.object("dtype");
    policy.allow_only({"module", "class_name", "config", "registered_name", "shared_object_id"});
    dtype = policy.object("config").text("name", "");
  } else {
    dtype = config.text("dtype", "");
  }
  if (Status status = check_dtype(dtype); !status.ok()) config.fail(std::move(status));
}

}  // namespace tconv
