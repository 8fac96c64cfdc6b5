// JSON as Keras 3.15.1 writes it, so that texts can be compared and a file's differences are those of its layers.
// Private to runtime/.
#ifndef TCONV_RUNTIME_KERAS_TEXT_H
#define TCONV_RUNTIME_KERAS_TEXT_H

#include <nlohmann/json.hpp>
#include <string>

namespace tconv {

using OrderedJson = nlohmann::ordered_json;

// The fields of an initializer, regularizer, constraint or activation in Keras' order; those that Keras does not have
// follow by name.
OrderedJson in_keras_order(const nlohmann::json &value);

// As Python's json.dumps() writes it: on one line, ", " and ": " between things, ASCII only. Throws
// nlohmann::json::type_error where a string is not UTF-8.
std::string keras_text(const OrderedJson &value);

}  // namespace tconv

#endif
