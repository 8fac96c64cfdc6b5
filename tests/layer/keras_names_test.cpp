// The names of layers as Keras gives them, and what becomes of them in a graph.
#include <gtest/gtest.h>

#include <string>

#include "golden_json.h"
#include "layer_case.h"
#include "tconv/functional.h"
#include "tconv/layer.h"

namespace tconv::test {
namespace {

template <int rank>
std::string default_name(const std::optional<Graph> &graph = {}) {
  return ConvTranspose<rank>({.filters = 1, .kernel_size = 1, .graph = graph}).name();
}

// Of "conv2d_transpose_7" 7, of the name alone 0.
int number_of(const std::string &name, const std::string &base) {
  EXPECT_TRUE(name.starts_with(base)) << name;
  return name == base ? 0 : std::stoi(name.substr(base.size() + 1));
}

// Other tests of this program take names of the process too, so that only the steps are known.
TEST(KerasNames, DefaultsCountInTheProcessForEachRank) {
  const int one = number_of(default_name<1>(), "conv1d_transpose");
  const int two = number_of(default_name<2>(), "conv2d_transpose");
  EXPECT_EQ(default_name<1>(), "conv1d_transpose_" + std::to_string(one + 1));
  EXPECT_EQ(default_name<1>(), "conv1d_transpose_" + std::to_string(one + 2));
  EXPECT_EQ(default_name<2>(), "conv2d_transpose_" + std::to_string(two + 1));
  const int three = number_of(default_name<3>(), "conv3d_transpose");
  EXPECT_EQ(default_name<3>(), "conv3d_transpose_" + std::to_string(three + 1));
}

TEST(KerasNames, DefaultsCountInEachGraph) {
  for (int round = 0; round < 2; ++round) {
    const Graph graph;
    EXPECT_EQ(default_name<2>(graph), "conv2d_transpose");
    EXPECT_EQ(default_name<2>(graph), "conv2d_transpose_1");
    EXPECT_EQ(default_name<1>(graph), "conv1d_transpose");
    EXPECT_EQ(default_name<3>(graph), "conv3d_transpose");
    EXPECT_EQ(default_name<2>(graph), "conv2d_transpose_2");
    EXPECT_EQ(default_name<3>(graph), "conv3d_transpose_1");
  }
}

TEST(KerasNames, GivenNamesAreKeptAndNotCounted) {
  const Graph graph;
  for (int round = 0; round < 2; ++round) {
    const Conv2DTranspose up({.filters = 1, .kernel_size = 1, .name = "up", .graph = graph});
    EXPECT_EQ(up.name(), "up");
  }
  const Conv2DTranspose taken({.filters = 1, .kernel_size = 1, .name = "conv2d_transpose", .graph = graph});
  EXPECT_EQ(taken.name(), "conv2d_transpose");
  EXPECT_EQ(default_name<2>(graph), "conv2d_transpose");
}

TEST(KerasNames, ASlashIsRefused) {
  for (const char *name : {"a/b", "/a", "a/"}) {
    const Conv1DTranspose layer({.filters = 1, .kernel_size = 1, .name = name});
    expect_message(layer.status(), StatusCode::invalid_argument, name);
    EXPECT_EQ(layer.name(), "");
  }
}

// As tf.compat.v1.layers.Conv2DTranspose: the name is kept, and the second scope counts.
TEST(KerasNames, TwoLayersOfOneNameHaveScopesOfTheirOwn) {
  const Graph graph;
  Conv2DTranspose first({.filters = 1, .kernel_size = 1, .name = "up", .graph = graph});
  Conv2DTranspose second({.filters = 1, .kernel_size = 1, .name = "up", .graph = graph});
  expect_message(second.scope_name().status(), StatusCode::failed_precondition, "has not been used");
  // The scopes are taken in the order of use.
  const Tensor x = random_tensor({1, 2, 3, 2}, 1);
  ASSERT_TRUE(second(x).ok());
  ASSERT_TRUE(first(x).ok());
  EXPECT_EQ(second.name(), "up");
  EXPECT_EQ(second.scope_name().value(), "up");
  EXPECT_EQ(first.name(), "up");
  EXPECT_EQ(first.scope_name().value(), "up_1");
  EXPECT_EQ(paths(graph.variables()), (std::vector<std::string>{"up/kernel", "up/bias", "up_1/kernel", "up_1/bias"}));
}

TEST(KerasNames, ALayerLeavesTheScopesOfFunctionalFormsAlone) {
  const Graph graph;
  const Tensor x = random_tensor({1, 2, 3, 2}, 1);
  ASSERT_TRUE(conv2d_transpose(VariableScope(graph), x, {.filters = 1, .kernel_size = 1, .name = "up"}).ok());
  Conv2DTranspose layer({.filters = 1, .kernel_size = 1, .name = "up", .graph = graph});
  ASSERT_TRUE(layer(x).ok());
  EXPECT_EQ(layer.scope_name().value(), "up_1");
}

// As in TensorFlow, where both take their variables from one store.
TEST(KerasNames, FunctionalFormsMeetTheVariablesOfLayers) {
  const Graph graph;
  const VariableScope scope(graph);
  const Tensor x = random_tensor({1, 2, 3, 2}, 1);
  const ConvTransposeArguments<2> up = {.filters = 1, .kernel_size = 1, .name = "up"};
  Conv2DTranspose layer({.filters = 1, .kernel_size = 1, .name = "up", .graph = graph});
  const Result<Tensor> y = layer(x);
  ASSERT_TRUE(y.ok());
  expect_message(conv2d_transpose(scope, x, up).status(), StatusCode::invalid_argument, "'up/kernel' exists");
  EXPECT_EQ(conv2d_transpose(scope, x, up, Reuse::yes).value().data, y.value().data);
  EXPECT_EQ(graph.variables().value().size(), 2u);
  Conv2DTranspose unnamed({.filters = 1, .kernel_size = 1, .graph = graph});
  ASSERT_TRUE(unnamed(x).ok());
  ASSERT_TRUE(conv2d_transpose(scope, x, {.filters = 1, .kernel_size = 1}).ok());
  EXPECT_EQ(graph.variables().value().back().path(), "conv2d_transpose_1/bias");
}

}  // namespace
}  // namespace tconv::test
