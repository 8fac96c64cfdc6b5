// A layer's config as a user saves and restores it. Keras' own configs, in both directions, are in tests/unit.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "layer_case.h"
#include "tconv/layer.h"

namespace tconv::test {
namespace {

TEST(Config, GoesInAndOutOfALayer) {
  Conv3DTranspose layer({.filters = 4,
                         .kernel_size = {1, 2, 3},
                         .strides = {2, 1, 2},
                         .padding = "same",
                         .activation = "relu",
                         .kernel_initializer = initializers::he_uniform(3),
                         .kernel_regularizer = regularizers::l1_l2(0.5, 0.25),
                         .activity_regularizer = "l2",
                         .bias_constraint = "non_neg",
                         .trainable = false,
                         .name = "up"});
  const Tensor x = random_tensor({1, 2, 3, 2, 5}, 1);
  const Tensor y = layer(x).value();
  const std::string config = layer.get_config().value();
  Result<Conv3DTranspose> again = Conv3DTranspose::from_config(config);
  ASSERT_TRUE(again.ok()) << again.status().message() << "\n" << config;
  EXPECT_EQ(again.value().get_config().value(), config);
  EXPECT_EQ(again.value().name(), "up");
  EXPECT_FALSE(again.value().trainable());
  EXPECT_FALSE(again.value().built());
  ASSERT_TRUE(again.value().set_weights(layer.get_weights().value()).ok());
  EXPECT_EQ(again.value()(x).value().data, y.data);
  EXPECT_EQ(again.value().losses().value(), layer.losses().value());
  // A layer that set_weights() built says so.
  const Result<Conv3DTranspose> restored = Conv3DTranspose::from_config(again.value().serialize().value());
  ASSERT_TRUE(restored.ok()) << restored.status().message();
  EXPECT_TRUE(restored.value().built());
  const Graph graph;
  EXPECT_EQ(Conv3DTranspose::from_config(config, {}, graph).value().graph().value(), graph);
  ASSERT_TRUE(layer.set_trainable(true).ok());
  EXPECT_NE(layer.get_config().value(), config);

  // With build_config, it is built, and the seed draws the same kernel.
  const Result<Conv3DTranspose> built = Conv3DTranspose::from_config(layer.serialize().value());
  ASSERT_TRUE(built.ok()) << built.status().message();
  EXPECT_TRUE(built.value().built());
  EXPECT_EQ(built.value().get_weights().value()[0].data, layer.get_weights().value()[0].data);
}

TEST(Config, FunctionsOfTheUsersAreFoundByName) {
  const auto twice = [](std::span<float> values, const Shape &) {
    for (float &value : values) value *= 2;
  };
  Conv1DTranspose layer({.filters = 2, .kernel_size = 3, .activation = {"twice", twice}});
  const Tensor x = random_tensor({1, 4, 3}, 1);
  const Tensor y = layer(x).value();
  const std::string config = layer.get_config().value();
  expect_message(Conv1DTranspose::from_config(config).status(), StatusCode::not_found, "'twice'");
  Result<Conv1DTranspose> again = Conv1DTranspose::from_config(config, {.activations = {{"twice", twice}}});
  ASSERT_TRUE(again.ok()) << again.status().message();
  ASSERT_TRUE(again.value().set_weights(layer.get_weights().value()).ok());
  EXPECT_EQ(again.value()(x).value().data, y.data);
}

TEST(Config, WhatIsNotOneIsRefused) {
  const Conv2DTranspose layer({.filters = 4, .kernel_size = 3});
  const StatusCode invalid = StatusCode::invalid_argument;
  expect_message(Conv1DTranspose::from_config(layer.serialize().value()).status(), invalid, "Conv2DTranspose");
  expect_message(Conv2DTranspose::from_config("[1]").status(), invalid, "object");
  expect_message(Conv2DTranspose::from_config("{\"filters\": 4").status(), invalid, "JSON");
  expect_message(Conv2DTranspose::from_config(R"({"filters": -4, "kernel_size": 3})").status(), invalid, "-4");
}

}  // namespace
}  // namespace tconv::test
