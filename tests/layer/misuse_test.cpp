// Layers used in ways they should not be, and copies: an error each, and never a crash.
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "layer_case.h"
#include "tconv/functional.h"
#include "tconv/layer.h"

namespace tconv::test {
namespace {

// What every member says of a layer that is in no state to serve.
std::vector<Status> all_members(Conv2DTranspose &layer) {
  const Tensor x = random_tensor({1, 4, 4, 2}, 1);
  std::vector<float> y(36);
  return {layer.status(),
          layer.scope_name().status(),
          layer.graph().status(),
          layer.set_trainable(true),
          layer.weights().status(),
          layer.variables().status(),
          layer.trainable_weights().status(),
          layer.trainable_variables().status(),
          layer.non_trainable_weights().status(),
          layer.non_trainable_variables().status(),
          layer.add_weight({.name = "w", .shape = {1}}).status(),
          layer.add_variable({.name = "w", .shape = {1}}).status(),
          layer.losses().status(),
          layer.get_losses_for(nullptr).status(),
          layer.add_loss(1),
          layer.add_loss([] { return 1.0f; }),
          layer.updates().status(),
          layer.get_updates_for(nullptr).status(),
          layer.add_update([] { return Status(); }),
          layer.input().status(),
          layer.output().status(),
          layer.input_shape().status(),
          layer.output_shape().status(),
          layer.input_mask().status(),
          layer.output_mask().status(),
          layer.get_input_at(0).status(),
          layer.get_output_at(0).status(),
          layer.get_input_shape_at(0).status(),
          layer.get_output_shape_at(0).status(),
          layer.get_input_mask_at(0).status(),
          layer.get_output_mask_at(0).status(),
          layer.build(x.shape),
          layer(x).status(),
          layer.apply(x).status(),
          layer.call(x).status(),
          layer.call(x.data, x.shape, y),
          layer.convolution_op(x, x).status(),
          layer.set_weights({}),
          layer.get_weights().status(),
          layer.compute_output_shape(x.shape).status(),
          layer.compute_mask(x).status(),
          layer.count_params().status(),
          layer.get_config().status(),
          layer.serialize().status(),
          layer.kernel_info().status(),
          layer.kernel_info(x.shape).status(),
          layer.use_kernel(tconv_kernel{}, tconv_layer{}),
          layer.deep_copy().status()};
}

TEST(Misuse, AMovedFromLayerSaysSo) {
  Conv2DTranspose layer({.filters = 1, .kernel_size = 3, .name = "up"});
  ASSERT_TRUE(layer.build({1, 4, 4, 2}).ok());
  const Conv2DTranspose taken = std::move(layer);
  for (const Status &status : all_members(layer)) {
    expect_message(status, StatusCode::failed_precondition, "moved from");
  }
  EXPECT_EQ(layer.name(), "");
  EXPECT_FALSE(layer.built());
  EXPECT_FALSE(layer.trainable());
  EXPECT_EQ(layer.dtype(), "float32");
  EXPECT_TRUE(layer.activity_regularizer().is_none());
  EXPECT_EQ(layer.config().filters, 0);
  EXPECT_EQ(taken.name(), "up");
  EXPECT_TRUE(taken.built());
}

TEST(Misuse, ALayerWithAnErrorReturnsItFromEveryMember) {
  Conv2DTranspose layer({.filters = -5, .kernel_size = 3});
  for (const Status &status : all_members(layer)) {
    expect_message(status, StatusCode::invalid_argument, "filters -5");
  }
}

TEST(Misuse, CallsBeforeBuild) {
  const Conv2DTranspose layer({.filters = 1, .kernel_size = 3, .name = "up"});
  const Tensor x = random_tensor({1, 4, 4, 2}, 1);
  const StatusCode early = StatusCode::failed_precondition;
  expect_message(layer.call(x).status(), early, "'up', which is not built");
  expect_message(layer.count_params().status(), early, "'up', which is not built");
  expect_message(layer.kernel_info().status(), early, "'up', which is not built");
  EXPECT_TRUE(layer.get_weights().value().empty());
  EXPECT_FALSE(layer.built());
}

TEST(Misuse, InputsThatTheLayerDoesNotTake) {
  Conv2DTranspose layer({.filters = 1, .kernel_size = 3, .groups = 1});
  const StatusCode invalid = StatusCode::invalid_argument;
  expect_message(layer(random_tensor({4, 4, 2}, 1)).status(), invalid, "(4, 4, 2) must have 4 entries");
  expect_message(layer(Tensor{{1, 4, 4, 0}, {}}).status(), invalid, "channels");
  expect_message(layer.build({1, 4, 4, unknown}), invalid, "(1, 4, 4, None): the channels");
  EXPECT_FALSE(layer.built());
  ASSERT_TRUE(layer(random_tensor({1, 4, 4, 2}, 1)).ok());
  expect_message(layer(random_tensor({1, 4, 4, 3}, 1)).status(), invalid, "3 channels, but the layer takes 2");
  expect_message(layer(Tensor{{1, 4, 4, 2}, {1, 2, 3}}).status(), invalid, "3 elements");
}

TEST(Misuse, ConvolutionOpTakesAnotherKernel) {
  Conv2DTranspose layer({.filters = 3, .kernel_size = 2, .activation = "relu", .bias_initializer = "ones"});
  const Tensor x = random_tensor({1, 4, 4, 2}, 1), kernel = random_tensor({2, 2, 3, 2}, 2);
  const Result<Tensor> y = layer.convolution_op(x, kernel);
  ASSERT_TRUE(y.ok()) << y.status().message();
  EXPECT_FALSE(layer.built());
  Conv2DTranspose plain({.filters = 3, .kernel_size = 2, .use_bias = false});
  ASSERT_TRUE(plain.set_weights(std::vector<Tensor>{kernel}).ok());
  expect_equal(y.value(), expected_output(plain, x));
  expect_message(layer.convolution_op(x, random_tensor({2, 2, 2, 3}, 2)).status(), StatusCode::invalid_argument,
                 "(2, 2, 2, 3), but it must be (2, 2, 3, 2)");
}

TEST(Copy, IsDeep) {
  Graph graph;
  Conv2DTranspose layer({.filters = 3, .kernel_size = 2, .activation = "relu", .name = "up", .graph = graph});
  const Tensor x = random_tensor({1, 4, 4, 2}, 1);
  const Tensor y = layer(x).value();
  ASSERT_TRUE(layer.add_weight({.name = "steps", .shape = {1}, .trainable = false}).ok());
  ASSERT_TRUE(layer.add_loss(5).ok());
  ASSERT_TRUE(layer.set_trainable(false).ok());
  Result<Conv2DTranspose> copy = layer.deep_copy();
  ASSERT_TRUE(copy.ok()) << copy.status().message();
  EXPECT_EQ(copy.value().name(), "up");
  EXPECT_EQ(copy.value().graph().value(), graph);
  EXPECT_FALSE(copy.value().trainable());
  EXPECT_EQ(copy.value().losses().value(), std::vector<float>{});
  ASSERT_EQ(copy.value().weights().value().size(), 3u);
  EXPECT_FALSE(copy.value().weights().value()[0] == layer.weights().value()[0]);
  EXPECT_EQ(copy.value()(x).value().data, y.data);
  std::vector<Tensor> weights = layer.get_weights().value();
  weights[0] = random_tensor(weights[0].shape, 5);
  ASSERT_TRUE(layer.set_weights(weights).ok());
  EXPECT_NE(layer(x).value().data, y.data);
  EXPECT_EQ(copy.value()(x).value().data, y.data);
  const Result<Conv2DTranspose> unbuilt = Conv2DTranspose({.filters = 3, .kernel_size = 2}).deep_copy();
  ASSERT_TRUE(unbuilt.ok());
  EXPECT_FALSE(unbuilt.value().built());
}

}  // namespace
}  // namespace tconv::test
