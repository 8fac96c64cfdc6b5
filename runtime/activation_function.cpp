// ActivationFunction: Keras' names, its layers and the functions of the user's as a layer's activation. What a kernel
// computes stays an Activation; activation_layer.h has the rest. glu and threshold are refused.
#include <array>

#include "activation_layer.h"
#include "keras_object_parts.h"
#include "keras_objects.h"
#include "tconv/activations.h"
#include "tensor_check.h"

namespace tconv {
namespace {

using detail::ActivationObject;
using Made = detail::Made<ActivationObject>;

constexpr std::string_view kind = "activation";

class Invalid final : public detail::InvalidObject<ActivationObject> {
 public:
  using InvalidObject::InvalidObject;
  Status apply(std::span<float>, const Shape &) const override { return status(); }
};

class User final : public detail::UserObject<ActivationObject, ActivationFunction::Function> {
 public:
  using UserObject::UserObject;
  Status apply(std::span<float> values, const Shape &shape) const override {
    return detail::call_function(kind, name(), [&]() -> Status {
      function()(values, shape);
      return {};
    });
  }
};

// Keras' activations that tconv does not have, and why.
struct Refused {
  std::string_view name, reason;
};
constexpr std::array<Refused, 4> refused = {{
    {"glu", "it halves the last axis, but a transposed convolution has as many channels as filters"},
    {"threshold", "it has two parameters without defaults, which a name cannot give"},
    {"PReLU", "it has weights of its own"},
    {"Activation", "give the activation that this layer wraps"},
}};

std::vector<std::string_view> function_names() {
  std::vector<std::string_view> names = {"sparsemax", "swish", "hard_swish"};
  for (int i = 0; i < activation_count; ++i) names.push_back(name(static_cast<Activation>(i)));
  return names;
}

Result<ActivationFunction> wrap(Made made) {
  if (!made.ok()) return made.status();
  return ActivationFunction(std::move(made).value());
}

Result<ActivationFunction> make(const Json &value, const CustomObjects &custom) {
  const Result<KerasIdentifier> read = read_identifier(value, kind);
  if (!read.ok()) return read.status();
  const KerasIdentifier &identifier = read.value();
  Made found = detail::find_custom<User, ActivationObject>(kind, identifier, value, custom.activations);
  if (!found.ok() || found.value() != nullptr) return wrap(std::move(found));
  for (const Refused &one : refused) {
    if (one.name != identifier.name) continue;
    return Status(StatusCode::unsupported, fmt::format("activation {}: {}", quote(one.name), one.reason));
  }
  const bool is_class = value.is_object() && !identifier.is_function;
  if (is_class) {
    const auto layers = detail::activation_layer_names();
    const bool known = std::find(layers.begin(), layers.end(), identifier.name) != layers.end();
    if (!known) return unknown_identifier(kind, identifier, layers);
    return wrap(detail::make_activation_layer(identifier.name, identifier.config));
  }
  if (const auto builtin = activation_from_name(identifier.name)) return ActivationFunction(*builtin);
  if (identifier.name == "sparsemax") return wrap(detail::make_sparsemax());
  if (identifier.is_function) return missing_custom_object(kind, identifier.name);
  return unknown_identifier(kind, identifier, function_names());
}

template <typename Make>
std::shared_ptr<const ActivationObject> made(Make make_object) noexcept {
  return detail::made_or_invalid<Invalid, ActivationObject>(std::move(make_object));
}

}  // namespace

ActivationFunction::ActivationFunction(std::string_view identifier)
    : object_(made([&]() -> Made {
        if (identifier == "null") return std::shared_ptr<const ActivationObject>();
        const Result<Json> json = identifier_json(identifier, kind);
        if (!json.ok()) return json.status();
        const Result<ActivationFunction> read = make(json.value(), {});
        if (!read.ok()) return read.status();
        builtin_ = read.value().builtin_;
        return read.value().object_;
      })) {}

ActivationFunction::ActivationFunction(std::string name, Function function)
    : object_(made([&]() -> Made {
        Json json = function_json(name);
        return detail::make_user<User, ActivationObject>(kind, std::move(name), std::move(function), std::move(json));
      })) {}

ActivationFunction::ActivationFunction(std::shared_ptr<const ActivationObject> object) : object_(std::move(object)) {}

Status ActivationFunction::status() const {
  return detail::guarded([&]() -> Status { return is_builtin() ? Status() : object_->status(); });
}

Status ActivationFunction::operator()(std::span<float> values, const Shape &shape) const {
  return detail::guarded([&]() -> Status {
    if (is_builtin()) return {};
    Status status = object_->status();
    if (status.ok()) status = check_elements_given("output", shape, values.size());
    return status.ok() ? object_->apply(values, shape) : status;
  });
}

std::string ActivationFunction::serialize() const {
  return status().ok() ? detail::serialized([&] { return to_json(*this); }) : std::string();
}

Result<ActivationFunction> read_activation_function(const Json &value, const CustomObjects &custom) {
  if (value.is_null()) return ActivationFunction();
  return detail::guarded([&]() -> Result<ActivationFunction> { return make(value, custom); });
}

Json to_json(const ActivationFunction &activation) {
  if (activation.is_builtin()) return name(activation.builtin());
  return activation.object()->json();
}

}  // namespace tconv
