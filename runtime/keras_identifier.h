// The JSON that Keras' initializers, regularizers, constraints and activations share: an identifier taken apart, an
// object put together, and the refusals of a name that nobody knows. Private to runtime/.
#ifndef TCONV_RUNTIME_KERAS_IDENTIFIER_H
#define TCONV_RUNTIME_KERAS_IDENTIFIER_H

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "tconv/status.h"

namespace tconv {

using Json = nlohmann::json;

// A field of a config, or what a user gave as identifier: a name, one of Keras' classes with its config, or a function
// of the user's. A class that Keras registered for the user ("registered_name": "package>Name") counts as a function;
// it keeps its config.
struct KerasIdentifier {
  std::string name;
  Json config = Json::object();
  bool is_function = false;
  std::string spelled;  // as the user wrote it, for messages
};

// `kind` is for messages, here and below: "initializer", "regularizer", "constraint" or "activation". Errors: anything
// else than a string or an object of Keras', a key that such an object does not have, a value of the wrong type.
Result<KerasIdentifier> read_identifier(const Json &value, std::string_view kind);

// The text that a class takes as identifier: JSON where its first character that is not blank is '{', with the limits
// of read_json(), else a name.
Result<Json> identifier_json(std::string_view text, std::string_view kind);

Json class_json(std::string_view module, std::string_view class_name, Json config);
Json function_json(std::string_view name);

// A name that is none of `names`, which are all that Keras has.
Status unknown_identifier(std::string_view kind, const KerasIdentifier &identifier,
                          std::span<const std::string_view> names);

// A function of the user's that nobody gave.
Status missing_custom_object(std::string_view kind, std::string_view name);

}  // namespace tconv

#endif
