// Values that the frameworks themselves computed, case by case through the C++ layer: what a config says, what shape
// comes out, and what numbers.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tconv/layer.h"

namespace tconv::test {
namespace {

using Json = nlohmann::json;

constexpr std::size_t least_cases = 30;

struct Golden {
  Json cases;
  std::vector<float> floats;
};

Golden read_golden(const std::string &framework) {
  const std::string stem = std::string(TCONV_GOLDEN_DIRECTORY) + "/" + framework;
  Golden golden;
  golden.cases = Json::parse(std::ifstream(stem + ".json"));
  std::ifstream file(stem + ".bin", std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  golden.floats.resize(bytes.size() / sizeof(float));
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char *>(golden.floats.data()));
  return golden;
}

Tensor array(const Golden &golden, const Json &one, const std::string &name) {
  Tensor tensor = {one[name + "_shape"].get<Shape>(), {}};
  const auto offset = one["offset"][name].get<std::ptrdiff_t>();
  std::ptrdiff_t count = 1;
  for (const std::int64_t size : tensor.shape) count *= size;
  tensor.data.assign(golden.floats.begin() + offset, golden.floats.begin() + offset + count);
  return tensor;
}

// Kernel and bias, as many as the config asks for: ONNX and TFLite have no word for a layer without a bias.
std::vector<Tensor> weights_of(const Golden &golden, const Json &one, const LayerConfig &config) {
  std::vector<Tensor> weights = {array(golden, one, "kernel")};
  if (!one["bias_shape"].is_null()) {
    weights.push_back(array(golden, one, "bias"));
  } else if (config.use_bias) {
    weights.push_back({{config.filters}, std::vector<float>(static_cast<std::size_t>(config.filters))});
  }
  return weights;
}

void expect_near(const Tensor &got, const Tensor &wanted) {
  ASSERT_EQ(got.shape, wanted.shape);
  ASSERT_EQ(got.data.size(), wanted.data.size());
  for (std::size_t i = 0; i < wanted.data.size(); ++i)
    ASSERT_NEAR(got.data[i], wanted.data[i], 1e-5 * (1 + std::fabs(wanted.data[i]))) << "element " << i;
}

template <typename Layer>
void run_case(const Golden &golden, const Json &one, const LayerConfig &config) {
  Result<Layer> layer = Layer::from_config(config);
  ASSERT_TRUE(layer.ok()) << layer.status().message();
  const Status set = layer.value().set_weights(weights_of(golden, one, config));
  ASSERT_TRUE(set.ok()) << set.message();
  const Tensor input = array(golden, one, "input"), output = array(golden, one, "output");
  const Result<Shape> shape = layer.value().compute_output_shape(input.shape);
  ASSERT_TRUE(shape.ok()) << shape.status().message();
  EXPECT_EQ(shape.value(), output.shape);
  const Result<Tensor> result = layer.value()(input);
  ASSERT_TRUE(result.ok()) << result.status().message();
  expect_near(result.value(), output);
}

void run_case(const Golden &golden, const Json &one, const Json &layer) {
  const Result<LayerConfig> config = parse_layer(layer.dump(), one["kernel_shape"].get<Shape>());
  ASSERT_TRUE(config.ok()) << config.status().message();
  switch (config.value().rank) {
    case 1: return run_case<Conv1DTranspose>(golden, one, config.value());
    case 2: return run_case<Conv2DTranspose>(golden, one, config.value());
    default: return run_case<Conv3DTranspose>(golden, one, config.value());
  }
}

// The layer with every size but the channels left open; a prescribed output needs the spatial ones.
Json with_open_sizes(const Json &one) {
  Json layer = one["layer"];
  Json &shape = layer["build_config"]["input_shape"];
  const std::string dialect = layer.value("dialect", "keras");
  const std::string fallback = dialect == "torch" || dialect == "onnx" ? "channels_first" : "channels_last";
  const std::string format = layer.value("data_format", layer["config"].value("data_format", fallback));
  const std::size_t channel_axis = format == "channels_last" ? shape.size() - 1 : 1;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (i == 0 || (i != channel_axis && !layer["config"].contains("output_shape"))) shape[i] = nullptr;
  return layer;
}

class GoldenValues : public testing::TestWithParam<const char *> {};

TEST_P(GoldenValues, AreWhatTheLayerComputes) {
  const Golden golden = read_golden(GetParam());
  ASSERT_GE(golden.cases.size(), least_cases);
  for (const Json &one : golden.cases) {
    SCOPED_TRACE(one["name"].get<std::string>());
    run_case(golden, one, one["layer"]);
  }
}

TEST_P(GoldenValues, AreWhatTheLayerComputesWhereItsSizesAreOpen) {
  const Golden golden = read_golden(GetParam());
  for (const Json &one : golden.cases) {
    SCOPED_TRACE(one["name"].get<std::string>());
    run_case(golden, one, with_open_sizes(one));
  }
}

INSTANTIATE_TEST_SUITE_P(Frameworks, GoldenValues,
                         testing::Values("keras_jax", "keras_tensorflow", "torch", "onnxruntime", "litert"),
                         [](const auto &framework) { return std::string(framework.param); });

}  // namespace
}  // namespace tconv::test
