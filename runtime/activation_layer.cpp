// The layers of activation_layer.h: keras.src.layers.activations, and the functions that they call.
#include "activation_layer.h"

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "axis_groups.h"
#include "layer_json.h"

namespace tconv::detail {
namespace {

using Object = ActivationObject;
using Layer = ClassObject<Object>;

constexpr std::array<std::string_view, 4> layer_names = {"ReLU", "LeakyReLU", "ELU", "Softmax"};

// LeakyReLU too, which is ReLU without the other two.
class Relu final : public Layer {
 public:
  Relu(Json json, float max_value, float negative_slope, float threshold)
      : Layer(std::move(json)), max_value_(max_value), negative_slope_(negative_slope), threshold_(threshold) {}
  Status apply(std::span<float> values, const Shape &) const override {
    for (float &x : values) {
      // Comparisons let NaN pass, as Keras' functions do; std::max would not.
      float positive = x <= threshold_ ? 0.0F : x;
      if (positive > max_value_) positive = max_value_;
      const float below = threshold_ - x;
      x = negative_slope_ == 0 || below < 0 ? positive : positive - negative_slope_ * below;
    }
    return {};
  }

 private:
  float max_value_, negative_slope_, threshold_;
};

class Elu final : public Layer {
 public:
  Elu(Json json, float alpha) : Layer(std::move(json)), alpha_(alpha) {}
  Status apply(std::span<float> values, const Shape &) const override {
    for (float &x : values) x = x > 0 ? x : alpha_ * std::expm1(x);
    return {};
  }

 private:
  float alpha_;
};

class Softmax final : public Layer {
 public:
  Softmax(Json json, Axes axes) : Layer(std::move(json)), axes_(std::move(axes)) {}
  Status apply(std::span<float> values, const Shape &shape) const override {
    const Result<AxisGroups> made = AxisGroups::make("activation Softmax", axes_, shape);
    if (!made.ok()) return made.status();
    const AxisGroups &groups = made.value();
    std::vector<float> largest(groups.count(), -std::numeric_limits<float>::infinity());
    std::vector<double> sum(groups.count(), 0.0);
    groups.for_each([&](std::size_t i, std::size_t group) { largest[group] = std::max(largest[group], values[i]); });
    groups.for_each([&](std::size_t i, std::size_t group) {
      values[i] = std::exp(values[i] - largest[group]);
      sum[group] += values[i];
    });
    groups.for_each([&](std::size_t i, std::size_t group) { values[i] = static_cast<float>(values[i] / sum[group]); });
    return {};
  }

