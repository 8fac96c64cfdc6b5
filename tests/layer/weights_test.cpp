// The dialects' kernel arrays: strides, layers made from every dialect's config, and batch normalisation folded into
// them.
#include "tconv/weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "layer_case.h"
#include "tconv/batch_norm.h"
#include "tconv/layer.h"

namespace tconv::test {
namespace {

LayerConfig config_of(Dialect dialect) {
  LayerConfig config;
  config.dialect = dialect;
  config.rank = 2;
  config.filters = 6;
  config.in_channels = 4;
  config.groups = dialect == Dialect::tflite ? 1 : 2;
  config.kernel_size = {3, 5};
  config.strides = {2, 3};
  config.dilation_rate = {1, 1};
  if (dialect == Dialect::torch || dialect == Dialect::onnx) {
    config.data_format = DataFormat::channels_first;
    config.padding = TCONV_PADDING_EXPLICIT;
    config.pads_begin = config.pads_end = {1, 0};
  }
  if (dialect == Dialect::tflite) {
    config.padding = TCONV_PADDING_TFLITE_SAME;
    config.output_shape = {9, 13};
  }
  return config;
}

constexpr Dialect dialects[] = {Dialect::keras, Dialect::torch, Dialect::onnx, Dialect::tflite};

TEST(WeightStrides, FollowEachDialectsOrder) {
  // (3, 5, 6, 2), (4, 3, 3, 5) and (6, 3, 5, 4).
  const tconv_weight_strides keras = weight_strides(config_of(Dialect::keras));
  EXPECT_EQ(keras.in, 1);
  EXPECT_EQ(keras.out, 2);
  EXPECT_EQ(keras.group, 3 * 2);
  EXPECT_EQ(keras.tap[1], 12);
  EXPECT_EQ(keras.tap[0], 5 * 12);
  const tconv_weight_strides torch = weight_strides(config_of(Dialect::torch));
  EXPECT_EQ(torch.in, 3 * 15);
  EXPECT_EQ(torch.out, 15);
  EXPECT_EQ(torch.group, 2 * 3 * 15);
  EXPECT_EQ(torch.tap[1], 1);
  EXPECT_EQ(torch.tap[0], 5);
  const tconv_weight_strides tflite = weight_strides(config_of(Dialect::tflite));
  EXPECT_EQ(tflite.in, 1);
  EXPECT_EQ(tflite.out, 3 * 5 * 4);
  EXPECT_EQ(tflite.tap[1], 4);
  EXPECT_EQ(tflite.tap[0], 5 * 4);
}

TEST(WeightStrides, TheChannelsOfAKernelArrayAreRead) {
  for (const Dialect dialect : dialects) {
    const LayerConfig config = config_of(dialect);
    EXPECT_EQ(kernel_channels(config, kernel_shape(config)), 4);
    EXPECT_EQ(kernel_channels(config, {1, 2}), unknown);
    EXPECT_EQ(kernel_channels(config, Shape(4, std::numeric_limits<std::int64_t>::max())), unknown);
  }
}

TEST(Describe, OpenSizesAreUnset) {
  LayerConfig config = config_of(Dialect::keras);
  const tconv_layer open = describe(config).value();
  EXPECT_EQ(open.batch, TCONV_UNSET);
  EXPECT_EQ(open.size[1], TCONV_UNSET);
  EXPECT_EQ(open.in_channels, 4);
  EXPECT_EQ(open.rule[1].stride, 3);
  config.in_channels = unknown;
  expect_message(describe(config).status(), StatusCode::invalid_argument, "input channels are not known");
  config.input_shape = {8, unknown, 7, 10};
  const tconv_layer fixed = describe(config).value();
  EXPECT_EQ(fixed.batch, 8);
  EXPECT_EQ(fixed.size[0], TCONV_UNSET);
  EXPECT_EQ(fixed.size[1], 7);
  EXPECT_EQ(fixed.in_channels, 10);
}

TEST(FromConfig, EveryDialectComputesTheDefinition) {
  for (const Dialect dialect : dialects) {
    SCOPED_TRACE(static_cast<int>(dialect));
    Result<Conv2DTranspose> made = Conv2DTranspose::from_config(config_of(dialect));
    ASSERT_TRUE(made.ok()) << made.status().message();
    Conv2DTranspose layer = std::move(made).value();
    const bool first = layer.config().data_format == DataFormat::channels_first;
    const Tensor x = random_tensor(first ? Shape{2, 4, 5, 4} : Shape{2, 5, 4, 4}, 1);
    const Tensor kernel = random_tensor(kernel_shape(layer.config()), 2);
    ASSERT_TRUE(layer.set_weights(std::vector<Tensor>{kernel, random_tensor({6}, 3)}).ok());
    const Result<Tensor> y = layer(x);
    ASSERT_TRUE(y.ok()) << y.status().message();
    expect_equal(y.value(), expected_output(layer, x));
  }
}

// With a prescribed output the crop, and with it the packed weights, depend on the size of the call.
TEST(FromConfig, APrescribedOutputServesCallsOfSeveralSizes) {
  Conv2DTranspose layer = std::move(Conv2DTranspose::from_config(config_of(Dialect::tflite))).value();
  for (int round = 0; round < 2; ++round) {
    for (const std::int64_t height : {5, 4, 3, 6, 7, 2, 8, 1, 9, 5, 4}) {
      const Tensor x = random_tensor({1, height, 5, 4}, 1);
      const Result<Tensor> y = layer(x);
      ASSERT_TRUE(y.ok()) << y.status().message();
      EXPECT_EQ(y.value().shape, (Shape{1, 9, 13, 6}));
      expect_equal(y.value(), expected_output(layer, x));
    }
  }
}

TEST(FromConfig, ItsInputShapeFixesTheChannelsAndNothingElse) {
  LayerConfig config = config_of(Dialect::keras);
  config.in_channels = unknown;
  config.input_shape = {1, 3, 3, 4};
  Conv2DTranspose layer = std::move(Conv2DTranspose::from_config(config)).value();
  EXPECT_TRUE(layer.kernel_info().ok());
  EXPECT_TRUE(layer(random_tensor({2, 5, 6, 4}, 1)).ok());
  Conv2DTranspose other = std::move(Conv2DTranspose::from_config(config)).value();
  expect_message(other.build({1, 3, 3, 6}), StatusCode::invalid_argument, "6 channels, but the layer takes 4");
}

TEST(FromConfig, AConfigOfAnotherRankIsRefused) {
  expect_message(Conv3DTranspose::from_config(config_of(Dialect::keras)).status(), StatusCode::invalid_argument,
                 "a Conv3DTranspose from a config with 2 spatial dimensions");
}

TEST(FoldBatchNorm, TheFoldedLayerComputesLayerAndNormalisation) {
  for (const Dialect dialect : dialects) {
    for (const bool bias : {true, false}) {
      SCOPED_TRACE(testing::Message() << static_cast<int>(dialect) << " bias " << bias);
      LayerConfig config = config_of(dialect);
      config.use_bias = bias;
      Conv2DTranspose layer = std::move(Conv2DTranspose::from_config(config)).value();
      const bool first = config.data_format == DataFormat::channels_first;
      const Tensor x = random_tensor(first ? Shape{1, 4, 5, 4} : Shape{1, 5, 4, 4}, 1);
      Tensor normalisation = random_tensor({4, 6}, 2);
      for (std::size_t f = 18; f < 24; ++f) normalisation.data[f] = std::fabs(normalisation.data[f]);
      ASSERT_TRUE(layer.build(x.shape).ok());
      std::vector<double> wanted = expected_output(layer, x);
      const std::size_t step = first ? wanted.size() / 6 : 1;
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        const std::size_t f = i / step % 6;
        const auto row = [&](std::size_t r) { return static_cast<double>(normalisation.data[r * 6 + f]); };
        wanted[i] = row(0) * (wanted[i] - row(2)) / std::sqrt(row(3) + 1e-3) + row(1);
      }
      std::vector<Tensor> weights = layer.get_weights().value();
      weights.resize(2);
      const Status status = fold_batch_norm(config, weights[0], weights[1], normalisation, 1e-3);
      ASSERT_TRUE(status.ok()) << status.message();
      config.use_bias = true;
      Conv2DTranspose folded = std::move(Conv2DTranspose::from_config(config)).value();
      ASSERT_TRUE(folded.set_weights(weights).ok());
      expect_equal(folded(x).value(), wanted);
    }
  }
}

TEST(FoldBatchNorm, WhatCannotBeFoldedChangesNothing) {
  LayerConfig config = config_of(Dialect::keras);
  config.in_channels = unknown;
  const Tensor kernel = random_tensor({3, 5, 6, 2}, 1), bias = random_tensor({6}, 2);
  Tensor normalisation = {{4, 6}, std::vector<float>(24, 1.0f)};
  const auto refused = [&](Tensor k, Tensor b, const Tensor &n, double epsilon, const char *part) {
    const Tensor k_before = k, b_before = b;
    expect_message(fold_batch_norm(config, k, b, n, epsilon), StatusCode::invalid_argument, part);
    EXPECT_EQ(k.data, k_before.data);
    EXPECT_EQ(b.data, b_before.data);
  };
  refused(random_tensor({3, 5, 5, 2}, 1), bias, normalisation, 1e-3, "(3, 5, 5, 2), but it must be (3, 5, 6, 2)");
  refused(random_tensor({3, 5}, 1), bias, normalisation, 1e-3, "(3, 5), but it must be (3, 5, 6, None)");
  refused(kernel, random_tensor({5}, 1), normalisation, 1e-3, "(5,), but it must be (6,)");
  refused(kernel, bias, random_tensor({6, 4}, 1), 1e-3, "(6, 4), but it must be (4, 6)");
  normalisation.data[18 + 4] = -0.5f;
  refused(kernel, bias, normalisation, 1e-3, "variance -0.5 plus epsilon 0.001 of filter 4");
  normalisation.data[18 + 4] = std::numeric_limits<float>::quiet_NaN();
  refused(kernel, bias, normalisation, 1e-3, "filter 4");
}

}  // namespace
}  // namespace tconv::test
