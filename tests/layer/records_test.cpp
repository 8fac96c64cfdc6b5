// Calls as nodes, losses and updates: in a layer with a graph, and what is left of them in one without.
#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "layer_case.h"
#include "tconv/layer.h"

namespace tconv::test {
namespace {

constexpr StatusCode early = StatusCode::failed_precondition;

TEST(Records, ANodeIsOneCall) {
  Graph graph;
  Conv1DTranspose layer({.filters = 2, .kernel_size = 3, .name = "up", .graph = graph});
  EXPECT_EQ(layer.graph().value(), graph);
  expect_message(layer.input().status(), early, "never called");
  expect_message(layer.output_shape().status(), early, "never called");
  expect_message(layer.get_output_at(0).status(), early, "never called");
  const Tensor a = random_tensor({1, 4, 3}, 1), b = random_tensor({1, 4, 3}, 2), c = random_tensor({1, 6, 3}, 3);
  const Tensor y = layer(a).value();
  EXPECT_EQ(layer.input().value().data, a.data);
  EXPECT_EQ(layer.output().value().data, y.data);
  EXPECT_EQ(layer.input_shape().value(), a.shape);
  EXPECT_EQ(layer.output_shape().value(), y.shape);
  EXPECT_EQ(layer.input_mask().value(), std::nullopt);
  EXPECT_EQ(layer.output_mask().value(), std::nullopt);

  const Tensor z = layer.apply(b).value();
  expect_message(layer.input().status(), early, "called 2 times: use get_input_at()");
  expect_message(layer.output().status(), early, "called 2 times: use get_output_at()");
  expect_message(layer.input_mask().status(), early, "called 2 times");
  expect_message(layer.output_mask().status(), early, "called 2 times");
  EXPECT_EQ(layer.input_shape().value(), a.shape);
  EXPECT_EQ(layer.get_input_at(1).value().data, b.data);
  EXPECT_EQ(layer.get_output_at(1).value().data, z.data);
  EXPECT_EQ(layer.get_output_at(0).value().data, y.data);

  ASSERT_TRUE(layer(c).ok());
  expect_message(layer.input_shape().status(), early, "(1, 4, 3) and (1, 6, 3)");
  expect_message(layer.output_shape().status(), early, "(1, 6, 2) and (1, 8, 2)");
  EXPECT_EQ(layer.get_input_shape_at(2).value(), c.shape);
  EXPECT_EQ(layer.get_output_shape_at(2).value(), (Shape{1, 8, 2}));
  EXPECT_EQ(layer.get_input_mask_at(2).value(), std::nullopt);
  EXPECT_EQ(layer.get_output_mask_at(0).value(), std::nullopt);
  for (const int index : {-1, 3}) {
    const std::string text = "(" + std::to_string(index) + ") of 'up', which was called 3 times";
    const StatusCode invalid = StatusCode::invalid_argument;
    expect_message(layer.get_input_at(index).status(), invalid, text.c_str());
    expect_message(layer.get_output_at(index).status(), invalid, text.c_str());
    expect_message(layer.get_input_shape_at(index).status(), invalid, text.c_str());
    expect_message(layer.get_output_shape_at(index).status(), invalid, text.c_str());
    expect_message(layer.get_input_mask_at(index).status(), invalid, text.c_str());
    expect_message(layer.get_output_mask_at(index).status(), invalid, text.c_str());
  }
  // The computation alone is no node.
  ASSERT_TRUE(layer.call(a).ok());
  expect_message(layer.get_input_at(3).status(), StatusCode::invalid_argument, "3 times");
}

TEST(Records, ALayerWithoutAGraphKeepsNoCalls) {
  Conv1DTranspose layer({.filters = 2, .kernel_size = 3});
  ASSERT_TRUE(layer(random_tensor({1, 4, 3}, 1)).ok());
  const Tensor x = random_tensor({1, 4, 3}, 1);
  expect_message(layer.graph().status(), early, ".graph");
  for (const Status &status :
       {layer.input().status(), layer.output().status(), layer.input_shape().status(), layer.output_shape().status(),
        layer.input_mask().status(), layer.output_mask().status(), layer.get_input_at(0).status(),
        layer.get_output_at(0).status(), layer.get_input_shape_at(0).status(), layer.get_output_shape_at(0).status(),
        layer.get_input_mask_at(0).status(), layer.get_output_mask_at(0).status(), layer.get_losses_for(&x).status(),
        layer.get_updates_for(&x).status(), layer.add_loss(1.0f), layer.add_loss([] { return 1.0f; })}) {
    expect_message(status, early, "constructed with .graph");
  }
}

TEST(Records, LossesOfCallsAndOfVariables) {
  Graph graph;
  Conv1DTranspose layer({.filters = 1,
                         .kernel_size = 1,
                         .kernel_initializer = initializers::constant(2),
                         .bias_initializer = "ones",
                         .kernel_regularizer = regularizers::l2(0.5),
                         .bias_regularizer = {"twice", [](const Tensor &value) { return 2 * value.data[0]; }},
                         .activity_regularizer = regularizers::l1(0.25),
                         .graph = graph});
  EXPECT_FALSE(layer.activity_regularizer().is_none());
  using Losses = std::vector<float>;
  EXPECT_EQ(layer.losses().value(), Losses{});
  const Tensor a = {{1, 2, 1}, {1, 2}}, b = {{1, 1, 1}, {-3}};
  ASSERT_TRUE(layer(a).ok());
  // y = 2 x + 1: 0.25 (3 + 5), then 0.5 * 4 and 2 * 1.
  EXPECT_EQ(layer.losses().value(), (Losses{2, 2, 2}));
  ASSERT_TRUE(layer(b).ok());
  ASSERT_TRUE(layer.add_loss(7, &b).ok());
  ASSERT_TRUE(layer.add_loss(8).ok());
  float ninth = 9;
  ASSERT_TRUE(layer.add_loss([&] { return ninth; }).ok());
  EXPECT_EQ(layer.losses().value(), (Losses{2, 1.25, 7, 8, 2, 2, 9}));
  EXPECT_EQ(layer.get_losses_for(&a).value(), Losses{2});
  EXPECT_EQ(layer.get_losses_for(&b).value(), (Losses{1.25, 7}));
  EXPECT_EQ(layer.get_losses_for(nullptr).value(), (Losses{8, 2, 2, 9}));
  const Tensor other = {{2, 1, 1}, {1, 2}};
  EXPECT_EQ(layer.get_losses_for(&other).value(), Losses{});
  ninth = 10;
  ASSERT_TRUE(layer.set_trainable(false).ok());
  EXPECT_EQ(layer.get_losses_for(nullptr).value(), (Losses{8, 10}));
  ASSERT_TRUE(layer.add_loss([]() -> float { throw std::runtime_error("no data"); }).ok());
  expect_message(layer.losses().status(), StatusCode::invalid_argument, "no data");
  expect_message(layer.add_loss(std::function<float()>()), StatusCode::invalid_argument, "empty");
}

TEST(Records, WithoutAGraphTheLatestCallsActivityLossCounts) {
  Conv1DTranspose layer({.filters = 1,
                         .kernel_size = 1,
                         .kernel_initializer = "ones",
                         .kernel_regularizer = regularizers::l1(3),
                         .activity_regularizer = regularizers::l1(1)});
  const Tensor a = {{1, 2, 1}, {1, 2}}, b = {{1, 1, 1}, {-4}};
  ASSERT_TRUE(layer(a).ok());
  EXPECT_EQ(layer.losses().value(), (std::vector<float>{3, 3}));
  ASSERT_TRUE(layer(b).ok());
  EXPECT_EQ(layer.losses().value(), (std::vector<float>{4, 3}));
  ASSERT_TRUE(layer.call(a).ok());
  EXPECT_EQ(layer.losses().value(), (std::vector<float>{4, 3}));
}

TEST(Records, UpdatesAreTheCallersToRun) {
  Graph graph;
  Conv1DTranspose layer({.filters = 1, .kernel_size = 1, .graph = graph});
  const Tensor a = {{1, 1, 1}, {1}}, b = {{1, 1, 1}, {2}};
  int ran = 0;
  const auto update = [&ran](int weight) {
    return [&ran, weight]() -> Status {
      ran += weight;
      return {};
    };
  };
  ASSERT_TRUE(layer.add_update(update(1)).ok());
  ASSERT_TRUE(layer.add_update(update(10), &a).ok());
  const auto run = [&](const Result<std::vector<Layer::Update>> &updates) {
    ran = 0;
    for (const Layer::Update &one : updates.value()) EXPECT_TRUE(one().ok());
    return ran;
  };
  EXPECT_EQ(run(layer.updates()), 11);
  EXPECT_EQ(run(layer.get_updates_for(nullptr)), 1);
  EXPECT_EQ(run(layer.get_updates_for(&a)), 10);
  EXPECT_EQ(run(layer.get_updates_for(&b)), 0);
  ASSERT_TRUE(layer.set_trainable(false).ok());
  EXPECT_EQ(run(layer.updates()), 0);
  EXPECT_EQ(run(layer.get_updates_for(&a)), 0);
  expect_message(layer.add_update(Layer::Update()), StatusCode::invalid_argument, "empty");
  Conv1DTranspose eager({.filters = 1, .kernel_size = 1});
  ASSERT_TRUE(eager.add_update(update(1)).ok());
  EXPECT_EQ(run(eager.updates()), 0);
}

TEST(Records, ScopeNameIsKnownFromTheFirstUse) {
  Conv1DTranspose layer({.filters = 1, .kernel_size = 1, .name = "up"});
  expect_message(layer.scope_name().status(), early, "'up', which has not been used");
  ASSERT_TRUE(layer.build({1, 1, 1}).ok());
  EXPECT_EQ(layer.scope_name().value(), "up");
}

TEST(Records, AMaskIsRefused) {
  const Conv1DTranspose layer({.filters = 1, .kernel_size = 1, .name = "up"});
  const Tensor x = random_tensor({2, 4, 3}, 1), mask = {{2, 4}, std::vector<float>(8, 1)};
  EXPECT_EQ(layer.compute_mask(x).value(), std::nullopt);
  EXPECT_EQ(layer.compute_mask(x, std::nullopt).value(), std::nullopt);
  expect_message(layer.compute_mask(x, mask).status(), StatusCode::invalid_argument, "mask of shape (2, 4)");
}

}  // namespace
}  // namespace tconv::test