 private:
  Axes axes_;
};

// As Keras 3.15 computes it, on all its backends: tau comes from the sum of the support's cumulative sums, where
// Martins and Astudillo ("From softmax to sparsemax", 2016, algorithm 1) have the last of them. A support of two and
// more therefore sums to less than 1; a model was trained with these numbers.
void sparsemax(std::span<float> row, std::vector<float> &sorted) {
  sorted.assign(row.begin(), row.end());
  const auto numbers = std::partition(sorted.begin(), sorted.end(), [](float x) { return !std::isnan(x); });
  std::sort(sorted.begin(), numbers, std::greater<>());
  double sum = 0, sums = 0, support = 0;
  for (std::size_t k = 0; k < sorted.size(); ++k) {
    sum += sorted[k];
    if (!(sorted[k] - (sum - 1) / static_cast<double>(k + 1) > 0)) continue;
    sums += sum;
    ++support;
  }
  const double tau = (sums - 1) / support;  // no support where all is infinite or NaN: -inf, as in Keras
  for (float &x : row) x = x - tau < 0 ? 0.0F : static_cast<float>(x - tau);
}

class Sparsemax final : public Object {
 public:
  Json json() const override { return "sparsemax"; }
  Status apply(std::span<float> values, const Shape &shape) const override {
    if (shape.empty()) return invalid_argument("activation sparsemax: shape () has no last axis");
    const auto length = static_cast<std::size_t>(shape.back());
    std::vector<float> sorted;
    for (std::size_t i = 0; i < values.size(); i += length) sparsemax(values.subspan(i, length), sorted);
    return {};
  }
};

double read_not_negative(const Fields &config, std::string_view name) {
  const double value = config.number(name, 0);
  if (value < 0) config.fail(fmt::format("{} must be zero or more, got {}", config.describe(name), value));
  return value;
}

// What Keras writes of a layer that has no parameters, with the names that it gives the first layer of a class.
Json default_config(std::string_view class_name) {
  const std::string_view name = class_name == "ReLU"        ? "re_lu"
                                : class_name == "LeakyReLU" ? "leaky_re_lu"
                                : class_name == "ELU"       ? "elu"
                                                            : "softmax";
  return Json::object({{"name", name},
                       {"trainable", true},
                       {"dtype", class_json("keras", "DTypePolicy", Json::object({{"name", "float32"}}))}});
}

// Keras' defaults, where null is not one.
Json default_parameters(std::string_view class_name) {
  if (class_name == "ReLU") return Json::object({{"max_value", nullptr}, {"negative_slope", 0.0}, {"threshold", 0.0}});
  if (class_name == "LeakyReLU") return Json::object({{"negative_slope", 0.3}});
  if (class_name == "ELU") return Json::object({{"alpha", 1.0}});
  return Json::object({{"axis", -1}});
}

// The config with the defaults of what is not in it, as Keras would write it: LeakyReLU's older name `alpha` is
// negative_slope, and a dtype is a policy.
Json complete_config(const Fields &input, std::string_view class_name, const Json &given) {
  Json config = default_config(class_name);
  const Json parameters = default_parameters(class_name);
  Names allowed = {"name", "trainable", "dtype"};
  for (const auto &item : parameters.items()) {
    allowed.push_back(item.key());
    if (item.key() != "max_value" && item.key() != "axis") input.refuse_null({item.key()});
  }
  const bool is_leaky = class_name == "LeakyReLU";
  if (is_leaky) allowed.push_back("alpha");
  input.allow_only(allowed);
  input.refuse_null({"trainable", "alpha"});
  input.text("name", "");
  input.boolean("trainable", true);
  check_dtype(input);
  config.update(parameters);
  for (const auto &item : given.items()) {
    const bool as_default =
        item.key() == "dtype" ? !item.value().is_object() : item.key() == "name" && item.value().is_null();
    if (!as_default) config[item.key()] = item.value();
  }
  if (is_leaky && input.has("alpha")) config["negative_slope"] = given["alpha"];
  if (is_leaky) config.erase("alpha");
  return config;
}

}  // namespace

std::span<const std::string_view> activation_layer_names() { return layer_names; }

Made<Object> make_activation_layer(std::string_view class_name, const Json &given) {
  using Pointer = std::shared_ptr<const Object>;
  Status error;
  const Fields input(&given, fmt::format("activation {}", class_name), error);
  const Json config = complete_config(input, class_name, given);
  const Fields fields = input.with(config);
  const auto parameter = [&](std::string_view name) { return static_cast<float>(read_not_negative(fields, name)); };
  Json json = class_json("keras.layers", class_name, config);
  Pointer layer;
  if (class_name == "ReLU") {
    const float max_value = fields.has("max_value") ? parameter("max_value") : std::numeric_limits<float>::infinity();
    layer = std::make_shared<Relu>(std::move(json), max_value, parameter("negative_slope"), parameter("threshold"));
  } else if (class_name == "LeakyReLU") {
    const float unlimited = std::numeric_limits<float>::infinity();
    layer = std::make_shared<Relu>(std::move(json), unlimited, parameter("negative_slope"), 0.0F);
  } else if (class_name == "ELU") {
    layer = std::make_shared<Elu>(std::move(json), static_cast<float>(fields.number("alpha", 1)));
  } else {
    Axes axes = read_axes(fields);
    if (axes && axes->empty()) fields.fail(fmt::format("{} must not be empty", fields.describe("axis")));
    layer = std::make_shared<Softmax>(std::move(json), std::move(axes));
  }
  if (!error.ok()) return error;
  return layer;
}

Made<Object> make_sparsemax() { return std::shared_ptr<const Object>(std::make_shared<Sparsemax>()); }

}  // namespace tconv::detail
