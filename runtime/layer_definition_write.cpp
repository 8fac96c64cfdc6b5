// Writes a layer as Keras 3.15.1 does, field for field in its order: Layer.get_config() first, then that of
// BaseConvTranspose (keras/src/layers/convolutional/base_conv_transpose.py).
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "guarded.h"
#include "keras_objects.h"
#include "keras_text.h"
#include "layer_definition.h"
#include "message.h"

namespace tconv {
namespace {

std::string_view spell(Dialect dialect) {
  switch (dialect) {
    case Dialect::keras: return "Keras";
    case Dialect::torch: return "PyTorch";
    case Dialect::onnx: return "ONNX";
    case Dialect::tflite: return "TFLite";
  }
  return "unknown";
}

bool has_pads(const Shape &pads) {
  return std::any_of(pads.begin(), pads.end(), [](std::int64_t pad) { return pad != 0; });
}

std::string what_keras_lacks(const LayerConfig &config) {
  if (config.output_shape) return fmt::format("output_shape {}", tuple(*config.output_shape));
  if (has_pads(config.pads_begin) || has_pads(config.pads_end)) {
    return fmt::format("pads {} and {}", tuple(config.pads_begin), tuple(config.pads_end));
  }
  return fmt::format("kernel of shape {}", open_tuple(kernel_shape(config)));
}

Status check_dialect(const LayerConfig &config) {
  if (config.dialect == Dialect::keras) return {};
  return {StatusCode::unsupported, fmt::format("a {} layer has no config of Keras': there is no word for its {}",
                                               spell(config.dialect), what_keras_lacks(config))};
}

Status check_objects(const LayerDefinition &definition) {
  for (const Status &status : {definition.activation.status(), definition.kernel_initializer.status(),
                               definition.bias_initializer.status(), definition.kernel_regularizer.status(),
                               definition.bias_regularizer.status(), definition.activity_regularizer.status(),
                               definition.kernel_constraint.status(), definition.bias_constraint.status()}) {
    if (!status.ok()) return status;
  }
  return {};
}

template <typename Object>
OrderedJson written(const Object &object) {
  return in_keras_order(to_json(object));
}

OrderedJson float32_policy() {
  OrderedJson policy;
  policy["module"] = "keras";
  policy["class_name"] = "DTypePolicy";
  policy["config"]["name"] = "float32";
  policy["registered_name"] = nullptr;
  return policy;
}

OrderedJson open_list(const Shape &shape) {
  OrderedJson list = OrderedJson::array();
  for (const std::int64_t size : shape) list.push_back(size == unknown ? OrderedJson() : OrderedJson(size));
  return list;
}

OrderedJson config_object(const LayerDefinition &definition) {
  const LayerConfig &layer = definition.config;
  const bool same = layer.padding == TCONV_PADDING_KERAS_SAME;
  const bool channels_last = layer.data_format == DataFormat::channels_last;
  OrderedJson config;
  config["name"] = layer.name;
  config["trainable"] = definition.trainable;
  config["dtype"] = float32_policy();
  // Layer.get_config() has it only where there is one; that of BaseConvTranspose sets it again, which leaves its place.
  const OrderedJson activity_regularizer = written(definition.activity_regularizer);
  if (!activity_regularizer.is_null()) config["activity_regularizer"] = activity_regularizer;
  config["filters"] = layer.filters;
  config["kernel_size"] = layer.kernel_size;
  config["strides"] = layer.strides;
  config["padding"] = same ? "same" : "valid";
  config["output_padding"] = layer.output_padding ? OrderedJson(*layer.output_padding) : OrderedJson();
  config["data_format"] = channels_last ? "channels_last" : "channels_first";
  config["dilation_rate"] = layer.dilation_rate;
  if (layer.groups != 1) config["groups"] = layer.groups;  // Keras 3 refuses the field, tf_keras writes it here
  config["activation"] = written(definition.activation);
  config["use_bias"] = layer.use_bias;
  config["kernel_initializer"] = written(definition.kernel_initializer);
  config["bias_initializer"] = written(definition.bias_initializer);
  config["kernel_regularizer"] = written(definition.kernel_regularizer);
  config["bias_regularizer"] = written(definition.bias_regularizer);
  config["activity_regularizer"] = activity_regularizer;
  config["kernel_constraint"] = written(definition.kernel_constraint);
  config["bias_constraint"] = written(definition.bias_constraint);
  return config;
}

OrderedJson layer_object(const LayerDefinition &definition, const std::optional<Shape> &built_for) {
  OrderedJson layer;
  layer["module"] = "keras.layers";
  layer["class_name"] = class_name(definition.config.rank);
  layer["config"] = config_object(definition);
  layer["registered_name"] = nullptr;
  if (built_for) layer["build_config"]["input_shape"] = open_list(*built_for);
  return layer;
}

template <typename MakeObject>
Result<std::string> write(const LayerDefinition &definition, MakeObject make_object) {
  return detail::guarded([&]() -> Result<std::string> {
    if (Status status = check_dialect(definition.config); !status.ok()) return status;
    if (Status status = check_objects(definition); !status.ok()) return status;
    try {
      return keras_text(make_object());
    } catch (const nlohmann::json::type_error &) {
      return invalid_argument(
          fmt::format("layer {} cannot be written: a name in it is not UTF-8", quote(definition.config.name)));
    }
  });
}

}  // namespace

Result<std::string> write_config(const LayerDefinition &definition) {
  return write(definition, [&] { return config_object(definition); });
}

Result<std::string> write_layer(const LayerDefinition &definition, const std::optional<Shape> &built_for) {
  return write(definition, [&] { return layer_object(definition, built_for); });
}

}  // namespace tconv
