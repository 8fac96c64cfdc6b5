// Keras' regularizers: their formulas (keras.src.regularizers.regularizers), names and configs. Layers reach them
// through keras_objects.h, users through tconv/regularizers.h.
#include "tconv/regularizers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "keras_object_parts.h"
#include "keras_objects.h"
#include "layer_json.h"
#include "tensor_check.h"

namespace tconv {
namespace {

using detail::RegularizerObject;
using Made = detail::Made<RegularizerObject>;

constexpr std::string_view kind = "regularizer";

// keras.regularizers.get() has no other: l1_l2 is a name of the module only.
constexpr std::array<std::string_view, 8> names = {
    "L1", "l1", "L2", "l2", "L1L2", "l1l2", "OrthogonalRegularizer", "orthogonal_regularizer"};

class Invalid final : public detail::InvalidObject<RegularizerObject> {
 public:
  using InvalidObject::InvalidObject;
  Result<float> penalty(const Tensor &) const override { return status(); }
};

class User final : public detail::UserObject<RegularizerObject, Regularizer::Function> {
 public:
  using UserObject::UserObject;
  Result<float> penalty(const Tensor &tensor) const override {
    return detail::call_function(kind, name(), [&]() -> Result<float> { return function()(tensor); });
  }
};

using Builtin = detail::ClassObject<RegularizerObject>;

Json written(std::string_view class_name, Json config) {
  return class_json("keras.regularizers", class_name, std::move(config));
}

// L1, L2 and L1L2.
class Norms final : public Builtin {
 public:
  Norms(Json json, double l1, double l2) : Builtin(std::move(json)), l1_(l1), l2_(l2) {}
  Result<float> penalty(const Tensor &tensor) const override {
    double absolute = 0, square = 0;
    for (const float value : tensor.data) {
      absolute += std::abs(static_cast<double>(value));
      square += static_cast<double>(value) * value;
    }
    // A factor of 0 has no term: an infinite sum would make it NaN.
    return static_cast<float>((l1_ == 0 ? 0 : l1_ * absolute) + (l2_ == 0 ? 0 : l2_ * square));
  }

 private:
  double l1_, l2_;
};

class Orthogonal final : public Builtin {
 public:
  Orthogonal(Json json, double factor, bool rows) : Builtin(std::move(json)), factor_(factor), rows_(rows) {}
  Result<float> penalty(const Tensor &tensor) const override;

