// Reads a layer from JSON: the text, its limits, the parts that all dialects share, and the checks that need the
// kernel's shape. Each dialect's own fields are in layer_json_<dialect>.cpp. What is read is not trusted: the text's
// size and nesting are limited, and no exception leaves this file.
#include "layer_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <new>
#include <set>

#include "message.h"

namespace tconv {
namespace {

constexpr std::size_t largest_text = std::size_t{1} << 20;
constexpr int deepest_nesting = 64;

// nlohmann's text without its exception's name in front, and without what it read last, which may be long.
std::string reason(std::string_view message) {
  const std::size_t prefix = message.find("] ");
  if (prefix != message.npos) message.remove_prefix(prefix + 2);
  return std::string(message.substr(0, std::min<std::size_t>(message.find("; last read"), 200)));
}

// Watches the parser: nesting, and fields that are given twice, where JSON readers differ on which of them counts.
class Watch {
 public:
  explicit Watch(Status &error) : error_(error) {}

  bool operator()(int depth, Json::parse_event_t event, const Json &value) {
    if (depth > deepest_nesting) fail(fmt::format("the JSON is nested more than {} deep", deepest_nesting));
    if (!error_.ok()) return false;
    if (event == Json::parse_event_t::object_start) {
      seen_.resize(static_cast<std::size_t>(depth) + 1);
      seen_.back().clear();
    } else if (event == Json::parse_event_t::key) {
      const auto &name = value.get_ref<const std::string &>();
      seen_.resize(static_cast<std::size_t>(depth));
      if (!seen_.back().insert(name).second) fail(fmt::format("field {} is given twice", quote(name)));
    }
    return error_.ok();
  }

 private:
  void fail(std::string message) {
    if (error_.ok()) error_ = invalid_argument(std::move(message));
  }

