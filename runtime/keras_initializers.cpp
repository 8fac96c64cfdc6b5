// Keras' initializers but for those that scale with the fans: the formulas of keras.src.initializers, and the configs
// that its get_config() writes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "elements.h"
#include "initializer_objects.h"
#include "keras_identifier.h"
#include "message.h"

namespace tconv {
namespace detail {
namespace {

class KerasInitializer : public InitializerObject {
 public:
  KerasInitializer(std::string_view class_name, Json config, Fill fill)
      : class_name_(class_name), config_(std::move(config)), fill_(std::move(fill)) {}

  Json json() const override { return class_json("keras.initializers", class_name_, config_); }

  Result<Tensor> make(const Shape &shape) const override {
    Tensor tensor{shape, std::vector<float>(static_cast<std::size_t>(count_elements(shape).value_or(0)))};
    if (Status status = fill_(shape, tensor.data); !status.ok()) return status;
    return tensor;
  }

 private:
  std::string_view class_name_;
  Json config_;
  Fill fill_;
};

Initializer constant_initializer(std::string_view class_name, Json config, double value) {
  return guarded_initializer([&] {
    return keras_initializer(class_name, std::move(config), [value](const Shape &, std::span<float> values) -> Status {
      std::fill(values.begin(), values.end(), static_cast<float>(value));
      return {};
    });
  });
}

}  // namespace

Result<Initializer> keras_initializer(std::string_view class_name, Json config, Fill fill) {
  for (const auto &[name, value] : config.items()) {
    if (!value.is_number_float()) continue;
    const double number = value.get<double>();
    if (std::abs(number) <= static_cast<double>(std::numeric_limits<float>::max())) continue;
    return invalid_argument(fmt::format("{}: {} must be a finite float32, got {}", class_name, name, number));
  }
  return Initializer(std::make_shared<KerasInitializer>(class_name, std::move(config), std::move(fill)));
}

Result<Initializer> random_initializer(std::string_view class_name, Json config, const initializers::Seed &seed,
                                       RandomFill fill) {
  config["seed"] = seed ? Json(*seed) : Json();
  return keras_initializer(class_name, std::move(config),
                           [seed, fill = std::move(fill)](const Shape &shape, std::span<float> values) {
                             RandomEngine engine = random_engine(seed);
                             return fill(engine, shape, values);
                           });
}

}  // namespace detail

namespace initializers {
namespace {

using detail::guarded_initializer;
using detail::keras_initializer;
using detail::random_initializer;

// Where there are no columns, there is nothing to fill.
std::size_t columns_of(const Shape &shape) { return static_cast<std::size_t>(shape.back()); }

Initializer normal_initializer(std::string_view class_name, decltype(fill_normal) *fill,
                               const RandomNormalArguments &arguments) {
  return guarded_initializer([&, fill, mean = arguments.mean, stddev = arguments.stddev] {
    return random_initializer(class_name, {{"mean", mean}, {"stddev", stddev}}, arguments.seed,
                              [=](RandomEngine &engine, const Shape &, std::span<float> values) -> Status {
                                fill(engine, mean, stddev, values);
                                return {};
                              });
  });
}

}  // namespace

Initializer zeros() { return detail::constant_initializer("Zeros", Json::object(), 0); }

Initializer ones() { return detail::constant_initializer("Ones", Json::object(), 1); }

Initializer constant(double value) {
  return detail::constant_initializer("Constant", Json::object({{"value", value}}), value);
}

Initializer identity(double gain) {
  return guarded_initializer([&] {
    // Keras' get_config() forgets the gain, its from_config() takes it.
    Json config = gain == 1 ? Json::object() : Json::object({{"gain", gain}});
    return keras_initializer(
        "Identity", std::move(config), [gain](const Shape &shape, std::span<float> values) -> Status {
          if (shape.size() != 2) {
            return invalid_argument(
                fmt::format("Identity needs a shape of 2 dimensions, got {} of {}", tuple(shape), shape.size()));
          }
          const auto diagonal = static_cast<std::size_t>(std::min(shape[0], shape[1]));
          for (std::size_t i = 0; i < diagonal; ++i) values[i * columns_of(shape) + i] = static_cast<float>(gain);
          return {};
        });
  });
}

Initializer random_normal(const RandomNormalArguments &arguments) {
  return normal_initializer("RandomNormal", fill_normal, arguments);
}

Initializer truncated_normal(const RandomNormalArguments &arguments) {
  return normal_initializer("TruncatedNormal", fill_truncated_normal, arguments);
}

Initializer random_uniform(const RandomUniformArguments &arguments) {
  return guarded_initializer([&, minval = arguments.minval, maxval = arguments.maxval]() -> Result<Initializer> {
    // Keras lets its backends make of it what they will; on JAX, all values are minval.
    if (minval > maxval) {
      return invalid_argument(fmt::format("RandomUniform: minval {} is above maxval {}", minval, maxval));
    }
    return random_initializer("RandomUniform", {{"minval", minval}, {"maxval", maxval}}, arguments.seed,
                              [=](RandomEngine &engine, const Shape &, std::span<float> values) -> Status {
                                fill_uniform(engine, minval, maxval, values);
                                return {};
                              });
  });
}

Initializer orthogonal(double gain, Seed seed) {
  return guarded_initializer([&] {
    return random_initializer(
        "Orthogonal", {{"gain", gain}}, seed,
        [gain](RandomEngine &engine, const Shape &shape, std::span<float> values) -> Status {
          if (shape.size() < 2) {
            return invalid_argument(fmt::format("Orthogonal needs a shape of 2 or more dimensions, got {} of {}",
                                                tuple(shape), shape.size()));
          }
          if (!values.empty()) fill_orthogonal(engine, gain, columns_of(shape), values);
          return {};
        });
  });
}

}  // namespace initializers
}  // namespace tconv
