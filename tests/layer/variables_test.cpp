// A layer's variables as objects: their lists, what add_weight() and add_variable() make, assignment and projection.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "layer_case.h"
#include "tconv/layer.h"

namespace tconv::test {
namespace {

constexpr StatusCode invalid = StatusCode::invalid_argument;

using Paths = std::vector<std::string>;

TEST(Variables, AreListedByTrainability) {
  Conv2DTranspose layer({.filters = 3, .kernel_size = 2, .name = "up"});
  EXPECT_EQ(paths(layer.weights()), Paths{});
  ASSERT_TRUE(layer.build({1, 4, 4, 5}).ok());
  ASSERT_TRUE(layer.add_weight({.name = "steps", .shape = {}, .initializer = "zeros", .trainable = false}).ok());
  ASSERT_TRUE(layer.add_weight({.name = "scale", .shape = {3}, .initializer = "ones"}).ok());
  const Paths trainable = {"up/kernel", "up/bias", "up/scale"};
  const Paths all = {"up/kernel", "up/bias", "up/scale", "up/steps"};
  EXPECT_EQ(paths(layer.weights()), all);
  EXPECT_EQ(paths(layer.variables()), all);
  EXPECT_EQ(paths(layer.trainable_weights()), trainable);
  EXPECT_EQ(paths(layer.trainable_variables()), trainable);
  EXPECT_EQ(paths(layer.non_trainable_weights()), Paths{"up/steps"});
  EXPECT_EQ(paths(layer.non_trainable_variables()), Paths{"up/steps"});
  EXPECT_EQ(layer.count_params().value(), 2 * 2 * 3 * 5 + 3 + 3 + 1);
  ASSERT_TRUE(layer.set_trainable(false).ok());
  EXPECT_FALSE(layer.trainable());
  EXPECT_EQ(paths(layer.trainable_weights()), Paths{});
  EXPECT_EQ(paths(layer.non_trainable_weights()), all);
  EXPECT_EQ(paths(layer.weights()), all);
}

TEST(Variables, OfAnUntrainableLayerAreNot) {
  Conv1DTranspose layer({.filters = 3, .kernel_size = 2, .trainable = false, .name = "still"});
  ASSERT_TRUE(layer.build({1, 4, 5}).ok());
  EXPECT_EQ(paths(layer.trainable_weights()), Paths{});
  EXPECT_EQ(paths(layer.non_trainable_weights()), (Paths{"still/kernel", "still/bias"}));
  ASSERT_TRUE(layer.set_trainable(true).ok());
  EXPECT_EQ(paths(layer.trainable_weights()), (Paths{"still/kernel", "still/bias"}));
}

TEST(Variables, SetWeightsTakesThemAll) {
  Conv1DTranspose layer({.filters = 2, .kernel_size = 3, .use_bias = false});
  // Made before build(), so they come before the kernel.
  ASSERT_TRUE(layer.add_weight({.name = "scale", .shape = {2}}).ok());
  ASSERT_TRUE(layer.add_weight({.name = "steps", .shape = {1}, .trainable = false}).ok());
  const std::vector<Tensor> values = {{{2}, {1, 2}}, random_tensor({3, 2, 4}, 1), {{1}, {9}}};
  const Status missing = layer.set_weights(std::vector<Tensor>{values[0], values[1]});
  expect_message(missing, invalid, "got 2 arrays, but the layer");
  expect_message(missing, invalid, "3: scale (2,), kernel (3, 2, 4), steps (1,)");
  expect_message(layer.set_weights(std::vector<Tensor>{values[2], values[1], values[2]}), invalid, "(1,)");
  EXPECT_FALSE(layer.built());
  ASSERT_TRUE(layer.set_weights(values).ok());
  const std::vector<Tensor> got = layer.get_weights().value();
  ASSERT_EQ(got.size(), 3u);
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i].data, values[i].data);
  const Tensor x = random_tensor({1, 5, 4}, 2);
  const Tensor y = layer(x).value();
  ASSERT_TRUE(layer.weights().value()[1].assign(random_tensor({3, 2, 4}, 3)).ok());
  EXPECT_NE(layer(x).value().data, y.data);
}

TEST(Variables, AssignReplacesTheValueForTheNextCall) {
  Conv1DTranspose layer({.filters = 2, .kernel_size = 3});
  const Tensor x = random_tensor({1, 5, 4}, 2);
  ASSERT_TRUE(layer(x).ok());
  Variable kernel = layer.weights().value()[0];
  EXPECT_EQ(kernel.name(), "kernel");
  EXPECT_EQ(kernel.shape(), (Shape{3, 2, 4}));
  EXPECT_EQ(kernel.dtype(), "float32");
  EXPECT_TRUE(kernel.trainable());
  ASSERT_TRUE(kernel.assign(random_tensor({3, 2, 4}, 7)).ok());
  EXPECT_EQ(kernel.value().value().data, random_tensor({3, 2, 4}, 7).data);
  EXPECT_EQ(layer.get_weights().value()[0].data, random_tensor({3, 2, 4}, 7).data);
  expect_equal(layer(x).value(), expected_output(layer, x));
  expect_message(kernel.assign(random_tensor({3, 2, 5}, 7)), invalid, "(3, 2, 5), but it must be (3, 2, 4)");
  expect_message(kernel.assign({{3, 2, 4}, {1}}), invalid, "1 elements");
  EXPECT_EQ(kernel.value().value().data, random_tensor({3, 2, 4}, 7).data);
}