  std::vector<std::set<std::string>> seen_;
  Status &error_;
};

void read_dialect(const Fields &layer, ParsedLayer &parsed, const std::optional<Shape> &kernel) {
  static const Names dialects = {"keras", "torch", "onnx", "tflite"};
  const std::string dialect = layer.text("dialect", "keras");
  if (dialect == "keras") {
    parsed = read_keras(layer);
  } else if (dialect == "torch") {
    parsed = read_torch(layer);
  } else if (dialect == "onnx") {
    parsed = read_onnx(layer, kernel);
  } else if (dialect == "tflite") {
    parsed = read_tflite(layer, kernel);
  } else {
    layer.fail(fmt::format("dialect {} must be keras, torch, onnx or tflite{}", quote(dialect),
                           did_you_mean(dialect, dialects)));
  }
}

Status check_kernel_sizes(const char *what, const std::optional<Shape> &kernel) {
  if (!kernel) return {};
  for (const std::int64_t size : *kernel) {
    if (size >= 1 && size <= TCONV_MAX_EXTENT) continue;
    return invalid_argument(fmt::format("{} {}: {} is not in 1 to {}", what, tuple(*kernel), size, TCONV_MAX_EXTENT));
  }
  return {};
}

Status check_kernel_shape(const char *what, const std::optional<Shape> &kernel, const LayerConfig &config) {
  const Shape wanted = kernel_shape(config);
  if (!kernel || *kernel == wanted) return {};
  return invalid_argument(
      fmt::format("{} has shape {}, but the layer needs {}", what, tuple(*kernel), open_tuple(wanted)));
}

// Keras writes a function that is not its own builtin as {"class_name": "function", "config": its name}, and a layer
// that serves as an activation with parameters, which may differ from those of the function of the same name.
std::string read_function(const Fields &fields) {
  const Fields object = fields.object("activation");
  object.allow_only({"module", "class_name", "config", "registered_name"});
  const std::string class_name = object.text("class_name", "");
  if (class_name == "function") return object.text("config", "");
  const Json *const config = object.find("config");
  if (config == nullptr || config->empty()) return class_name;
  fields.fail(
      {StatusCode::unsupported,
       fmt::format("activation {} is an object with its own config: name one of Keras' functions", quote(class_name))});
  return "";
}

}  // namespace

Json read_json(std::string_view text, Status &error) {
  if (text.size() > largest_text) {
    error = invalid_argument(fmt::format("the JSON has {} bytes, more than {}", text.size(), largest_text));
    return {};
  }
  try {
    Watch watch(error);
    return Json::parse(text,
                       [&](int depth, Json::parse_event_t event, Json &value) { return watch(depth, event, value); });
  } catch (const Json::exception &failure) {
    if (error.ok()) error = invalid_argument(fmt::format("not JSON: {}", reason(failure.what())));
    return {};
  }
}

Result<LayerConfig> read_layer(const Json &document, const std::optional<Shape> &kernel) {
  Status error = check_kernel_sizes("the kernel array's shape", kernel);
  ParsedLayer parsed;
  const Fields layer(&document, "", error);
  if (error.ok()) read_dialect(layer, parsed, kernel);
  if (!error.ok()) return error;
  take_from_kernel(parsed.config, kernel);
  take_from_input(parsed.config);
  error = validate(parsed.config);
  if (error.ok()) error = check_kernel_shape("weight_shape", parsed.weight_shape, parsed.config);
  if (error.ok()) error = check_kernel_shape("the kernel array", kernel, parsed.config);
  if (!error.ok()) return error;
  return std::move(parsed.config);
}

Result<LayerConfig> parse_layer(std::string_view json, const std::optional<Shape> &kernel) {
  try {
    Status error;
    const Json document = read_json(json, error);
    if (!error.ok()) return error;
    return read_layer(document, kernel);
  } catch (const std::bad_alloc &) {
    return Status(StatusCode::resource_exhausted, "no memory to read the layer");
  } catch (const std::exception &failure) {
    return Status(StatusCode::internal, fmt::format("reading the layer failed: {}", failure.what()));
  }
}

Names common_names() {
  return {"dialect", "module", "class_name", "name", "config", "build_config", "data_format", "activation"};
}

void read_common(const Fields &layer, LayerConfig &config) {
  config.name = layer.text("name", "");
  config.activation = read_activation(layer);
  config.data_format = read_data_format(layer, config.data_format);
  read_build_config(layer, config);
}

Json collect_attributes(const Fields &layer, const Names &names) {
  Names outer = common_names();
  outer.insert(outer.end(), {"op_type", "attributes", "use_bias"});
  outer.insert(outer.end(), names.begin(), names.end());
  layer.allow_only(outer);
  Json attributes = Json::object();
  const auto take = [&](const Fields &fields) {
    for (const std::string_view name : names) {
      const Json *const value = fields.find(name);
      if (value == nullptr) continue;
      const bool is_new = attributes.emplace(std::string(name), *value).second;
      if (!is_new) layer.fail(fmt::format("field {} is given twice", quote(name)));
    }
  };
  take(layer);
  for (const char *const where : {"config", "attributes"}) {
    const Fields fields = layer.object(where);
    fields.allow_only(names);
    take(fields);
  }
  return attributes;
}

void expect_operator(const Fields &layer, std::string_view name) {
  const std::string op_type = layer.text("op_type", layer.text("class_name", ""));
  if (op_type.empty()) layer.fail_missing("op_type");
  if (op_type != name) layer.fail(fmt::format("operator {} must be '{}'", quote(op_type), name));
}

std::optional<Shape> read_weight_shape(const Fields &fields, std::size_t count) {
  std::optional<Shape> shape = fields.list("weight_shape", count);
  if (Status status = check_kernel_sizes("weight_shape", shape); !status.ok()) fields.fail(std::move(status));
  return shape;
}

DataFormat read_data_format(const Fields &fields, DataFormat fallback) {
  const std::string format = fields.text("data_format", "");
  if (format == "channels_last") return DataFormat::channels_last;
  if (format == "channels_first") return DataFormat::channels_first;
  if (fields.has("data_format")) {
    fields.fail(fmt::format("data_format {} must be 'channels_last' or 'channels_first'", quote(format)));
  }
  return fallback;
}

Activation read_activation(const Fields &fields) {
  const Json *const value = fields.find("activation");
  if (value == nullptr) return Activation::linear;
  const std::string wanted = value->is_object() ? read_function(fields) : fields.text("activation", "");
  if (const std::optional<Activation> activation = activation_from_name(wanted)) return *activation;
  Names candidates;
  for (int i = 0; i < activation_count; ++i) candidates.push_back(name(static_cast<Activation>(i)));
  fields.fail({StatusCode::unsupported, fmt::format("activation {} is not one of Keras' that tconv has{}",
                                                    quote(wanted), did_you_mean(wanted, candidates))});
  return Activation::linear;
}

void read_build_config(const Fields &layer, LayerConfig &config) {
  const Fields build = layer.object("build_config");
  build.allow_only({"input_shape", "shapes_dict"});
  if (build.has("input_shape")) config.input_shape = build.open_shape("input_shape");
}

void take_from_input(LayerConfig &config) {
  const std::size_t rank = static_cast<std::size_t>(config.rank);
  if (config.in_channels != unknown || !config.input_shape || config.input_shape->size() != rank + 2) return;
  config.in_channels = (*config.input_shape)[config.data_format == DataFormat::channels_last ? rank + 1 : 1];
}

void take_from_kernel(LayerConfig &config, const std::optional<Shape> &kernel) {
  const std::size_t rank = static_cast<std::size_t>(config.rank);
  const auto in_range = [](std::int64_t size) { return size >= 1 && size <= TCONV_MAX_EXTENT; };
  if (!kernel || kernel->size() != rank + 2 || !in_range(config.groups)) return;
  if (!std::all_of(kernel->begin(), kernel->end(), in_range)) return;
  const Shape &k = *kernel;
  const bool tflite = config.dialect == Dialect::tflite, keras = config.dialect == Dialect::keras;
  const bool named = keras || config.dialect == Dialect::torch;  // filters and kernel_size are then required fields
  if (!named && config.filters == 0) config.filters = tflite ? k[0] : k[1] * config.groups;
  if (config.in_channels == unknown) {
    config.in_channels = tflite ? k[rank + 1] : keras ? k[rank + 1] * config.groups : k[0];
  }
  if (!named && config.kernel_size.empty()) {
    const auto spatial = k.begin() + (tflite ? 1 : 2);
    config.kernel_size.assign(spatial, spatial + config.rank);
  }
}

}  // namespace tconv
