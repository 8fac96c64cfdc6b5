// What the layer's tests share: tensors of random numbers, kernel arrays brought into the order of tests/layer/
// naive_scatter.h, and that scatter's answer for a layer.
#ifndef TCONV_TESTS_LAYER_CASE_H
#define TCONV_TESTS_LAYER_CASE_H

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "naive_scatter.h"
#include "tconv/layer.h"

namespace tconv::test {

inline Tensor random_tensor(const Shape &shape, unsigned seed) {
  std::mt19937 engine(seed);
  std::size_t elements = 1;
  for (const std::int64_t size : shape) elements *= static_cast<std::size_t>(size);
  Tensor tensor = {shape, std::vector<float>(elements)};
  for (float &value : tensor.data) value = static_cast<float>(engine() % 2001) / 1000.0f - 1.0f;
  return tensor;
}

// From the dialect's order into PyTorch's, by the axes that the dialect's documentation names.
inline std::vector<float> torch_order(const LayerConfig &config, const Problem &p, const Tensor &kernel) {
  const std::int64_t out_each = p.out_channels / p.groups, in_each = p.in_channels / p.groups;
  const std::int64_t taps = p.dim[0].kernel * p.dim[1].kernel * p.dim[2].kernel;
  std::vector<float> torch;
  for (std::int64_t ci = 0; ci < p.in_channels; ++ci)
    for (std::int64_t o = 0; o < out_each; ++o)
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        const std::int64_t filter = ci / in_each * out_each + o;
        std::int64_t element = (ci * out_each + o) * taps + tap;
        if (config.dialect == Dialect::keras) element = (tap * p.out_channels + filter) * in_each + ci % in_each;
        if (config.dialect == Dialect::tflite) element = (filter * taps + tap) * in_each + ci % in_each;
        torch.push_back(kernel.data[static_cast<std::size_t>(element)]);
      }
  return torch;
}

inline Problem problem_of(const LayerConfig &config, const Shape &input) {
  const bool last = config.data_format == DataFormat::channels_last;
  Problem p;
  p.batch = input.front();
  p.in_channels = last ? input.back() : input[1];
  p.out_channels = config.filters;
  p.groups = config.groups;
  p.channels_last = last;
  for (int d = 0; d < config.rank; ++d) {
    const tconv_rule one = rule(config, d);
    const std::size_t axis = static_cast<std::size_t>(d + (last ? 1 : 2));
    EXPECT_TRUE(tconv_resolve(&one, input[axis], &p.dim[static_cast<std::size_t>(TCONV_MAX_RANK - config.rank + d)]));
  }
  return p;
}

// The layer's output for the weights that it has now, without its activation.
inline std::vector<double> expected_output(const TransposedConvolution &layer, const Tensor &input) {
  const Result<std::vector<Tensor>> weights = layer.get_weights();
  const Problem p = problem_of(layer.config(), input.shape);
  const std::vector<float> bias = weights.value().size() > 1 ? weights.value()[1].data : std::vector<float>();
  return scatter(p, input.data, torch_order(layer.config(), p, weights.value()[0]), bias);
}

inline void expect_equal(const Tensor &got, const std::vector<double> &wanted) {
  ASSERT_EQ(got.data.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    ASSERT_NEAR(got.data[i], wanted[i], 2e-5 * (1 + std::fabs(wanted[i]))) << "element " << i;
  }
}

inline std::vector<std::string> paths(const Result<std::vector<Variable>> &variables) {
  EXPECT_TRUE(variables.ok()) << variables.status().message();
  std::vector<std::string> paths;
  if (variables.ok()) {
    for (const Variable &variable : variables.value()) paths.push_back(variable.path());
  }
  return paths;
}

inline void expect_message(const Status &status, StatusCode code, const char *part) {
  EXPECT_EQ(status.code(), code) << status.message();
  EXPECT_NE(status.message().find(part), std::string::npos) << status.message() << "\nlacks: " << part;
}

}  // namespace tconv::test

#endif