 private:
  double factor_;
  bool rows_;
};

Result<float> Orthogonal::penalty(const Tensor &tensor) const {
  if (tensor.shape.size() != 2) {
    return invalid_argument(fmt::format("regularizer OrthogonalRegularizer takes tensors of 2 dimensions, got shape {}",
                                        tuple(tensor.shape)));
  }
  // keras.ops.normalize() divides by the norm, but by no less than keras.config.epsilon().
  constexpr double epsilon = 1e-7;
  const auto height = static_cast<std::size_t>(tensor.shape[0]), width = static_cast<std::size_t>(tensor.shape[1]);
  const std::size_t vectors = rows_ ? height : width, length = rows_ ? width : height;
  const std::size_t step = rows_ ? width : 1, stride = rows_ ? 1 : width;  // between vectors, and inside of one
  std::vector<double> normalized(tensor.data.size());
  for (std::size_t v = 0; v < vectors; ++v) {
    double square = 0;
    for (std::size_t i = 0; i < length; ++i) {
      const double value = tensor.data[v * step + i * stride];
      square += value * value;
      normalized[v * length + i] = value;
    }
    const double norm = std::max(std::sqrt(square), epsilon);
    for (std::size_t i = 0; i < length; ++i) normalized[v * length + i] /= norm;
  }
  double sum = 0;  // Keras' sum has every pair twice, and a factor of a half
  for (std::size_t a = 0; a < vectors; ++a) {
    for (std::size_t b = a + 1; b < vectors; ++b) {
      double product = 0;
      for (std::size_t i = 0; i < length; ++i) product += normalized[a * length + i] * normalized[b * length + i];
      sum += std::abs(product);
    }
  }
  // A single vector has no pair: Keras' 0/0.
  const double pairs = static_cast<double>(vectors) * (static_cast<double>(vectors) - 1) / 2;
  if (pairs <= 0) return std::numeric_limits<float>::quiet_NaN();
  return static_cast<float>(factor_ * sum / pairs);
}

// Keras' validate_float_arg().
double read_factor(const Fields &config, std::string_view name, double fallback) {
  const double factor = config.number(name, fallback);
  if (std::isfinite(factor) && factor >= 0) return factor;
  config.fail(fmt::format("{} must be zero or more and finite, got {}", config.describe(name), factor));
  return fallback;
}

// In L1, L2 and L1L2 null stands for the default, as in Keras.
Made make_norms(const Fields &config, std::string_view class_name, const Status &error) {
  constexpr double only = 0.01, both = 0;  // Keras' defaults
  double l1 = 0, l2 = 0;
  Json values;
  if (class_name == "L1") {
    config.allow_only({"l1"});
    values["l1"] = l1 = read_factor(config, "l1", only);
  } else if (class_name == "L2") {
    config.allow_only({"l2"});
    values["l2"] = l2 = read_factor(config, "l2", only);
  } else {
    config.allow_only({"l1", "l2"});
    values["l1"] = l1 = read_factor(config, "l1", both);
    values["l2"] = l2 = read_factor(config, "l2", both);
  }
  if (!error.ok()) return error;
  return std::shared_ptr<const RegularizerObject>(std::make_shared<Norms>(written(class_name, values), l1, l2));
}

Made make_orthogonal(const Fields &config, const Status &error) {
  config.allow_only({"factor", "mode"});
  config.refuse_null({"factor", "mode"});
  const double factor = read_factor(config, "factor", 0.01);
  const std::string mode = config.text("mode", "rows");
  if (mode != "rows" && mode != "columns") {
    config.fail(fmt::format("{} must be 'rows' or 'columns', got {}", config.describe("mode"), quote(mode)));
  }
  if (!error.ok()) return error;
  Json json = written("OrthogonalRegularizer", Json::object({{"factor", factor}, {"mode", mode}}));
  return std::shared_ptr<const RegularizerObject>(
      std::make_shared<Orthogonal>(std::move(json), factor, mode == "rows"));
}

Made make_builtin(std::string_view name, const Json &given) {
  const bool orthogonal = name == "OrthogonalRegularizer" || name == "orthogonal_regularizer";
  const std::string_view norms = name == "l1" ? "L1" : name == "l2" ? "L2" : name == "l1l2" ? "L1L2" : name;
  Status error;
  const Fields config(&given, fmt::format("{} {}", kind, orthogonal ? "OrthogonalRegularizer" : norms), error);
  return orthogonal ? make_orthogonal(config, error) : make_norms(config, norms, error);
}

Made make(const Json &value, const CustomObjects &custom) {
  return detail::make_object<User, RegularizerObject>(kind, value, custom.regularizers, names, make_builtin);
}

template <typename Make>
std::shared_ptr<const RegularizerObject> made(Make make_object) noexcept {
  return detail::made_or_invalid<Invalid, RegularizerObject>(std::move(make_object));
}

}  // namespace

Regularizer::Regularizer(std::string_view identifier)
    : object_(made([&]() -> Made {
        if (identifier == "null") return std::shared_ptr<const RegularizerObject>();
        const Result<Json> json = identifier_json(identifier, kind);
        return json.ok() ? make(json.value(), {}) : Made(json.status());
      })) {}

Regularizer::Regularizer(std::string name, Function function)
    : object_(made([&]() -> Made {
        Json json = function_json(name);
        return detail::make_user<User, RegularizerObject>(kind, std::move(name), std::move(function), std::move(json));
      })) {}

Regularizer::Regularizer(std::shared_ptr<const RegularizerObject> object) : object_(std::move(object)) {}

bool Regularizer::is_none() const { return object_ == nullptr; }

Status Regularizer::status() const {
  return detail::guarded([&]() -> Status { return is_none() ? Status() : object_->status(); });
}

Result<float> Regularizer::operator()(const Tensor &tensor) const {
  return detail::guarded([&]() -> Result<float> {
    if (is_none()) return 0.0F;
    Status status = object_->status();
    if (status.ok()) status = check_elements_given("tensor", tensor.shape, tensor.data.size());
    if (!status.ok()) return status;
    return object_->penalty(tensor);
  });
}

std::string Regularizer::serialize() const {
  return status().ok() ? detail::serialized([&] { return to_json(*this); }) : std::string();
}

Result<Regularizer> read_regularizer(const Json &value, const CustomObjects &custom) {
  if (value.is_null()) return Regularizer();
  return detail::guarded([&]() -> Result<Regularizer> {
    Made made = make(value, custom);
    if (!made.ok()) return made.status();
    return Regularizer(std::move(made).value());
  });
}

Json to_json(const Regularizer &regularizer) { return regularizer.is_none() ? Json() : regularizer.object()->json(); }

namespace regularizers {

Regularizer l1(double l1) {
  return Regularizer(made([&] { return make_builtin("L1", Json::object({{"l1", l1}})); }));
}

Regularizer l2(double l2) {
  return Regularizer(made([&] { return make_builtin("L2", Json::object({{"l2", l2}})); }));
}

Regularizer l1_l2(double l1, double l2) {
  return Regularizer(made([&] { return make_builtin("L1L2", Json::object({{"l1", l1}, {"l2", l2}})); }));
}

Regularizer orthogonal_regularizer(double factor, std::string_view mode) {
  return Regularizer(made([&] {
    return make_builtin("OrthogonalRegularizer", Json::object({{"factor", factor}, {"mode", mode}}));
  }));
}

}  // namespace regularizers
}  // namespace tconv
