// Reads a layer with all that it is constructed with; layer_definition_write.cpp is the way back. The structure is
// parse_layer()'s to check, the objects in it are keras_objects.h's.
#include "layer_definition.h"

#include <fmt/format.h>

#include <utility>

#include "guarded.h"
#include "keras_objects.h"
#include "layer_json.h"
#include "message.h"
#include "tconv/image_data_format.h"

namespace tconv {
namespace {

template <typename Value>
using Reader = Result<Value> (*)(const Json &, const CustomObjects &);

// The objects of a config, whose first error is kept.
class Objects {
 public:
  Objects(const Json &config, const CustomObjects &custom) : config_(config), custom_(custom) {}

  // A field that is not there leaves `value`, Keras' default; null is Keras' None.
  template <typename Value>
  void read(const char *field, Reader<Value> reader, Value &value) {
    const auto found = config_.find(field);
    if (!error_.ok() || found == config_.end()) return;
    Result<Value> result = reader(*found, custom_);
    if (result.ok()) {
      value = std::move(result).value();
    } else {
      error_ = Status(result.status().code(), fmt::format("{}: {}", field, result.status().message()));
    }
  }

  const Status &error() const { return error_; }

 private:
  const Json &config_;
  const CustomObjects &custom_;
  Status error_;
};

Status read_objects(const Json &config, const CustomObjects &custom, LayerDefinition &definition) {
  Objects objects(config, custom);
  objects.read("activation", read_activation_function, definition.activation);
  objects.read("kernel_initializer", read_initializer, definition.kernel_initializer);
  objects.read("bias_initializer", read_initializer, definition.bias_initializer);
  objects.read("kernel_regularizer", read_regularizer, definition.kernel_regularizer);
  objects.read("bias_regularizer", read_regularizer, definition.bias_regularizer);
  objects.read("activity_regularizer", read_regularizer, definition.activity_regularizer);
  objects.read("kernel_constraint", read_constraint, definition.kernel_constraint);
  objects.read("bias_constraint", read_constraint, definition.bias_constraint);
  return objects.error();
}

// get_config() has the layer's arguments themselves, serialize() has them in "config".
bool is_bare(const Json &document) {
  return document.is_object() && !document.contains("class_name") && !document.contains("config");
}

Json as_serialized(Json config, int rank) {
  Json layer = Json::object();
  layer["class_name"] = class_name(rank);
  layer["config"] = std::move(config);
  return layer;
}

Status check_kind(const Json &document, int rank) {
  Status error;
  const Fields layer(&document, "", error);
  if (const std::string dialect = layer.text("dialect", "keras"); dialect != "keras") {
    layer.fail({StatusCode::unsupported, fmt::format("dialect {} has no config of Keras'", quote(dialect))});
  }
  const std::string given = layer.text("class_name", ""), wanted = class_name(rank);
  for (int other = 1; other <= TCONV_MAX_RANK; ++other) {
    if (other == rank || given != class_name(other)) continue;
    layer.fail(fmt::format("class_name {} is not that of the layer, {}", quote(given), quote(wanted)));
  }
  return error;
}

Status read_name_and_trainable(const Json &config, LayerDefinition &definition) {
  Status error;
  const Fields fields(&config, "config", error);
  definition.trainable = fields.boolean("trainable", true);
  const std::string name = fields.text("name", "");
  return error.ok() ? check_layer_name(name) : error;
}

// What parse_layer() would not take as Keras does: an activation with parameters, and the process' data_format.
Status prepare(Json &config, const ActivationFunction &activation) {
  config["activation"] = std::string(name(activation.builtin()));
  if (config.contains("data_format") && !config["data_format"].is_null()) return {};
  const Result<DataFormat> data_format = image_data_format();
  if (!data_format.ok()) return data_format.status();
  config["data_format"] = data_format.value() == DataFormat::channels_last ? "channels_last" : "channels_first";
  return {};
}

Result<LayerDefinition> read_document(Json document, int rank, const CustomObjects &custom) {
  if (Status status = check_kind(document, rank); !status.ok()) return status;
  if (is_bare(document)) document = as_serialized(std::move(document), rank);
  LayerDefinition definition;
  if (const auto config = document.find("config"); config != document.end() && config->is_object()) {
    if (Status status = read_name_and_trainable(*config, definition); !status.ok()) return status;
    if (Status status = read_objects(*config, custom, definition); !status.ok()) return status;
    if (Status status = prepare(*config, definition.activation); !status.ok()) return status;
  }
  Result<LayerConfig> config = read_layer(document, std::nullopt);
  if (!config.ok()) return config.status();
  definition.config = std::move(config).value();
  return definition;
}

}  // namespace

std::string class_name(int rank) { return fmt::format("Conv{}DTranspose", rank); }

Status check_layer_name(std::string_view name) {
  if (name.find('/') == name.npos) return {};
  return invalid_argument(fmt::format("name {} cannot contain '/'", quote(name)));
}

Result<LayerDefinition> read_definition(std::string_view json, int rank, const CustomObjects &custom) {
  return detail::guarded([&]() -> Result<LayerDefinition> {
    Status error;
    Json document = read_json(json, error);
    if (!error.ok()) return error;
    return read_document(std::move(document), rank, custom);
  });
}

}  // namespace tconv
