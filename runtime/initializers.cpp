// The class Initializer and functions of the user's; Keras' own are in keras_initializers.cpp.
#include "tconv/initializers.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "initializer_objects.h"
#include "keras_identifier.h"
#include "keras_object_parts.h"
#include "keras_objects.h"
#include "layer_check.h"
#include "message.h"
#include "tensor_check.h"

namespace tconv {
namespace detail {
namespace {

constexpr std::size_t longest_exception = 200;

class InvalidInitializer final : public InvalidObject<InitializerObject> {
 public:
  using InvalidObject::InvalidObject;
  Result<Tensor> make(const Shape &) const override { return status(); }
};

class FunctionInitializer final : public UserObject<InitializerObject, Initializer::Function> {
 public:
  using UserObject::UserObject;

  Result<Tensor> make(const Shape &shape) const override {
    Result<Tensor> tensor = call(shape);
    if (!tensor.ok()) return tensor;
    const std::string what = fmt::format("tensor of initializer {}", quote(name()));
    if (Status status = check_tensor(what.c_str(), tensor.value(), shape); !status.ok()) return status;
    return tensor;
  }

 private:
  Result<Tensor> call(const Shape &shape) const {
    try {
      return function()(shape);
    } catch (const std::exception &exception) {
      return invalid_argument(
          fmt::format("initializer {} threw {}", quote(name()), quote(exception.what(), longest_exception)));
    } catch (...) {
      return invalid_argument(fmt::format("initializer {} threw something that is no std::exception", quote(name())));
    }
  }
};

Status check_shape(const Shape &shape) {
  if (std::any_of(shape.begin(), shape.end(), [](std::int64_t size) { return size < 0; })) {
    return invalid_argument(fmt::format("an initializer's shape must have sizes from 0 on, got {}", open_tuple(shape)));
  }
  return check_elements("shape", shape);
}

}  // namespace

Initializer invalid_initializer(const Result<Initializer> &result) noexcept {
  return Initializer(made_or_invalid<InvalidInitializer, InitializerObject>(
      [&]() -> Made<InitializerObject> { return result.status(); }));
}

}  // namespace detail

Initializer::Initializer(std::shared_ptr<const detail::InitializerObject> object) : object_(std::move(object)) {}

Initializer::Initializer(std::string_view identifier) {
  *this = detail::guarded_initializer([&]() -> Result<Initializer> {
    if (identifier == "null") return Initializer();
    const Result<Json> json = identifier_json(identifier, "initializer");
    if (!json.ok()) return json.status();
    return read_initializer(json.value(), CustomObjects());
  });
}

Initializer::Initializer(std::string name, Function function) {
  *this = detail::guarded_initializer([&]() -> Result<Initializer> {
    if (name.empty()) return invalid_argument("an initializer's function must have a name");
    if (!function) return invalid_argument(fmt::format("initializer {} has no function", quote(name)));
    Json json = function_json(name);
    return Initializer(
        std::make_shared<detail::FunctionInitializer>(std::move(name), std::move(function), std::move(json)));
  });
}

bool Initializer::is_none() const { return object_ == nullptr; }

Status Initializer::status() const {
  return detail::guarded([&]() -> Status { return is_none() ? Status() : object_->status(); });
}

Result<Tensor> Initializer::operator()(const Shape &shape) const {
  return detail::guarded([&]() -> Result<Tensor> {
    if (is_none()) return initializers::glorot_uniform()(shape);
    if (Status status = object_->status(); !status.ok()) return status;
    if (Status status = detail::check_shape(shape); !status.ok()) return status;
    return object_->make(shape);
  });
}

std::string Initializer::serialize() const {
  return status().ok() ? detail::serialized([&] { return to_json(*this); }) : std::string();
}

Json to_json(const Initializer &initializer) { return initializer.is_none() ? Json() : initializer.object()->json(); }

}  // namespace tconv
