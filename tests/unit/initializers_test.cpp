// Initializers against Keras: the fans, what is asked of each distribution, the values that are not random, the names
// and the configs, all from tests/golden/from_keras_initializers.py; and what tconv refuses, in its words.
#include "tconv/initializers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace tconv {
namespace {

using Json = nlohmann::json;

std::vector<Json> golden(const std::string &kind) {
  static const Json all = Json::parse(std::ifstream(TCONV_GOLDEN_DIRECTORY "/keras_initializers.json"));
  std::vector<Json> cases;
  for (const Json &one : all) {
    if (one["kind"] == kind) cases.push_back(one);
  }
  EXPECT_GE(cases.size(), 10u) << kind;
  return cases;
}

Tensor make(const Initializer &initializer, const Shape &shape) {
  const Result<Tensor> tensor = initializer(shape);
  EXPECT_TRUE(tensor.ok()) << tensor.status().message();
  return tensor.ok() ? tensor.value() : Tensor();
}

Initializer parse(const Json &given) { return given.is_string() ? given.get<std::string>() : given.dump(); }

std::string refusal(const Initializer &initializer, StatusCode code = StatusCode::invalid_argument) {
  EXPECT_EQ(initializer.status().code(), code) << initializer.status().message();
  EXPECT_EQ(initializer({2, 2}).status().message(), initializer.status().message());
  EXPECT_EQ(initializer.serialize(), "");
  EXPECT_FALSE(initializer.is_none());
  return initializer.status().message();
}

std::string refusal_of(const Initializer &initializer, const Shape &shape,
                       StatusCode code = StatusCode::invalid_argument) {
  const Status status = initializer(shape).status();
  EXPECT_EQ(status.code(), code) << status.message();
  return status.message();
}

// Equal but for the last digits of numbers.
void expect_same(const Json &ours, const Json &keras) {
  const Json difference = Json::diff(ours, keras);
  for (const Json &change : difference) {
    const Json::json_pointer path(change["path"].get<std::string>());
    const bool numbers = change["op"] == "replace" && ours[path].is_number() && keras[path].is_number();
    ASSERT_TRUE(numbers) << ours << " is not " << keras;
    EXPECT_NEAR(ours[path].get<double>(), keras[path].get<double>(), 1e-7) << ours;
  }
}

TEST(Initializers, FansAreKeras) {
  for (const Json &one : golden("fans")) {
    if (one["with_axes"]) continue;
    const std::pair<double, double> fans = initializers::compute_fans(one["shape"].get<Shape>());
    EXPECT_EQ(fans.first, one["fans"][0]) << one["shape"];
    EXPECT_EQ(fans.second, one["fans"][1]) << one["shape"];
  }
}

// With one seed, a scaling initializer draws what the distribution of limit or deviation 1 draws, times Keras' limit or
// deviation. Drawn with the seed as a part of the config, so that the config's other fields are read too.
TEST(Initializers, LimitsAndDeviationsAreKeras) {
  const Initializer uniform = initializers::random_uniform({.minval = -1, .maxval = 1, .seed = 5});
  const Initializer normal = initializers::random_normal({.stddev = 1, .seed = 5});
  const Initializer truncated = initializers::truncated_normal({.stddev = 1, .seed = 5});
  for (const Json &one : golden("fans")) {
    const Shape shape = one["shape"];
    for (const Json &asked : one["initializers"]) {
      Json given = asked["given"];
      given["config"]["seed"] = 5;
      const std::string distribution = asked["distribution"];
      const double scale = asked.contains("limit") ? asked["limit"] : asked["stddev"];
      const Tensor unit = make(distribution == "uniform"            ? uniform
                               : distribution == "truncated_normal" ? truncated
                                                                    : normal,
                               shape);
      const Tensor scaled = make(parse(given), shape);
      ASSERT_EQ(scaled.shape, shape);
      ASSERT_EQ(scaled.data.size(), unit.data.size());
      for (std::size_t i = 0; i < unit.data.size(); ++i) {
        ASSERT_NEAR(static_cast<double>(scaled.data[i]), scale * static_cast<double>(unit.data[i]), 1e-6 * scale)
            << given << " " << one["shape"];
      }
    }
  }
}

TEST(Initializers, ValuesAreKeras) {
  for (const Json &one : golden("values")) {
    const Tensor tensor = make(parse(one["given"]), one["shape"]);
    EXPECT_EQ(tensor.shape, one["shape"].get<Shape>()) << one["given"];
    EXPECT_EQ(tensor.data, one["values"].get<std::vector<float>>()) << one["given"];
  }
}

TEST(Initializers, NamesAndConfigsAreWrittenAsKerasWritesThem) {
  for (const char *kind : {"name", "config"}) {
    for (const Json &one : golden(kind)) {
      const Initializer initializer = parse(one["given"]);
      EXPECT_TRUE(initializer.status().ok()) << initializer.status().message();
      const std::string text = initializer.serialize();
      if (text.empty()) continue;
      expect_same(Json::parse(text), one["serialized"]);
      EXPECT_EQ(Initializer(text).serialize(), text);
    }
  }
}

TEST(Initializers, WhatKerasRefusesIsRefused) {
  for (const Json &one : golden("refused")) EXPECT_NE(refusal(parse(one["given"])), "") << one["given"];
}

TEST(Initializers, FunctionsWriteTheirConfigs) {
  EXPECT_EQ(initializers::identity(0.5).serialize(), Initializer(initializers::identity(0.5).serialize()).serialize());
  EXPECT_EQ(Json::parse(initializers::identity(0.5).serialize())["config"], Json({{"gain", 0.5}}));
  const std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
  const Initializer seeded(initializers::he_normal(largest, {{0, 2}}, {{1}}).serialize());
  EXPECT_EQ(Json::parse(seeded.serialize())["config"],
            Json({{"seed", largest}, {"input_axes", {0, 2}}, {"output_axes", {1}}}));
  EXPECT_EQ(make(seeded, {3, 4, 5}).data, make(initializers::he_normal(largest, {{0, 2}}, {{1}}), {3, 4, 5}).data);
}

TEST(Initializers, NoneIsGlorotUniform) {
  for (const Initializer &none : {Initializer(), Initializer("null"), Initializer(Initializer().serialize())}) {
    EXPECT_TRUE(none.is_none());
    EXPECT_TRUE(none.status().ok());
    EXPECT_EQ(none.serialize(), "null");
    const Tensor tensor = make(none, {20, 10, 20});  // fans 200 and 400: the limit is 0.1
    float largest = 0;
    for (const float value : tensor.data) largest = std::max(largest, std::abs(value));
    EXPECT_GT(largest, 0.099f);
    EXPECT_LE(largest, 0.1f);
  }
}

TEST(Initializers, RefusalsNameTheValue) {
  using namespace initializers;
  EXPECT_EQ(refusal(variance_scaling({.scale = -2})), "VarianceScaling: scale must be positive, got -2");
  EXPECT_EQ(refusal(variance_scaling({.mode = "fan_inn"})),
            "VarianceScaling: mode must be 'fan_in', 'fan_out' or 'fan_avg', got 'fan_inn': did you mean 'fan_in'?");
  EXPECT_EQ(refusal(variance_scaling({.distribution = "gamma"})),
            "VarianceScaling: distribution must be 'truncated_normal', 'untruncated_normal' or 'uniform', got 'gamma'");
  EXPECT_EQ(refusal(random_uniform({.minval = 1, .maxval = 0.5})), "RandomUniform: minval 1 is above maxval 0.5");
  EXPECT_EQ(refusal(constant(std::nan(""))), "Constant: value must be a finite float32, got nan");
  EXPECT_EQ(refusal(random_normal({.stddev = 1e39})), "RandomNormal: stddev must be a finite float32, got 1e+39");
  EXPECT_EQ(refusal(R"({"class_name": "HeNormal", "config": {"sed": 1}})"),
            "unknown field 'sed' in config of 'HeNormal': did you mean 'seed'?");
  EXPECT_EQ(refusal("constant"), "field 'value' in config of 'constant' is missing");
  EXPECT_EQ(refusal(R"({"class_name": "HeNormal", "config": {"seed": -1}})"),
            "'seed' in config of 'HeNormal' must be null or an integer from 0 to 2^64-1, got '-1'");
  EXPECT_EQ(refusal(R"({"class_name": "HeNormal", "config": {"seed": {"class_name": "SeedGenerator"}}})",
                    StatusCode::unsupported),
            "'seed' in config of 'HeNormal' is an object, such as a SeedGenerator: tconv takes an integer or null");
  EXPECT_EQ(refusal("stft", StatusCode::unsupported),
            "initializer 'STFT' is not supported: it makes kernels of STFTSpectrogram");
}

TEST(Initializers, ShapesAreChecked) {
  using namespace initializers;
  EXPECT_EQ(refusal_of(zeros(), {3, unknown}), "an initializer's shape must have sizes from 0 on, got (3, None)");
  EXPECT_EQ(refusal_of(Initializer(), {-2}), "an initializer's shape must have sizes from 0 on, got (-2,)");
  EXPECT_EQ(refusal_of(zeros(), {1 << 20, 1 << 20}, StatusCode::unsupported),
            "the shape (1048576, 1048576) is too large: tconv addresses at most 2^31-1 elements per array");
  EXPECT_EQ(refusal_of(identity(), {2, 2, 2}), "Identity needs a shape of 2 dimensions, got (2, 2, 2) of 3");
  EXPECT_EQ(refusal_of(orthogonal(), {0}), "Orthogonal needs a shape of 2 or more dimensions, got (0,) of 1");
  EXPECT_EQ(refusal_of(glorot_normal({}, {{0}}, {{2}}), {3, 4}),
            "input_axes and output_axes must be axes of the shape (3, 4), got 2");
  EXPECT_EQ(refusal_of(glorot_normal({}, {{-3}}, {{1}}), {3, 4}),
            "input_axes and output_axes must be axes of the shape (3, 4), got -3");
  for (const Initializer &initializer : {orthogonal(), lecun_normal(), random_uniform(), ones()}) {
    EXPECT_EQ(make(initializer, {2, 0, 4}).shape, (Shape{2, 0, 4}));
    EXPECT_TRUE(make(initializer, {2, 0, 4}).data.empty());
    EXPECT_TRUE(make(initializer, {4, 0}).data.empty());
  }
}

TEST(Initializers, FunctionsOfTheUsersAreCalledAndChecked) {
  const Initializer ramp = {"ramp", [](const Shape &shape) {
                              Tensor tensor{shape, std::vector<float>(static_cast<std::size_t>(shape[0]))};
                              for (std::size_t i = 0; i < tensor.data.size(); ++i) tensor.data[i] = float(i);
                              return tensor;
                            }};
  EXPECT_EQ(make(ramp, {3}).data, (std::vector<float>{0, 1, 2}));
  EXPECT_EQ(Json::parse(ramp.serialize()),
            Json::parse(R"({"module": "builtins", "class_name": "function", "config": "ramp",
                            "registered_name": "function"})"));
  EXPECT_EQ(refusal_of(ramp, {3, 2}), "the tensor of initializer 'ramp' has 3 elements, but its shape (3, 2) has 6");
  const Initializer wrong = {"wrong", [](const Shape &) { return Tensor{{2}, {1, 2}}; }};
  EXPECT_EQ(refusal_of(wrong, {3}), "the tensor of initializer 'wrong' has the shape (2,), but it must be (3,)");
  const Initializer throws = {"bad", [](const Shape &) -> Tensor { throw std::runtime_error("no\nluck"); }};
  EXPECT_EQ(refusal_of(throws, {3}), "initializer 'bad' threw 'no\\x0aluck'");
  const Initializer odd = {"odd", [](const Shape &) -> Tensor { throw 3; }};
  EXPECT_EQ(refusal_of(odd, {3}), "initializer 'odd' threw something that is no std::exception");
  EXPECT_EQ(refusal(Initializer("empty", nullptr)), "initializer 'empty' has no function");
  EXPECT_EQ(refusal(Initializer("", [](const Shape &) { return Tensor(); })),
            "an initializer's function must have a name");
}

}  // namespace
}  // namespace tconv
