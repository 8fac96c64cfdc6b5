// Keras' constraints: their formulas (keras.src.constraints.constraints), names and configs. Layers reach them through
// keras_objects.h, users through tconv/constraints.h.
#include "tconv/constraints.h"

#include <array>
#include <cmath>

#include "axis_groups.h"
#include "keras_object_parts.h"
#include "keras_objects.h"
#include "tensor_check.h"

namespace tconv {
namespace {

using detail::ConstraintObject;
using Made = detail::Made<ConstraintObject>;

constexpr std::string_view kind = "constraint";

// Constraint is Keras' base class, which changes nothing.
constexpr std::array<std::string_view, 10> names = {"MaxNorm",    "max_norm",  "MinMaxNorm", "min_max_norm",
                                                    "UnitNorm",   "unit_norm", "NonNeg",     "non_neg",
                                                    "Constraint", "constraint"};

class Invalid final : public detail::InvalidObject<ConstraintObject> {
 public:
  using InvalidObject::InvalidObject;
  Result<Tensor> project(const Tensor &) const override { return status(); }
};

class User final : public detail::UserObject<ConstraintObject, Constraint::Function> {
 public:
  using UserObject::UserObject;
  Result<Tensor> project(const Tensor &value) const override {
    Result<Tensor> projected =
        detail::call_function(kind, name(), [&]() -> Result<Tensor> { return function()(value); });
    if (!projected.ok()) return projected;
    const Tensor &tensor = projected.value();
    if (tensor.shape != value.shape) {
      return invalid_argument(fmt::format("constraint {} returned a tensor of shape {} for one of shape {}",
                                          quote(name()), open_tuple(tensor.shape), tuple(value.shape)));
    }
    if (tensor.data.size() == value.data.size()) return projected;
    return invalid_argument(fmt::format("constraint {} returned {} elements for a tensor of shape {}", quote(name()),
                                        tensor.data.size(), tuple(value.shape)));
  }
};

using Builtin = detail::ClassObject<ConstraintObject>;

class Identity final : public Builtin {
 public:
  using Builtin::Builtin;
  Result<Tensor> project(const Tensor &value) const override { return value; }
};

class NonNegative final : public Builtin {
 public:
  using Builtin::Builtin;
  Result<Tensor> project(const Tensor &value) const override {
    Tensor projected = value;
    for (float &x : projected.data) x = x < 0 ? 0 : x;  // not std::max: NaN stays, as in Keras
    return projected;
  }
};

// Every vector along `axis` gets the norm that `desired` makes of its own, but for epsilon.
class Norm final : public Builtin {
 public:
  using Desired = std::function<double(double norm)>;
  Norm(Json json, std::string class_name, detail::Axes axes, Desired desired)
      : Builtin(std::move(json)),
        class_name_(std::move(class_name)),
        axes_(std::move(axes)),
        desired_(std::move(desired)) {}
  Result<Tensor> project(const Tensor &value) const override;

