// What the constructors do with arguments that layer_test.cpp does not give: names, formats, dtype, input_shape and the
// functions of the user's.
#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "layer_case.h"
#include "tconv/image_data_format.h"
#include "tconv/layer.h"

namespace tconv::test {
namespace {

constexpr StatusCode invalid = StatusCode::invalid_argument;

TEST(Arguments, DefaultsAreKeras) {
  const Conv2DTranspose layer({.filters = 4, .kernel_size = 3});
  ASSERT_TRUE(layer.status().ok()) << layer.status().message();
  const LayerConfig &config = layer.config();
  EXPECT_EQ(config.strides, (Shape{1, 1}));
  EXPECT_EQ(config.dilation_rate, (Shape{1, 1}));
  EXPECT_EQ(config.padding, TCONV_PADDING_KERAS_VALID);
  EXPECT_EQ(config.output_padding, std::nullopt);
  EXPECT_EQ(config.data_format, DataFormat::channels_last);
  EXPECT_EQ(config.groups, 1);
  EXPECT_EQ(config.activation, Activation::linear);
  EXPECT_TRUE(config.use_bias);
  EXPECT_TRUE(layer.trainable());
  EXPECT_EQ(layer.dtype(), "float32");
  EXPECT_TRUE(layer.activity_regularizer().is_none());
  EXPECT_FALSE(layer.built());
}

TEST(Arguments, TheDefaultDataFormatIsTheSetting) {
  ASSERT_TRUE(set_image_data_format("channels_first").ok());
  const Conv1DTranspose first({.filters = 4, .kernel_size = 3});
  const Conv1DTranspose last({.filters = 4, .kernel_size = 3, .data_format = "channels_last"});
  EXPECT_EQ(image_data_format().value(), DataFormat::channels_first);
  ASSERT_TRUE(set_image_data_format("channels_last").ok());
  EXPECT_EQ(first.config().data_format, DataFormat::channels_first);
  EXPECT_EQ(last.config().data_format, DataFormat::channels_last);
  EXPECT_EQ(Conv3DTranspose({.filters = 4, .kernel_size = 3}).config().data_format, DataFormat::channels_last);
  expect_message(set_image_data_format("nchw"), invalid, "'nchw'");
  EXPECT_EQ(image_data_format().value(), DataFormat::channels_last);
}

TEST(Arguments, ALayerWithAnInputShapeIsBuilt) {
  const Conv2DTranspose layer({.filters = 4, .kernel_size = 3, .input_shape = Shape{8, unknown, 5}});
  ASSERT_TRUE(layer.status().ok()) << layer.status().message();
  EXPECT_TRUE(layer.built());
  EXPECT_EQ(layer.count_params().value(), 3 * 3 * 4 * 5 + 4);
  const Tensor x = random_tensor({2, 4, 3, 5}, 1);
  expect_equal(layer.call(x).value(), expected_output(layer, x));
  const Conv2DTranspose first(
      {.filters = 4, .kernel_size = 3, .data_format = "channels_first", .input_shape = Shape{5, 8, 8}});
  EXPECT_EQ(first.get_weights().value()[0].shape, (Shape{3, 3, 4, 5}));
  expect_message(Conv2DTranspose({.filters = 4, .kernel_size = 3, .input_shape = Shape{8, 5}}).status(), invalid,
                 "(None, 8, 5)");
  expect_message(Conv2DTranspose({.filters = 4, .kernel_size = 3, .input_shape = Shape{8, 8, unknown}}).status(),
                 invalid, "channels");
}

TEST(Arguments, KerasOtherNamesAreTheSameClasses) {
  EXPECT_TRUE((std::is_same_v<Convolution1DTranspose, Conv1DTranspose>));
  EXPECT_TRUE((std::is_same_v<Convolution2DTranspose, Conv2DTranspose>));
  EXPECT_TRUE((std::is_same_v<Convolution3DTranspose, Conv3DTranspose>));
}

TEST(Arguments, ANullPointerIsNone) {
  const char *const nothing = nullptr;
  Conv1DTranspose layer({.filters = 2,
                         .kernel_size = 1,
                         .activation = nothing,
                         .bias_initializer = nullptr,
                         .kernel_regularizer = nullptr,
                         .bias_regularizer = nothing,
                         .kernel_constraint = nullptr,
                         .bias_constraint = nothing});
  ASSERT_TRUE(layer.build({1, 1, 1}).ok()) << layer.status().message();
  EXPECT_EQ(layer.config().activation, Activation::linear);
  EXPECT_NE(layer.get_weights().value()[1].data, (std::vector<float>{0, 0}));
  EXPECT_TRUE(layer.weights().value()[0].regularizer().is_none());
  EXPECT_TRUE(layer.weights().value()[1].constraint().is_none());
}

TEST(Arguments, AFirstLayerThatCannotBeBuiltHasAnError) {
  const Conv1DTranspose layer(
      {.filters = 2, .kernel_size = 1, .kernel_initializer = "identity", .name = "up", .input_shape = Shape{4, 3}});
  expect_message(layer.status(), invalid, "(1, 2, 3)");
  EXPECT_EQ(layer.name(), "");
  EXPECT_EQ(layer.config().filters, 0);
}

TEST(Arguments, DtypeIsFloat32) {
  EXPECT_TRUE(Conv1DTranspose({.filters = 4, .kernel_size = 3, .dtype = "float32"}).status().ok());
  expect_message(Conv1DTranspose({.filters = 4, .kernel_size = 3, .dtype = "float16"}).status(),
                 StatusCode::unsupported, "dtype 'float16'");
}

TEST(Arguments, CausalPaddingAndStridesWithDilationAreRefused) {
  expect_message(Conv2DTranspose({.filters = 4, .kernel_size = 3, .padding = "CAUSAL"}).status(), invalid, "causal");
  expect_message(Conv2DTranspose({.filters = 4, .kernel_size = 3, .strides = {2, 1}, .dilation_rate = {1, 2}}).status(),
                 invalid, "strides (2, 1) with dilation_rate (1, 2)");
}

TEST(Arguments, ObjectsThatAreNotKerasAreRefusedByTheArgumentsName) {
  const auto refused = [](const ConvTransposeArguments<1> &arguments, const char *argument, const char *value) {
    const Conv1DTranspose layer(arguments);
    expect_message(layer.status(), invalid, argument);
    expect_message(layer.status(), invalid, value);
  };
  refused({.filters = 1, .kernel_size = 1, .kernel_initializer = "glorot"}, "kernel_initializer", "'glorot'");
  refused({.filters = 1, .kernel_size = 1, .bias_initializer = "zeroes"}, "bias_initializer", "'zeroes'");
  refused({.filters = 1, .kernel_size = 1, .kernel_regularizer = "l7"}, "kernel_regularizer", "'l7'");
  refused({.filters = 1, .kernel_size = 1, .bias_regularizer = "l7"}, "bias_regularizer", "'l7'");
  refused({.filters = 1, .kernel_size = 1, .activity_regularizer = "l7"}, "activity_regularizer", "'l7'");
  refused({.filters = 1, .kernel_size = 1, .kernel_constraint = "max"}, "kernel_constraint", "'max'");
  refused({.filters = 1, .kernel_size = 1, .bias_constraint = "max"}, "bias_constraint", "'max'");
}

TEST(Arguments, InitializersFillKernelAndBias) {
  Conv1DTranspose layer({.filters = 2,
                         .kernel_size = 3,
                         .kernel_initializer = initializers::constant(0.25),
                         .bias_initializer = {"halves", [](const Shape &shape) {
                                                return Tensor{shape, std::vector<float>(2, 0.5f)};
                                              }}});
  ASSERT_TRUE(layer.build({1, 4, 5}).ok());
  EXPECT_EQ(layer.get_weights().value()[0].data, std::vector<float>(3 * 2 * 5, 0.25f));
  EXPECT_EQ(layer.get_weights().value()[1].data, std::vector<float>(2, 0.5f));
  // None is Keras' default initializer, glorot_uniform: of (2,), within sqrt(6 / 4).
  Conv1DTranspose none({.filters = 2, .kernel_size = 3, .kernel_initializer = {}, .bias_initializer = {}});
  ASSERT_TRUE(none.build({1, 4, 5}).ok());
  const std::vector<Tensor> weights = none.get_weights().value();
  for (const Tensor &weight : weights) {
    for (const float value : weight.data) {
      EXPECT_NE(value, 0);
      EXPECT_LE(std::fabs(value), std::sqrt(6.0f / 4.0f));
    }
  }
}

TEST(Arguments, AnInitializerThatFailsLeavesTheLayerUnbuilt) {
  Conv1DTranspose layer({.filters = 2, .kernel_size = 3, .bias_initializer = {"fails", [](const Shape &) -> Tensor {
                                                                                throw std::runtime_error("no data");
                                                                              }}});
  expect_message(layer.build({1, 4, 5}), invalid, "bias (2,)");
  expect_message(layer(random_tensor({1, 4, 5}, 1)).status(), invalid, "no data");
  EXPECT_FALSE(layer.built());
  EXPECT_TRUE(layer.weights().value().empty());
  Conv1DTranspose wrong({.filters = 2, .kernel_size = 3, .kernel_initializer = {"wrong", [](const Shape &) {
                                                                                  return Tensor{{1}, {0}};
                                                                                }}});
  expect_message(wrong.build({1, 4, 5}), invalid, "(3, 2, 5)");
}

TEST(Arguments, AnActivationOfTheUsersRunsOverTheOutput) {
  Shape seen;
  Conv2DTranspose layer(
      {.filters = 3, .kernel_size = 2, .activation = {"negate", [&](std::span<float> y, const Shape &shape) {
                                                        seen = shape;
                                                        for (float &value : y) value = -value;
                                                      }}});
  const Tensor x = random_tensor({2, 3, 4, 2}, 1);
  const Result<Tensor> y = layer(x);
  ASSERT_TRUE(y.ok()) << y.status().message();
  EXPECT_EQ(seen, y.value().shape);
  std::vector<double> wanted = expected_output(layer, x);
  for (double &value : wanted) value = -value;
  expect_equal(y.value(), wanted);
  std::vector<float> into(y.value().data.size());
  ASSERT_TRUE(layer.call(x.data, x.shape, into).ok());
  EXPECT_EQ(into, y.value().data);
}

}  // namespace
}  // namespace tconv::test
