// Identifiers of Keras' objects; see keras_identifier.h. What serialize() of Keras 3 writes is read, and the older form
// that has class_name and config alone.
#include "keras_identifier.h"

#include <fmt/format.h>

#include <utility>

#include "layer_json.h"
#include "message.h"

namespace tconv {
namespace {

// Keras looks at neither build_config nor shared_object_id where it has class_name and config.
const Names &object_keys() {
  static const Names keys = {"module", "class_name", "config", "registered_name", "build_config", "shared_object_id"};
  return keys;
}

std::string dump(const Json &value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

Result<KerasIdentifier> read_identifier(const Json &value, std::string_view kind) {
  KerasIdentifier identifier;
  if (value.is_string()) {
    identifier.name = identifier.spelled = value.get<std::string>();
    return identifier;
  }
  if (!value.is_object()) {
    return invalid_argument(fmt::format("the {} must be a name or an object, got {}", kind, quote(dump(value))));
  }
  Status error;
  const Fields object(&value, std::string(kind), error);
  object.allow_only(object_keys());
  if (!object.has("class_name")) object.fail_missing("class_name");
  const std::string class_name = object.text("class_name", "");
  object.text("module", "");
  const std::string registered_name = object.text("registered_name", "");
  identifier.is_function = class_name == "function" || registered_name.find('>') != registered_name.npos;
  if (class_name == "function") {
    if (!object.has("config")) object.fail_missing("config");
    identifier.name = object.text("config", "");
  } else {
    identifier.name = class_name;
    object.object("config");
    if (object.has("config")) identifier.config = *object.find("config");
  }
  if (!error.ok()) return error;
  identifier.spelled = dump(value);
  return identifier;
}

Result<Json> identifier_json(std::string_view text, std::string_view kind) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos || text[first] != '{') return Json(text);
  Status error;
  Json json = read_json(text, error);
  if (error.ok()) return json;
  return Status(error.code(), fmt::format("{}: {}", kind, error.message()));
}

Json class_json(std::string_view module, std::string_view class_name, Json config) {
  return Json::object(
      {{"module", module}, {"class_name", class_name}, {"config", std::move(config)}, {"registered_name", nullptr}});
}

Json function_json(std::string_view name) {
  return Json::object(
      {{"module", "builtins"}, {"class_name", "function"}, {"config", name}, {"registered_name", "function"}});
}

Status unknown_identifier(std::string_view kind, const KerasIdentifier &identifier,
                          std::span<const std::string_view> names) {
  std::string hint = did_you_mean(identifier.name, names);
  const bool is_object = identifier.spelled.starts_with('{');
  if (hint.empty() && is_object) hint = ": give a class of your own as a function in custom_objects";
  return invalid_argument(fmt::format("{} {} is not one of Keras'{}", kind, quote(identifier.name), hint));
}

Status missing_custom_object(std::string_view kind, std::string_view name) {
  return {StatusCode::not_found,
          fmt::format("not found: {} is not one of Keras' {}s: give it in custom_objects", quote(name), kind)};
}

}  // namespace tconv
