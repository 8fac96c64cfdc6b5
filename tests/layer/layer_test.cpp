// The layers as a Keras user meets them: arguments, building, weights, shapes, results and messages. Runs on the
// library's general kernels.
#include "tconv/layer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "layer_case.h"

namespace tconv::test {
namespace {

TEST(Layer, KerasArgumentsGiveKerasResult) {
  Conv2DTranspose up({.filters = 3, .kernel_size = {2, 3}, .strides = {2, 2}, .padding = "same", .activation = "relu"});
  ASSERT_TRUE(up.status().ok()) << up.status().message();
  const Tensor x = random_tensor({2, 4, 5, 6}, 1);
  EXPECT_FALSE(up.built());
  const Result<Tensor> y = up(x);
  ASSERT_TRUE(y.ok()) << y.status().message();
  EXPECT_TRUE(up.built());
  EXPECT_EQ(y.value().shape, (Shape{2, 8, 10, 3}));
  std::vector<double> wanted = expected_output(up, x);
  for (double &value : wanted) value = std::max(value, 0.0);
  expect_equal(y.value(), wanted);
}

TEST(Layer, OneIntegerStandsForEveryDimension) {
  const Conv3DTranspose layer({.filters = 1, .kernel_size = 3, .strides = 2, .output_padding = 1});
  ASSERT_TRUE(layer.status().ok()) << layer.status().message();
  EXPECT_EQ(layer.config().kernel_size, (Shape{3, 3, 3}));
  EXPECT_EQ(layer.config().strides, (Shape{2, 2, 2}));
  EXPECT_EQ(layer.config().dilation_rate, (Shape{1, 1, 1}));
  EXPECT_EQ(layer.config().output_padding, (Shape{1, 1, 1}));
  EXPECT_EQ(Conv1DTranspose({.filters = 1, .kernel_size = 3}).config().output_padding, std::nullopt);
  EXPECT_EQ(Conv2DTranspose({.filters = 1, .kernel_size = {3, 1}, .output_padding = {0, 0}}).config().output_padding,
            (Shape{0, 0}));
}

TEST(Layer, EveryRankLayoutAndGroupingComputesTheDefinition) {
  for (const char *format : {"channels_last", "Channels_First"}) {
    const bool last = format[0] == 'c';
    for (const std::int64_t groups : {1, 2}) {
      SCOPED_TRACE(std::string(format) + " groups " + std::to_string(groups));
      const auto check = [&](auto &layer, const Shape &last_shape) {
        Shape shape = last_shape;
        if (!last) std::rotate(shape.begin() + 1, shape.end() - 1, shape.end());
        const Tensor x = random_tensor(shape, 2);
        const Result<Tensor> y = layer(x);
        ASSERT_TRUE(y.ok()) << y.status().message();
        EXPECT_EQ(y.value().shape, layer.compute_output_shape(shape).value());
        expect_equal(y.value(), expected_output(layer, x));
      };
      Conv1DTranspose one(
          {.filters = 6, .kernel_size = 4, .data_format = format, .dilation_rate = 3, .groups = groups});
      check(one, {3, 11, 4});
      Conv2DTranspose two({.filters = 2,
                           .kernel_size = {1, 5},
                           .strides = {3, 2},
                           .padding = "SAME",
                           .data_format = format,
                           .groups = groups,
                           .use_bias = false});
      check(two, {1, 4, 3, 2});
      Conv3DTranspose three(
          {.filters = 4, .kernel_size = {3, 2, 4}, .strides = {1, 3, 2}, .data_format = format, .groups = groups});
      check(three, {2, 2, 3, 2, 6});
    }
  }
}

TEST(Layer, WhatTheConstructorRefusesEveryCallReturns) {
  const auto refused = [](const ConvTransposeArguments<2> &arguments, StatusCode code, const char *part) {
    Conv2DTranspose layer(arguments);
    expect_message(layer.status(), code, part);
    expect_message(layer.build({1, 4, 4, 2}), code, part);
    expect_message(layer(random_tensor({1, 4, 4, 2}, 1)).status(), code, part);
    expect_message(layer.set_weights({}), code, part);
    expect_message(layer.get_weights().status(), code, part);
    expect_message(layer.count_params().status(), code, part);
    expect_message(layer.kernel_info().status(), code, part);
    expect_message(layer.compute_output_shape({1, 4, 4, 2}).status(), code, part);
  };
  const StatusCode invalid = StatusCode::invalid_argument;
  refused({.filters = 4}, invalid, "kernel_size is missing");
  refused({.filters = 0, .kernel_size = 2}, invalid, "filters 0");
  refused({.filters = 4, .kernel_size = {2, -3}}, invalid, "-3");
  refused({.filters = 4, .kernel_size = 2, .padding = "causal"}, invalid, "padding 'causal'");
  refused({.filters = 4, .kernel_size = 2, .strides = 2, .dilation_rate = 3}, invalid, "strides (2, 2)");
  refused({.filters = 4, .kernel_size = 2, .strides = 2, .output_padding = 2}, invalid, "output_padding (2, 2)");
  refused({.filters = 4, .kernel_size = 2, .data_format = "nhwc"}, invalid, "data_format 'nhwc'");
  refused({.filters = 4, .kernel_size = 2, .groups = 3}, invalid, "groups 3");
  refused({.filters = 4, .kernel_size = 2, .activation = "rellu"}, invalid, "did you mean 'relu'?");
}

TEST(Layer, BuildDrawsAGlorotUniformKernelFromTheSeed) {
  const auto kernel = [](std::uint64_t seed) {
    Conv2DTranspose layer(
        {.filters = 24, .kernel_size = {3, 2}, .kernel_initializer = initializers::glorot_uniform(seed)});
    EXPECT_TRUE(layer.build({unknown, unknown, unknown, 40}).ok());
    const std::vector<Tensor> weights = layer.get_weights().value();
    EXPECT_EQ(weights[0].shape, (Shape{3, 2, 24, 40}));
    EXPECT_EQ(weights[1].data, std::vector<float>(24, 0.0f));
    EXPECT_EQ(layer.count_params().value(), 3 * 2 * 24 * 40 + 24);
    return weights[0].data;
  };
  const std::vector<float> values = kernel(7);
  const float limit = std::sqrt(6.0f / (6.0f * (24 + 40)));
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  EXPECT_GE(*low, -limit);
  EXPECT_LT(*low, -0.99f * limit);
  EXPECT_LE(*high, limit);
  EXPECT_GT(*high, 0.99f * limit);
  double sum = 0;
  for (const float value : values) sum += value;
  EXPECT_NEAR(sum / static_cast<double>(values.size()), 0, 0.03 * limit);
  EXPECT_EQ(kernel(7), values);
  EXPECT_NE(kernel(8), values);
}

TEST(Layer, TheChannelsAreFixedOnceBuilt) {
  Conv1DTranspose layer({.filters = 2, .kernel_size = 3});
  EXPECT_EQ(layer.count_params().status().code(), StatusCode::failed_precondition);
  EXPECT_TRUE(layer.get_weights().value().empty());
  ASSERT_TRUE(layer.build({unknown, 8, 5}).ok());
  const std::vector<float> before = layer.get_weights().value()[0].data;
  EXPECT_TRUE(layer.build({4, 9, 5}).ok());
  EXPECT_EQ(layer.get_weights().value()[0].data, before);
  expect_message(layer.build({1, 8, 6}), StatusCode::invalid_argument, "6 channels, but the layer takes 5");
  expect_message(layer(random_tensor({1, 8, 6}, 1)).status(), StatusCode::invalid_argument, "but the layer takes 5");
}

TEST(Layer, WeightsGoInAndOutInKerasOrder) {
  Conv2DTranspose layer({.filters = 3, .kernel_size = 2});
  const std::vector<Tensor> weights = {random_tensor({2, 2, 3, 5}, 4), random_tensor({3}, 5)};
  ASSERT_TRUE(layer.set_weights(weights).ok());
  EXPECT_EQ(layer.get_weights().value()[0].data, weights[0].data);
  EXPECT_EQ(layer.get_weights().value()[1].data, weights[1].data);
  const Tensor x = random_tensor({1, 3, 3, 5}, 6);
  expect_equal(layer(x).value(), expected_output(layer, x));
  // What was packed for the old weights does not stay.
  ASSERT_TRUE(layer.set_weights(std::vector<Tensor>{random_tensor({2, 2, 3, 5}, 7), weights[1]}).ok());
  expect_equal(layer(x).value(), expected_output(layer, x));

  const StatusCode invalid = StatusCode::invalid_argument;
  const auto set = [&](std::vector<Tensor> given) { return layer.set_weights(given); };
  expect_message(set({weights[0]}), invalid, "has 2: kernel (2, 2, 3, 5), bias (3,)");
  expect_message(set({random_tensor({2, 2, 5, 3}, 1), weights[1]}), invalid,
                 "(2, 2, 5, 3), but it must be (2, 2, 3, 5)");
  expect_message(set({weights[0], random_tensor({4}, 1)}), invalid, "(4,), but it must be (3,)");
  expect_message(set({{{2, 2, 3, 5}, {1, 2}}, weights[1]}), invalid,
                 "has 2 elements, but its shape (2, 2, 3, 5) has 60");
  Conv2DTranspose fresh({.filters = 3, .kernel_size = 2, .use_bias = false});
  expect_message(fresh.set_weights(weights), invalid, "has 1: kernel (2, 2, 3, 5)");
  expect_message(fresh.set_weights(std::vector<Tensor>{{{2, 2, 3, -7}, {}}}), invalid, "(2, 2, 3");
  EXPECT_FALSE(fresh.built());
}

TEST(Layer, OutputShapesKeepOpenSizes) {
  const Conv2DTranspose layer({.filters = 3, .kernel_size = 4, .strides = {2, 3}, .padding = "same"});
  EXPECT_EQ(layer.compute_output_shape({unknown, 7, unknown, 5}).value(), (Shape{unknown, 14, unknown, 3}));
  expect_message(layer.compute_output_shape({1, 7, 5}).status(), StatusCode::invalid_argument, "4 entries");
}

TEST(Layer, ACallIntoTheCallersMemoryChecksEverySize) {
  Conv1DTranspose layer({.filters = 2, .kernel_size = 3, .strides = 2});
  const Tensor x = random_tensor({2, 4, 5}, 8);
  std::vector<float> y(2 * 9 * 2 + 1);
  const std::span<float> fits(y.data(), y.size() - 1);
  expect_message(layer.call(x.data, x.shape, fits), StatusCode::failed_precondition, "not built");
  ASSERT_TRUE(layer.build(x.shape).ok());
  ASSERT_TRUE(layer.call(x.data, x.shape, fits).ok());
  expect_equal({{2, 9, 2}, {fits.begin(), fits.end()}}, expected_output(layer, x));
  const StatusCode invalid = StatusCode::invalid_argument;
  expect_message(layer.call(x.data, x.shape, y), invalid, "the output has 37 elements, but its shape (2, 9, 2) has 36");
  expect_message(layer.call(x.data, {1, 4, 5}, fits), invalid,
                 "the input has 40 elements, but its shape (1, 4, 5) has");
  expect_message(layer.call(x.data, {unknown, 4, 5}, fits), invalid, "(None, 4, 5)");
  expect_message(layer(Tensor{{2, 4, 5}, {1}}).status(), invalid, "the input has 1 elements");
  std::vector<float> both(80);
  expect_message(layer.call(std::span(both).first(40), x.shape, std::span(both).subspan(39, 36)), invalid,
                 "36 elements overlaps the input of 40");
}

TEST(Layer, EmptyArraysAreLegal) {
  Conv2DTranspose layer({.filters = 2, .kernel_size = 3, .strides = 2, .padding = "same"});
  EXPECT_EQ(layer(Tensor{{0, 4, 4, 3}, {}}).value().shape, (Shape{0, 8, 8, 2}));
  EXPECT_EQ(layer(Tensor{{1, 0, 4, 3}, {}}).value().shape, (Shape{1, 0, 8, 2}));
  // Nothing comes in, and the bias comes out.
  Conv1DTranspose wide({.filters = 1, .kernel_size = 5, .strides = 2});
  ASSERT_TRUE(wide.set_weights(std::vector<Tensor>{random_tensor({5, 1, 1}, 1), {{1}, {0.5f}}}).ok());
  EXPECT_EQ(wide(Tensor{{1, 0, 1}, {}}).value().data, std::vector<float>(3, 0.5f));
}

TEST(Layer, IsMoved) {
  Conv2DTranspose a({.filters = 1, .kernel_size = 2});
  ASSERT_TRUE(a.build({1, 2, 2, 1}).ok());
  const float first = a.get_weights().value()[0].data[0];
  Conv2DTranspose b = std::move(a);
  EXPECT_EQ(b.get_weights().value()[0].data[0], first);
  a = Conv2DTranspose({.filters = 9, .kernel_size = 2});
  EXPECT_EQ(a.config().filters, 9);
}

}  // namespace
}  // namespace tconv::test
