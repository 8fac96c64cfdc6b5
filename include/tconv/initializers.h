// Keras' initializers: what fills a new variable.
//
//   .kernel_initializer = "he_normal"                                    a name, with Keras' defaults
//   .kernel_initializer = R"({"class_name": "Constant", "config": {"value": 1}})"    a config, as serialize() writes it
//   .kernel_initializer = initializers::variance_scaling({.scale = 2, .mode = "fan_in", .seed = 7})
//   .kernel_initializer = {"my_init", [](const Shape &shape) { ... }}    a function of the user's, under a name
//
// Seeds: with one, every call draws the same numbers for the same shape, on every machine, but for the last bits of the
// C library's log, sin and cos. Without one, every call draws others, from std::random_device; Keras draws such a seed
// once an initializer. The numbers are not Keras' own, their distribution is.
// Numbers in arguments have to be finite and within float32; JSON has no others.
// Fans are those that Keras computes for a kernel (spatial..., filters, channels / groups) of a transposed convolution:
// fan_in = taps * filters, fan_out = taps * channels / groups; of (n,), both are n. (keras.src.initializers.
// random_initializers.compute_fans)
// Keras' STFT is refused with StatusCode::unsupported, so is a SeedGenerator as a config's seed.
// Value types; copies share what is constant. Threads: any use at once; a user's function has to allow it too.
#ifndef TCONV_INITIALIZERS_H
#define TCONV_INITIALIZERS_H

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tconv/status.h"
#include "tconv/tensor.h"

namespace tconv {

namespace detail {
class InitializerObject;
}

class Initializer {
 public:
  // Returns a tensor of that shape; may throw, which the caller gets as a Status with the exception's what().
  using Function = std::function<Tensor(const Shape &shape)>;

  Initializer() noexcept {}                // Keras' None: a variable then gets glorot_uniform
  Initializer(std::nullptr_t) noexcept {}  // the same
  // Keras' name or the JSON object that serialize() writes; status() says what is wrong with it.
  Initializer(const char *identifier) : Initializer(std::string_view(identifier == nullptr ? "null" : identifier)) {}
  Initializer(const std::string &identifier) : Initializer(std::string_view(identifier)) {}
  Initializer(std::string_view identifier);
  Initializer(std::string name, Function function);

  bool is_none() const;
  Status status() const;

  // Errors: the constructor's; a shape with open or negative sizes, or one that the initializer does not serve; a
  // function's exception, or its tensor of another shape. None draws glorot_uniform() without a seed.
  Result<Tensor> operator()(const Shape &shape) const;

  // As keras.initializers.serialize() writes it, "null" for None; "" with an error in status().
  std::string serialize() const;

  explicit Initializer(std::shared_ptr<const detail::InitializerObject> object);
  const detail::InitializerObject *object() const { return object_.get(); }

 private:
  std::shared_ptr<const detail::InitializerObject> object_;  // null: None
};

namespace initializers {

using Seed = std::optional<std::uint64_t>;
// Axes of the shape whose product is a fan; negative ones count from the end. Keras heeds them where both are given.
using Axes = std::optional<std::vector<std::int64_t>>;

struct RandomNormalArguments {
  double mean = 0, stddev = 0.05;
  Seed seed = {};
};
struct RandomUniformArguments {
  double minval = -0.05, maxval = 0.05;  // the numbers are in [minval, maxval); all minval where the two are equal
  Seed seed = {};
};
struct VarianceScalingArguments {
  double scale = 1;
  std::string mode = "fan_in";                    // or "fan_out", "fan_avg"
  std::string distribution = "truncated_normal";  // or "untruncated_normal", "uniform"; "normal" is the first
  Seed seed = {};
  Axes input_axes = {}, output_axes = {};
};

Initializer zeros();
Initializer ones();
Initializer constant(double value = 0);
// Of two-dimensional shapes only. Unlike Keras, the config keeps a gain that is not 1.
Initializer identity(double gain = 1);
Initializer random_normal(const RandomNormalArguments & = {});
Initializer random_uniform(const RandomUniformArguments & = {});
Initializer truncated_normal(const RandomNormalArguments & = {});  // within two deviations of the mean
Initializer variance_scaling(const VarianceScalingArguments & = {});
Initializer glorot_uniform(Seed seed = {}, const Axes &input_axes = {}, const Axes &output_axes = {});
Initializer glorot_normal(Seed seed = {}, const Axes &input_axes = {}, const Axes &output_axes = {});
Initializer he_uniform(Seed seed = {}, const Axes &input_axes = {}, const Axes &output_axes = {});
Initializer he_normal(Seed seed = {}, const Axes &input_axes = {}, const Axes &output_axes = {});
Initializer lecun_uniform(Seed seed = {}, const Axes &input_axes = {}, const Axes &output_axes = {});
Initializer lecun_normal(Seed seed = {}, const Axes &input_axes = {}, const Axes &output_axes = {});
// Orthonormal columns, or rows where they are fewer, of the matrix (all other axes, last axis), times the gain.
Initializer orthogonal(double gain = 1, Seed seed = {});

// (fan_in, fan_out) of a kernel of this shape, whose sizes are known.
std::pair<double, double> compute_fans(const Shape &shape);

}  // namespace initializers
}  // namespace tconv

#endif