 private:
  std::string class_name_;
  detail::Axes axes_;
  Desired desired_;
};

Result<Tensor> Norm::project(const Tensor &value) const {
  constexpr double epsilon = 1e-7;  // keras.config.epsilon()
  const Result<detail::AxisGroups> made =
      detail::AxisGroups::make(fmt::format("{} {}", kind, class_name_), axes_, value.shape);
  if (!made.ok()) return made.status();
  const detail::AxisGroups &vectors = made.value();
  std::vector<double> scale(vectors.count(), 0.0);
  vectors.for_each([&](std::size_t i, std::size_t vector) {
    const double x = value.data[i];
    scale[vector] += x * x;
  });
  for (double &square : scale) {
    const double norm = std::sqrt(square);
    square = desired_(norm) / (epsilon + norm);
  }
  Tensor projected = value;
  vectors.for_each([&](std::size_t i, std::size_t vector) {
    projected.data[i] = static_cast<float>(value.data[i] * scale[vector]);
  });
  return projected;
}

// numpy.clip(): where the bounds cross, the upper one wins; NaN stays.
double clip(double value, double low, double high) {
  const double raised = value < low ? low : value;
  return raised > high ? high : raised;
}

double read_finite(const Fields &config, std::string_view name) {
  const double value = config.number(name, 0);
  if (!std::isfinite(value)) config.fail(fmt::format("{} must be finite, got {}", config.describe(name), value));
  return value;
}

// Numbers are written as they came, integers without a point, as Keras does.
Made make_norm(const std::string &class_name, Json defaults, const Json &given) {
  Status error;
  const Fields input(&given, fmt::format("{} {}", kind, class_name), error);
  Names parameters;
  for (const auto &item : defaults.items()) parameters.push_back(item.key());
  input.allow_only(parameters);
  for (const std::string_view name : parameters) {
    if (name != "axis") input.refuse_null({name});  // there it means all axes
  }
  if (!error.ok()) return error;
  for (const auto &item : given.items()) defaults[item.key()] = item.value();
  const Fields config = input.with(defaults);
  detail::Axes axes = detail::read_axes(config);
  Norm::Desired desired = [](double) { return 1.0; };
  if (class_name == "MaxNorm") {
    desired = [high = read_finite(config, "max_value")](double norm) { return clip(norm, 0, high); };
  } else if (class_name == "MinMaxNorm") {
    desired = [low = read_finite(config, "min_value"), high = read_finite(config, "max_value"),
               rate = read_finite(config, "rate")](double norm) {
      return rate * clip(norm, low, high) + (1 - rate) * norm;
    };
  }
  if (!error.ok()) return error;
  Json json = class_json("keras.constraints", class_name, defaults);
  return std::shared_ptr<const ConstraintObject>(
      std::make_shared<Norm>(std::move(json), class_name, std::move(axes), std::move(desired)));
}

template <typename Object>
Made make_plain(const std::string &class_name, const Json &given) {
  Status error;
  Fields(&given, fmt::format("{} {}", kind, class_name), error).allow_only({});
  if (!error.ok()) return error;
  return std::shared_ptr<const ConstraintObject>(
      std::make_shared<Object>(class_json("keras.constraints", class_name, Json::object())));
}

Made make_builtin(std::string_view name, const Json &given) {
  if (name == "MaxNorm" || name == "max_norm") {
    return make_norm("MaxNorm", Json::object({{"max_value", 2}, {"axis", 0}}), given);
  }
  if (name == "MinMaxNorm" || name == "min_max_norm") {
    return make_norm("MinMaxNorm", Json::object({{"min_value", 0.0}, {"max_value", 1.0}, {"rate", 1.0}, {"axis", 0}}),
                     given);
  }
  if (name == "UnitNorm" || name == "unit_norm") return make_norm("UnitNorm", Json::object({{"axis", 0}}), given);
  if (name == "NonNeg" || name == "non_neg") return make_plain<NonNegative>("NonNeg", given);
  return make_plain<Identity>("Constraint", given);
}

Made make(const Json &value, const CustomObjects &custom) {
  return detail::make_object<User, ConstraintObject>(kind, value, custom.constraints, names, make_builtin);
}

template <typename Make>
std::shared_ptr<const ConstraintObject> made(Make make_object) noexcept {
  return detail::made_or_invalid<Invalid, ConstraintObject>(std::move(make_object));
}

// As Keras writes what most users give: an integer for one axis.
Json axis_json(const constraints::Axes &axis) { return axis.size() == 1 ? Json(axis[0]) : Json(axis); }

}  // namespace

Constraint::Constraint(std::string_view identifier)
    : object_(made([&]() -> Made {
        if (identifier == "null") return std::shared_ptr<const ConstraintObject>();
        const Result<Json> json = identifier_json(identifier, kind);
        return json.ok() ? make(json.value(), {}) : Made(json.status());
      })) {}

Constraint::Constraint(std::string name, Function function)
    : object_(made([&]() -> Made {
        Json json = function_json(name);
        return detail::make_user<User, ConstraintObject>(kind, std::move(name), std::move(function), std::move(json));
      })) {}

Constraint::Constraint(std::shared_ptr<const ConstraintObject> object) : object_(std::move(object)) {}

bool Constraint::is_none() const { return object_ == nullptr; }

Status Constraint::status() const {
  return detail::guarded([&]() -> Status { return is_none() ? Status() : object_->status(); });
}

Result<Tensor> Constraint::operator()(const Tensor &value) const {
  return detail::guarded([&]() -> Result<Tensor> {
    if (is_none()) return value;
    Status status = object_->status();
    if (status.ok()) status = check_elements_given("tensor", value.shape, value.data.size());
    if (!status.ok()) return status;
    return object_->project(value);
  });
}

std::string Constraint::serialize() const {
  return status().ok() ? detail::serialized([&] { return to_json(*this); }) : std::string();
}

Result<Constraint> read_constraint(const Json &value, const CustomObjects &custom) {
  if (value.is_null()) return Constraint();
  return detail::guarded([&]() -> Result<Constraint> {
    Made made = make(value, custom);
    if (!made.ok()) return made.status();
    return Constraint(std::move(made).value());
  });
}

Json to_json(const Constraint &constraint) { return constraint.is_none() ? Json() : constraint.object()->json(); }

namespace constraints {

Constraint max_norm(const MaxNormArguments &arguments) {
  return Constraint(made([&] {
    return make_builtin("MaxNorm",
                        Json::object({{"max_value", arguments.max_value}, {"axis", axis_json(arguments.axis)}}));
  }));
}

Constraint min_max_norm(const MinMaxNormArguments &arguments) {
  return Constraint(made([&] {
    return make_builtin("MinMaxNorm", Json::object({{"min_value", arguments.min_value},
                                                    {"max_value", arguments.max_value},
                                                    {"rate", arguments.rate},
                                                    {"axis", axis_json(arguments.axis)}}));
  }));
}

Constraint unit_norm(const Axes &axis) {
  return Constraint(made([&] { return make_builtin("UnitNorm", Json::object({{"axis", axis_json(axis)}})); }));
}

Constraint non_neg() {
  return Constraint(made([&] { return make_builtin("NonNeg", Json::object()); }));
}

}  // namespace constraints
}  // namespace tconv