TEST(Variables, OutliveTheirLayer) {
  const Variable kernel = [] {
    Conv1DTranspose layer({.filters = 2, .kernel_size = 3, .kernel_initializer = "ones"});
    EXPECT_TRUE(layer.build({1, 5, 4}).ok());
    return layer.weights().value()[0];
  }();
  EXPECT_EQ(kernel.value().value().data, std::vector<float>(24, 1));
}

TEST(Variables, ProjectAppliesTheConstraint) {
  Conv1DTranspose layer({.filters = 2,
                         .kernel_size = 1,
                         .kernel_constraint = constraints::max_norm({.max_value = 1, .axis = {0, 1, 2}}),
                         .bias_constraint = {"clear", [](const Tensor &value) {
                                               return Tensor{value.shape, std::vector<float>(value.data.size())};
                                             }}});
  ASSERT_TRUE(layer.set_weights(std::vector<Tensor>{{{1, 2, 1}, {3, 4}}, {{2}, {5, 6}}}).ok());
  std::vector<Variable> variables = layer.weights().value();
  for (Variable &variable : variables) {
    EXPECT_FALSE(variable.constraint().is_none());
    ASSERT_TRUE(variable.project().ok());
  }
  const std::vector<Tensor> weights = layer.get_weights().value();
  EXPECT_NEAR(weights[0].data[0], 0.6f, 1e-6);
  EXPECT_NEAR(weights[0].data[1], 0.8f, 1e-6);
  EXPECT_EQ(weights[1].data, (std::vector<float>{0, 0}));
}

TEST(Variables, AddVariableGivesTheOneThatIsThere) {
  Graph graph;
  Conv1DTranspose layer({.filters = 2, .kernel_size = 3, .graph = graph});
  const WeightArguments wanted = {.name = "moving", .shape = {2}, .initializer = "ones", .regularizer = "l2"};
  const Result<Variable> made = layer.add_variable(wanted);
  ASSERT_TRUE(made.ok()) << made.status().message();
  EXPECT_EQ(layer.add_variable(wanted).value(), made.value());
  expect_message(layer.add_weight(wanted).status(), invalid, "moving' exists in the layer's graph");
  EXPECT_EQ(layer.weights().value().size(), 1u);
  expect_message(layer.add_variable({.name = "moving", .shape = {3}}).status(), invalid, "shape (2,), not (3,)");
  EXPECT_FALSE(made.value().regularizer().is_none());
  Conv1DTranspose eager({.filters = 2, .kernel_size = 3});
  expect_message(eager.add_variable(wanted).status(), StatusCode::failed_precondition, "no graph");
  EXPECT_FALSE(eager.add_weight(wanted).value() == eager.add_weight(wanted).value());
}

TEST(Variables, OfOneGraphHaveDifferentPaths) {
  Graph graph;
  Conv1DTranspose layer({.filters = 2, .kernel_size = 3, .name = "up", .graph = graph});
  ASSERT_TRUE(layer.add_weight({.name = "kernel", .shape = {1}}).ok());
  expect_message(layer.build({1, 4, 5}), invalid, "'up/kernel' exists");
  EXPECT_FALSE(layer.built());
  EXPECT_EQ(graph.variables().value().size(), 1u);
}

TEST(Variables, AddWeightTakesAConstraint) {
  Conv1DTranspose layer({.filters = 2, .kernel_size = 3});
  Result<Variable> scale = layer.add_weight(
      {.name = "scale", .shape = {2}, .initializer = initializers::constant(-1), .constraint = "non_neg"});
  ASSERT_TRUE(scale.ok()) << scale.status().message();
  ASSERT_TRUE(scale.value().project().ok());
  EXPECT_EQ(scale.value().value().value().data, (std::vector<float>{0, 0}));
}

TEST(Variables, WhatCannotBeAVariableIsRefused) {
  Conv1DTranspose layer({.filters = 2, .kernel_size = 3});
  const auto refused = [&](const WeightArguments &arguments, StatusCode code, const char *part) {
    expect_message(layer.add_weight(arguments).status(), code, part);
    EXPECT_TRUE(layer.weights().value().empty());
  };
  refused({.name = "", .shape = {2}}, invalid, "name");
  refused({.name = "w", .shape = {2, unknown}}, invalid, "(2, None)");
  refused({.name = "w", .shape = {1 << 20, 1 << 20}}, StatusCode::unsupported, "2^31");
  refused({.name = "w", .shape = {2}, .dtype = "int8"}, StatusCode::unsupported, "'int8'");
  refused({.name = "w", .shape = {2}, .initializer = "none such"}, invalid, "'none such'");
  refused({.name = "w", .shape = {2}, .initializer = "identity"}, invalid, "(2,)");
}

}  // namespace
}  // namespace tconv::test
