// Keras' VarianceScaling and the six initializers that are cases of it: keras.src.initializers.random_initializers.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "initializer_objects.h"
#include "message.h"

namespace tconv::initializers {
namespace {

// The standard deviation of a standard normal number that lies within [-2, 2], with Keras' digits.
constexpr double truncated_deviation = 0.87962566103423978;

using Choices = std::array<std::string_view, 3>;
constexpr Choices modes = {"fan_in", "fan_out", "fan_avg"};
constexpr Choices distributions = {"truncated_normal", "untruncated_normal", "uniform"};

Status check_choice(const char *argument, const std::string &value, const Choices &choices) {
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return {};
  return invalid_argument(fmt::format("VarianceScaling: {} must be '{}', '{}' or '{}', got {}{}", argument, choices[0],
                                      choices[1], choices[2], quote(value), did_you_mean(value, choices)));
}

Result<double> fan_of_axes(const std::vector<std::int64_t> &axes, const Shape &shape) {
  const auto rank = static_cast<std::int64_t>(shape.size());
  double fan = 1;
  for (const std::int64_t axis : axes) {
    if (axis < -rank || axis >= rank) {
      return invalid_argument(
          fmt::format("input_axes and output_axes must be axes of the shape {}, got {}", tuple(shape), axis));
    }
    fan *= static_cast<double>(shape[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)]);
  }
  return fan;
}

Result<std::pair<double, double>> fans(const VarianceScalingArguments &arguments, const Shape &shape) {
  if (!arguments.input_axes || !arguments.output_axes) return compute_fans(shape);
  const Result<double> fan_in = fan_of_axes(*arguments.input_axes, shape);
  if (!fan_in.ok()) return fan_in.status();
  const Result<double> fan_out = fan_of_axes(*arguments.output_axes, shape);
  if (!fan_out.ok()) return fan_out.status();
  return std::pair(fan_in.value(), fan_out.value());
}

// VarianceScaling.__call__
Status fill_scaled(const VarianceScalingArguments &arguments, RandomEngine &engine, const Shape &shape,
                   std::span<float> values) {
  const Result<std::pair<double, double>> both = fans(arguments, shape);
  if (!both.ok()) return both.status();
  const auto [fan_in, fan_out] = both.value();
  const double fan_avg = (fan_in + fan_out) / 2;
  const double fan = arguments.mode == "fan_in" ? fan_in : arguments.mode == "fan_out" ? fan_out : fan_avg;
  const double variance = arguments.scale / std::max(1.0, fan);
  if (arguments.distribution == "uniform") {
    const double limit = std::sqrt(3 * variance);
    fill_uniform(engine, -limit, limit, values);
  } else if (arguments.distribution == "untruncated_normal") {
    fill_normal(engine, 0, std::sqrt(variance), values);
  } else {
    fill_truncated_normal(engine, 0, std::sqrt(variance) / truncated_deviation, values);
  }
  return {};
}

Result<Initializer> scaling(std::string_view class_name, Json config, const VarianceScalingArguments &arguments) {
  config["input_axes"] = arguments.input_axes ? Json(*arguments.input_axes) : Json();
  config["output_axes"] = arguments.output_axes ? Json(*arguments.output_axes) : Json();
  return detail::random_initializer(class_name, std::move(config), arguments.seed,
                                    [arguments](RandomEngine &engine, const Shape &shape, std::span<float> values) {
                                      return fill_scaled(arguments, engine, shape, values);
                                    });
}

// One of the six; their configs have neither scale, mode nor distribution.
Initializer named_scaling(std::string_view class_name, double scale, const char *mode, const char *distribution,
                          const Seed &seed, const Axes &input_axes, const Axes &output_axes) {
  return detail::guarded_initializer([&] {
    return scaling(class_name, Json::object(), {scale, mode, distribution, seed, input_axes, output_axes});
  });
}

}  // namespace

Initializer variance_scaling(const VarianceScalingArguments &arguments) {
  return detail::guarded_initializer([&]() -> Result<Initializer> {
    VarianceScalingArguments own = arguments;
    own.distribution = lower_case(own.distribution);
    if (own.distribution == "normal") own.distribution = "truncated_normal";
    if (own.scale <= 0) {
      return invalid_argument(fmt::format("VarianceScaling: scale must be positive, got {}", own.scale));
    }
    if (Status status = check_choice("mode", own.mode, modes); !status.ok()) return status;
    if (Status status = check_choice("distribution", own.distribution, distributions); !status.ok()) return status;
    Json config = {{"scale", own.scale}, {"mode", own.mode}, {"distribution", own.distribution}};
    return scaling("VarianceScaling", std::move(config), own);
  });
}

Initializer glorot_uniform(Seed seed, const Axes &input_axes, const Axes &output_axes) {
  return named_scaling("GlorotUniform", 1, "fan_avg", "uniform", seed, input_axes, output_axes);
}

Initializer glorot_normal(Seed seed, const Axes &input_axes, const Axes &output_axes) {
  return named_scaling("GlorotNormal", 1, "fan_avg", "truncated_normal", seed, input_axes, output_axes);
}

Initializer he_uniform(Seed seed, const Axes &input_axes, const Axes &output_axes) {
  return named_scaling("HeUniform", 2, "fan_in", "uniform", seed, input_axes, output_axes);
}

Initializer he_normal(Seed seed, const Axes &input_axes, const Axes &output_axes) {
  return named_scaling("HeNormal", 2, "fan_in", "truncated_normal", seed, input_axes, output_axes);
}

Initializer lecun_uniform(Seed seed, const Axes &input_axes, const Axes &output_axes) {
  return named_scaling("LecunUniform", 1, "fan_in", "uniform", seed, input_axes, output_axes);
}

Initializer lecun_normal(Seed seed, const Axes &input_axes, const Axes &output_axes) {
  return named_scaling("LecunNormal", 1, "fan_in", "truncated_normal", seed, input_axes, output_axes);
}

std::pair<double, double> compute_fans(const Shape &shape) {
  if (shape.empty()) return {1, 1};
  if (shape.size() == 1) return {static_cast<double>(shape[0]), static_cast<double>(shape[0])};
  double taps = 1;
  for (std::size_t i = 0; i + 2 < shape.size(); ++i) taps *= static_cast<double>(shape[i]);
  return {taps * static_cast<double>(shape[shape.size() - 2]), taps * static_cast<double>(shape.back())};
}

}  // namespace tconv::initializers
