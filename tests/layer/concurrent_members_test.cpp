// The members that concurrent_test.cpp leaves out, used by several threads at once: copies, variables, records and the
// functional forms. ThreadSanitizer looks on in the thread preset.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "layer_case.h"
#include "tconv/functional.h"
#include "tconv/layer.h"

namespace tconv::test {
namespace {

constexpr int threads = 4, rounds = 8;

void in_threads(const std::function<void(int thread, int round)> &work) {
  std::vector<std::thread> pool;
  for (int t = 0; t < threads; ++t) {
    pool.emplace_back([&work, t] {
      for (int r = 0; r < rounds; ++r) work(t, r);
    });
  }
  for (std::thread &thread : pool) thread.join();
}

TEST(ConcurrentMembers, ACopyHasOneSetOfWeights) {
  Conv1DTranspose layer({.filters = 2, .kernel_size = 3});
  const auto weights = [](float value) {
    return std::vector<Tensor>{{{3, 2, 4}, std::vector<float>(24, value)}, {{2}, {value, value}}};
  };
  ASSERT_TRUE(layer.set_weights(weights(0)).ok());
  std::atomic<int> torn = 0, failed = 0;
  in_threads([&](int thread, int round) {
    if (thread % 2 == 0) {
      failed += !layer.set_weights(weights(static_cast<float>(thread * rounds + round))).ok();
      return;
    }
    const Result<Conv1DTranspose> copy = layer.deep_copy();
    failed += !copy.ok();
    if (!copy.ok()) return;
    const std::vector<Tensor> copied = copy.value().get_weights().value();
    torn += copied[0].data[0] != copied[1].data[0];
  });
  EXPECT_EQ(torn, 0);
  EXPECT_EQ(failed, 0);
}

TEST(ConcurrentMembers, AddVariableMakesOneOfAName) {
  Graph graph;
  Conv1DTranspose layer({.filters = 2, .kernel_size = 3, .graph = graph});
  std::atomic<int> failed = 0;
  in_threads(
      [&](int, int round) { failed += !layer.add_variable({.name = "v" + std::to_string(round), .shape = {2}}).ok(); });
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(layer.weights().value().size(), static_cast<std::size_t>(rounds));
  EXPECT_EQ(graph.variables().value().size(), static_cast<std::size_t>(rounds));
}

TEST(ConcurrentMembers, RecordsHaveEveryCall) {
  Graph graph;
  Conv1DTranspose layer({.filters = 2, .kernel_size = 3, .activity_regularizer = "l2", .graph = graph});
  std::vector<Tensor> inputs;
  for (unsigned t = 0; t < threads; ++t) inputs.push_back(random_tensor({1, 4, 3}, t));
  std::atomic<int> failed = 0;
  in_threads([&](int thread, int round) {
    const Tensor &x = inputs[static_cast<std::size_t>(thread)];
    failed += !layer(x).ok() + !layer.losses().ok() + !layer.get_losses_for(&x).ok() + !layer.input_shape().ok() +
              !layer.get_output_at(0).ok() + !layer.add_update([] { return Status(); }, &x).ok() +
              !layer.updates().ok() + !layer.set_trainable(round % 2 == 0).ok() + !layer.get_config().ok();
  });
  EXPECT_EQ(failed, 0);
  ASSERT_TRUE(layer.set_trainable(true).ok());
  for (const Tensor &x : inputs) {
    EXPECT_EQ(layer.get_losses_for(&x).value(), std::vector<float>(rounds, layer.get_losses_for(&x).value()[0]));
    EXPECT_EQ(layer.get_updates_for(&x).value().size(), static_cast<std::size_t>(rounds));
  }
  EXPECT_TRUE(layer.get_input_at(threads * rounds - 1).ok());
}

TEST(ConcurrentMembers, FunctionalFormsShareOneSetOfVariables) {
  const VariableScope scope;
  const Tensor x = random_tensor({1, 4, 3}, 1);
  const ConvTransposeArguments<1> up = {.filters = 2, .kernel_size = 3, .activity_regularizer = "l1", .name = "up"};
  std::vector<Tensor> outputs(threads);
  std::atomic<int> failed = 0;
  in_threads([&](int thread, int) {
    const VariableScope block(scope, "block");
    const Result<Tensor> y = conv1d_transpose(block, x, up, Reuse::automatic);
    failed += !y.ok() + !scope.graph().regularization_losses().ok();
    if (y.ok()) outputs[static_cast<std::size_t>(thread)] = y.value();
  });
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(scope.graph().variables().value().size(), 2u);
  for (const Tensor &output : outputs) EXPECT_EQ(output.data, outputs[0].data);
}

TEST(ConcurrentMembers, VariablesAreAssignedWhileTheLayerRuns) {
  Conv1DTranspose layer({.filters = 2, .kernel_size = 3, .kernel_constraint = "non_neg"});
  const Tensor x = random_tensor({1, 4, 3}, 1);
  ASSERT_TRUE(layer(x).ok());
  std::atomic<int> failed = 0;
  in_threads([&](int thread, int round) {
    Variable kernel = layer.weights().value()[0];
    if (thread % 2 == 0) {
      failed += !kernel.assign(random_tensor({3, 2, 3}, static_cast<unsigned>(round))).ok() + !kernel.project().ok();
    } else {
      failed += !layer.call(x).ok() + !kernel.value().ok();
    }
  });
  EXPECT_EQ(failed, 0);
  expect_equal(layer(x).value(), expected_output(layer, x));
}

}  // namespace
}  // namespace tconv::test
