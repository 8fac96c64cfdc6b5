// The functional forms and the scopes that their variables live in. TensorFlow's own answers are in scope_golden_test.
#include "tconv/functional.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "layer_case.h"
#include "tconv/image_data_format.h"
#include "tconv/layer.h"

namespace tconv::test {
namespace {

constexpr StatusCode invalid = StatusCode::invalid_argument;

using Paths = std::vector<std::string>;

TEST(Functional, IsTheLayerOfEachRank) {
  VariableScope scope;
  const auto check = [&](const Tensor &x, auto form, auto layer) {
    const Result<Tensor> y = form(x);
    ASSERT_TRUE(y.ok()) << y.status().message();
    const std::vector<Variable> variables = scope.graph().variables().value();
    const std::vector<Tensor> weights = {variables[variables.size() - 2].value().value(),
                                         variables.back().value().value()};
    ASSERT_TRUE(layer.set_weights(weights).ok());
    EXPECT_EQ(layer(x).value().data, y.value().data);
    EXPECT_EQ(layer(x).value().shape, y.value().shape);
  };
  const ConvTransposeArguments<1> one = {.filters = 3, .kernel_size = 3, .strides = 2, .activation = "relu"};
  check(
      random_tensor({2, 5, 4}, 1), [&](const Tensor &x) { return conv1d_transpose(scope, x, one); },
      Conv1DTranspose(one));
  const ConvTransposeArguments<2> two = {.filters = 2, .kernel_size = 3, .padding = "same", .output_padding = 0};
  check(
      random_tensor({1, 5, 4, 3}, 2), [&](const Tensor &x) { return conv2d_transpose(scope, x, two); },
      Conv2DTranspose(two));
  const ConvTransposeArguments<3> three = {.filters = 2, .kernel_size = {1, 2, 3}, .strides = {2, 1, 2}};
  check(
      random_tensor({1, 2, 3, 2, 3}, 3), [&](const Tensor &x) { return conv3d_transpose(scope, x, three); },
      Conv3DTranspose(three));
  EXPECT_EQ(paths(scope.graph().variables()),
            (Paths{"conv1d_transpose/kernel", "conv1d_transpose/bias", "conv2d_transpose/kernel",
                   "conv2d_transpose/bias", "conv3d_transpose/kernel", "conv3d_transpose/bias"}));
}

TEST(Functional, ReuseSharesTheVariables) {
  const VariableScope root;
  const VariableScope scope(root, "decoder");
  const ConvTransposeArguments<2> up = {.filters = 2, .kernel_size = 3, .bias_initializer = "ones", .name = "up"};
  const Tensor x = random_tensor({1, 4, 5, 3}, 1);
  const Tensor y = conv2d_transpose(scope, x, up).value();
  expect_message(conv2d_transpose(scope, x, up).status(), invalid, "'decoder/up/kernel' exists");
  EXPECT_EQ(conv2d_transpose(scope, x, up, Reuse::yes).value().data, y.data);
  EXPECT_EQ(conv2d_transpose(scope, x, up, Reuse::automatic).value().data, y.data);
  // Other strides over the same variables are packed for themselves.
  ConvTransposeArguments<2> strided = up;
  strided.strides = 2;
  Conv2DTranspose layer(strided);
  ASSERT_TRUE(layer
                  .set_weights(std::vector<Tensor>{root.graph().variables().value()[0].value().value(),
                                                   root.graph().variables().value()[1].value().value()})
                  .ok());
  EXPECT_EQ(conv2d_transpose(scope, x, strided, Reuse::yes).value().data, layer(x).value().data);
  Variable bias = root.graph().variables().value()[1];
  ASSERT_TRUE(bias.assign({{2}, {2, 2}}).ok());
  const Tensor z = conv2d_transpose(scope, x, up, Reuse::yes).value();
  for (std::size_t i = 0; i < z.data.size(); ++i) ASSERT_NEAR(z.data[i], y.data[i] + 1, 1e-5);
  EXPECT_EQ(root.graph().variables().value().size(), 2u);

  expect_message(conv2d_transpose(scope, random_tensor({1, 4, 5, 7}, 1), up, Reuse::yes).status(), invalid,
                 "shape (3, 3, 2, 3), not (3, 3, 2, 7)");
  ConvTransposeArguments<2> missing = up;
  missing.name = "missing";
  expect_message(conv2d_transpose(scope, x, missing, Reuse::yes).status(), invalid,
                 "'decoder/missing/kernel' does not exist");
  EXPECT_EQ(root.graph().variables().value().size(), 2u);
}

TEST(Functional, ScopesInheritReuse) {
  const VariableScope root;
  const Tensor x = random_tensor({1, 4, 3}, 1);
  const ConvTransposeArguments<1> unnamed = {.filters = 2, .kernel_size = 3};
  const auto pass = [&](const VariableScope &scope) {
    const VariableScope inner(scope, "inner");
    std::vector<float> all = conv1d_transpose(scope, x, unnamed).value().data;
    for (int i = 0; i < 2; ++i) {
      const std::vector<float> one = conv1d_transpose(inner, x, unnamed).value().data;
      all.insert(all.end(), one.begin(), one.end());
    }
    return all;
  };
  const std::vector<float> first = pass(VariableScope(root, "net"));
  EXPECT_EQ(paths(root.graph().variables()),
            (Paths{"net/conv1d_transpose/kernel", "net/conv1d_transpose/bias", "net/inner/conv1d_transpose/kernel",
                   "net/inner/conv1d_transpose/bias", "net/inner/conv1d_transpose_1/kernel",
                   "net/inner/conv1d_transpose_1/bias"}));
  const VariableScope again(root, "net", Reuse::yes);
  EXPECT_EQ(again.reuse(), Reuse::yes);
  EXPECT_EQ(VariableScope(again, "inner").reuse(), Reuse::yes);
  EXPECT_EQ(VariableScope(again, "inner").name(), "net/inner");
  EXPECT_EQ(pass(again), first);
}

TEST(Functional, WhatItsPageSaysOfUnsetArguments) {
  VariableScope scope;
  const Tensor x = random_tensor({1, 4, 3}, 1);
  // No bias initializer: no bias.
  ASSERT_TRUE(
      conv1d_transpose(scope, x, {.filters = 2, .kernel_size = 3, .bias_initializer = {}, .name = "plain"}).ok());
  EXPECT_EQ(paths(scope.graph().variables()), Paths{"plain/kernel"});
  // The data format is channels_last whatever the process' setting.
  ASSERT_TRUE(set_image_data_format("channels_first").ok());
  const Result<Tensor> y = conv1d_transpose(scope, x, {.filters = 7, .kernel_size = 1});
  ASSERT_TRUE(set_image_data_format("channels_last").ok());
  EXPECT_EQ(y.value().shape, (Shape{1, 4, 7}));
  const std::size_t trainable = scope.graph().trainable_variables().value().size();
  ASSERT_TRUE(conv1d_transpose(scope, x, {.filters = 7, .kernel_size = 1, .trainable = false}).ok());
  EXPECT_EQ(scope.graph().trainable_variables().value().size(), trainable);
}

TEST(Functional, LossesAreTheGraphs) {
  VariableScope scope;
  const Tensor x = {{1, 2, 1}, {1, -2}};
  const ConvTransposeArguments<1> arguments = {.filters = 1,
                                               .kernel_size = 1,
                                               .kernel_initializer = initializers::constant(3),
                                               .kernel_regularizer = regularizers::l2(1),
                                               .activity_regularizer = regularizers::l1(1)};
  ASSERT_TRUE(conv1d_transpose(scope, x, arguments).ok());
  EXPECT_EQ(scope.graph().regularization_losses().value(), (std::vector<float>{9, 9}));
  ASSERT_TRUE(conv1d_transpose(scope, x, arguments, Reuse::yes).ok());
  EXPECT_EQ(scope.graph().regularization_losses().value(), (std::vector<float>{9, 9, 9}));
  Graph graph = scope.graph();
  ASSERT_TRUE(graph.clear_activity_losses().ok());
  EXPECT_EQ(graph.regularization_losses().value(), std::vector<float>{9});
}

TEST(Functional, BadInputMakesNoVariables) {
  VariableScope scope;
  const Graph other;
  const ConvTransposeArguments<1> up = {.filters = 2, .kernel_size = 3, .name = "up"};
  const auto refused = [&](const Tensor &x, const ConvTransposeArguments<1> &arguments, const char *part) {
    expect_message(conv1d_transpose(scope, x, arguments).status(), invalid, part);
    EXPECT_TRUE(scope.graph().variables().value().empty());
  };
  const Tensor x = random_tensor({1, 4, 3}, 1);
  refused(random_tensor({4, 3}, 1), up, "(4, 3)");
  refused({{1, 4, 3}, {1}}, up, "1 elements");
  refused(x, {.filters = 0, .kernel_size = 3}, "filters 0");
  refused(x, {.filters = 2, .kernel_size = 3, .input_shape = Shape{4, 3}}, "input_shape (4, 3)");
  refused(x, {.filters = 2, .kernel_size = 3, .graph = other}, "graph");
  refused(x, {.filters = 2, .kernel_size = 3, .name = "up/"}, "'up/'");
  refused(x, {.filters = 2, .kernel_size = 3, .bias_initializer = "none such"}, "'none such'");
  refused(x, {.filters = 2, .kernel_size = 3, .bias_initializer = "identity"}, "(2,)");
  expect_message(VariableScope(scope, "").status(), invalid, "''");
  expect_message(conv1d_transpose(VariableScope(scope, "/a"), x, up).status(), invalid, "'/a'");
  expect_message(conv1d_transpose(VariableScope(VariableScope(scope, "/a"), "b"), x, up).status(), invalid, "'/a'");
  ASSERT_TRUE(conv1d_transpose(scope, x, up).ok());
}

}  // namespace
}  // namespace tconv::test
