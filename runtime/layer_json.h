// What the readers of the four dialects share: the fields of one JSON object with their types checked, and the parts of
// a layer that every dialect spells alike. Private to runtime/.
#ifndef TCONV_RUNTIME_LAYER_JSON_H
#define TCONV_RUNTIME_LAYER_JSON_H

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tconv/layer_config.h"

namespace tconv {

using Json = nlohmann::json;
using Names = std::vector<std::string_view>;

// The fields of one object. A getter that finds something wrong keeps the message in `error`, which holds the first
// one, and returns its fallback; so a reader asks for all that it wants and looks at the error once. A field that is
// null counts as absent.
class Fields {
 public:
  // `where` names the object in messages; empty for the layer itself. A null pointer is an object without fields.
  Fields(const Json *object, std::string where, Status &error);

  // Anything else than `names` is an error.
  void allow_only(const Names &names) const;
  // Null is an error in these, where it would not mean the default.
  void refuse_null(const Names &names) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }
  const Json *find(std::string_view name) const;  // null where absent
  Fields object(std::string_view name) const;
  Fields with(const Json &object) const { return {&object, where_, error_}; }  // other fields, the same error

  std::int64_t integer(std::string_view name, std::optional<std::int64_t> fallback) const;
  double number(std::string_view name, double fallback) const;
  bool boolean(std::string_view name, bool fallback) const;
  std::string text(std::string_view name, std::string_view fallback) const;
  // `count` integers, or any number of them where count is 0.
  std::optional<Shape> list(std::string_view name, std::size_t count) const;
  // The same, or one integer that stands for all of them.
  std::optional<Shape> sizes(std::string_view name, std::size_t count) const;
  // Sizes that may be null.
  std::optional<Shape> open_shape(std::string_view name) const;

  void fail(Status status) const;
  void fail(std::string message) const { fail(invalid_argument(std::move(message))); }
  void fail_missing(std::string_view name) const;
  bool ok() const { return error_.ok(); }
  // "'strides'", or "'strides' in config".
  std::string describe(std::string_view name) const;

 private:
  std::optional<Shape> integers(std::string_view name, const Json &value, bool open) const;

  const Json *object_;
  std::string where_;
  Status &error_;
};

// A text as JSON. Its size and nesting are limited, and a field that is given twice is an error.
Json read_json(std::string_view text, Status &error);

// parse_layer() of what read_json() has read; may throw.
Result<LayerConfig> read_layer(const Json &document, const std::optional<Shape> &kernel);

struct ParsedLayer {
  LayerConfig config;
  std::optional<Shape> weight_shape;  // ONNX and TFLite, where the JSON has it
};

// One reader a dialect. `kernel` has been checked for its sizes, but not against the layer.
ParsedLayer read_keras(const Fields &layer);
ParsedLayer read_torch(const Fields &layer);
ParsedLayer read_onnx(const Fields &layer, const std::optional<Shape> &kernel);
ParsedLayer read_tflite(const Fields &layer, const std::optional<Shape> &kernel);

// What PyTorch, ONNX and TFLite layers have beside their own arguments: name, data_format, activation and
// build_config. The names are for allow_only().
Names common_names();
void read_common(const Fields &layer, LayerConfig &config);

// The attributes of an ONNX or TFLite operator, which may stand in "config", in "attributes" or in the layer itself;
// `names` are all that there are.
Json collect_attributes(const Fields &layer, const Names &names);

// Checks the operator's name, which is in "op_type" or "class_name".
void expect_operator(const Fields &layer, std::string_view name);

// The dtype of a layer of Keras', as a name or a policy: none but float32.
void check_dtype(const Fields &config);

DataFormat read_data_format(const Fields &fields, DataFormat fallback);
Activation read_activation(const Fields &fields);
void read_build_config(const Fields &layer, LayerConfig &config);

// The shape of an ONNX or TFLite kernel, with its sizes checked; of `count` entries where count is not 0.
std::optional<Shape> read_weight_shape(const Fields &fields, std::size_t count);

// What a layer leaves out, and its input or its kernel array says.
void take_from_input(LayerConfig &config);
void take_from_kernel(LayerConfig &config, const std::optional<Shape> &kernel);

}  // namespace tconv

#endif
