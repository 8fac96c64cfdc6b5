// What stands behind Initializer, Regularizer, Constraint and ActivationFunction, and how a layer's JSON spells them:
// a name, {"module", "class_name", "config", "registered_name"} for one of Keras' classes, or
// {"module": "builtins", "class_name": "function", "config": NAME, "registered_name": "function"} for a function of the
// user's. Private to runtime/.
#ifndef TCONV_RUNTIME_KERAS_OBJECTS_H
#define TCONV_RUNTIME_KERAS_OBJECTS_H

#include <nlohmann/json.hpp>
#include <span>

#include "tconv/custom_objects.h"

namespace tconv {

using Json = nlohmann::json;

namespace detail {

// Constant after construction. An object that a constructor could not understand has a status that is not ok, which
// all else returns.
class KerasObject {
 public:
  virtual ~KerasObject() = default;
  virtual Status status() const { return {}; }
  virtual Json json() const = 0;
};

class InitializerObject : public KerasObject {
 public:
  virtual Result<Tensor> make(const Shape &shape) const = 0;
};

class RegularizerObject : public KerasObject {
 public:
  virtual Result<float> penalty(const Tensor &tensor) const = 0;
};

class ConstraintObject : public KerasObject {
 public:
  virtual Result<Tensor> project(const Tensor &value) const = 0;
};

class ActivationObject : public KerasObject {
 public:
  virtual Status apply(std::span<float> values, const Shape &shape) const = 0;
};

}  // namespace detail

// A field of a layer's config; null gives None, or linear. A function's name is looked up in `custom`. The messages
// name the identifier as the user wrote it, and the nearest name that Keras has.
Result<Initializer> read_initializer(const Json &value, const CustomObjects &custom);
Result<Regularizer> read_regularizer(const Json &value, const CustomObjects &custom);
Result<Constraint> read_constraint(const Json &value, const CustomObjects &custom);
Result<ActivationFunction> read_activation_function(const Json &value, const CustomObjects &custom);

// The same, written; the object's status is ok.
Json to_json(const Initializer &initializer);
Json to_json(const Regularizer &regularizer);
Json to_json(const Constraint &constraint);
Json to_json(const ActivationFunction &activation);

}  // namespace tconv

#endif
