// One layer used by several threads at once, as tconv/layer.h allows: whatever the others do meanwhile, a result is
// bitwise that of weights that were set. ThreadSanitizer sees the layer's own code where doubles stand for the kernels.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <queue>
#include <thread>
#include <utility>
#include <vector>

#include "HalideRuntime.h"
#include "layer_case.h"
#include "tconv/layer.h"
#include "tconv/threads.h"

namespace tconv::test {
namespace {

using Weights = std::vector<Tensor>;

bool same(const Tensor &a, const Tensor &b) { return a.shape == b.shape && a.data == b.data; }

bool same(const Weights &a, const Weights &b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Tensor &x, const Tensor &y) { return same(x, y); });
}

// Runs every body in a thread of its own and waits for all.
void at_once(const std::vector<std::function<void()>> &bodies) {
  std::vector<std::thread> threads;
  for (const auto &body : bodies) threads.emplace_back(body);
  for (std::thread &thread : threads) thread.join();
}

// A pool such as an application brings along.
class ApplicationPool {
 public:
  explicit ApplicationPool(int workers) {
    for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
  }
  ~ApplicationPool() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    changed_.notify_all();
    for (std::thread &thread : threads_) thread.join();
  }
  void submit(std::function<void()> job) {
    {
      const std::lock_guard lock(mutex_);
      jobs_.push(std::move(job));
    }
    changed_.notify_one();
  }

 private:
  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closed_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      const std::function<void()> job = std::move(jobs_.front());
      jobs_.pop();
      lock.unlock();
      job();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::queue<std::function<void()>> jobs_;
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

class ConcurrentLayer : public testing::Test {
 protected:
  static constexpr std::size_t sets = 2;

  void SetUp() override {
    threads_before = num_threads();
    ASSERT_TRUE(set_num_threads(2).ok());
    for (std::size_t set = 0; set < sets; ++set) {
      ASSERT_TRUE(layer.set_weights(weights[set]).ok());
      for (const Tensor &input : inputs) wanted[set].push_back(layer(input).value());
    }
    ASSERT_FALSE(same(wanted[0], wanted[1]));
  }
  void TearDown() override { ASSERT_TRUE(set_num_threads(threads_before).ok()); }

  // Whether input `i` gives one of the two results, `in` the layer.
  bool is_right(Conv2DTranspose &in, std::size_t i) {
    const Result<Tensor> y = in(inputs[i]);
    return y.ok() && (same(y.value(), wanted[0][i]) || same(y.value(), wanted[1][i]));
  }

  // Calls with every input in turn; counts the wrong results.
  void call(int rounds) {
    for (int round = 0; round < rounds; ++round)
      for (std::size_t i = 0; i < inputs.size(); ++i) wrong += !is_right(layer, i);
  }

  static Weights random_weights(unsigned seed) { return {random_tensor({3, 3, 3, 5}, seed), random_tensor({3}, seed)}; }

  const ConvTransposeArguments<2> arguments = {.filters = 3,
                                               .kernel_size = 3,
                                               .strides = 2,
                                               .padding = "same",
                                               .activation = "tanh",
                                               .kernel_initializer = initializers::glorot_uniform(7)};
  const std::vector<Tensor> inputs = {random_tensor({1, 6, 6, 5}, 1), random_tensor({3, 5, 9, 5}, 2),
                                      random_tensor({2, 1, 4, 5}, 3)};
  const Weights weights[sets] = {random_weights(4), random_weights(5)};
  std::vector<Tensor> wanted[sets];
  Conv2DTranspose layer{arguments};
  std::atomic<int> wrong = 0;
  int threads_before = 0;
};

TEST_F(ConcurrentLayer, CallsGiveTheResultOfOneSetOfWeightsWhileOthersSetAndAsk) {
  const std::int64_t parameters = layer.count_params().value();
  const Shape output = layer.compute_output_shape(inputs[1].shape).value();
  std::atomic<int> calling = 3;
  const auto call_and_leave = [&] {
    call(40);
    --calling;
  };
  const auto set = [&] {
    for (std::size_t i = 0; calling > 0; ++i) wrong += !layer.set_weights(weights[i % sets]).ok();
  };
  const auto get = [&] {
    while (calling > 0) {
      const Result<Weights> now = layer.get_weights();
      wrong += !now.ok() || !(same(now.value(), weights[0]) || same(now.value(), weights[1]));
    }
  };
  const auto ask = [&] {
    while (calling > 0) {
      wrong += !layer.build(inputs[0].shape).ok() || !layer.built();
      wrong += layer.kernel_info().value().specialised || layer.kernel_info(inputs[1].shape).value().specialised;
      wrong += layer.compute_output_shape(inputs[1].shape).value() != output;
      wrong += layer.count_params().value() != parameters;
    }
  };
  at_once({call_and_leave, call_and_leave, call_and_leave, set, get, ask});
  EXPECT_EQ(wrong, 0);
}

TEST_F(ConcurrentLayer, OneBuildsItWhoeverComesFirst) {
  for (int round = 0; round < 20; ++round) {
    Conv2DTranspose drawn(arguments), fresh(arguments);
    wanted[0] = {drawn(inputs[0]).value()};
    const Weights first = drawn.get_weights().value();
    const auto call_fresh = [&] { wrong += !is_right(fresh, 0); };
    const auto get = [&] {
      const Weights now = fresh.get_weights().value();
      wrong += !(now.empty() || same(now, first) || same(now, weights[1]));
    };
    at_once({call_fresh, call_fresh, get,
             [&] {
               wrong += !fresh.build({unknown, unknown, unknown, 5}).ok();
             },
             [&] { wrong += !fresh.set_weights(weights[1]).ok(); }});
    EXPECT_TRUE(same(fresh(inputs[0]).value(), wanted[1][0])) << "round " << round;
  }
  EXPECT_EQ(wrong, 0);
}

TEST_F(ConcurrentLayer, TheBitsDoNotDependOnThePoolNorOnItsResizing) {
  Conv2DTranspose wide({.filters = 8, .kernel_size = 4, .strides = 3, .activation = "softmax"});
  const Tensor x = random_tensor({8, 5, 6, 4}, 6);
  ASSERT_TRUE(set_num_threads(1).ok());
  const Tensor one = wide(x).value();
  for (const int threads : {2, 7}) {
    ASSERT_TRUE(set_num_threads(threads).ok());
    EXPECT_TRUE(same(wide(x).value(), one)) << threads;
  }
  std::atomic<int> calling = 2;
  const auto call_wide = [&] {
    for (int i = 0; i < 20; ++i) wrong += !same(wide(x).value(), one);
    --calling;
  };
  const auto resize = [&] {
    for (int i = 0; calling > 0; ++i) wrong += !set_num_threads(i % 7 + 1).ok();
  };
  at_once({call_wide, call_wide, resize});
  EXPECT_EQ(wrong, 0);
}

TEST_F(ConcurrentLayer, TwoLayersDoNotMeet) {
  Conv1DTranspose line({.filters = 6, .kernel_size = 5, .data_format = "channels_first", .groups = 2});
  Conv3DTranspose volume({.filters = 2, .kernel_size = {2, 3, 1}, .strides = 2, .activation = "log_softmax"});
  const Tensor line_x = random_tensor({3, 4, 33}, 7), volume_x = random_tensor({2, 3, 2, 5, 3}, 8);
  const Tensor line_y = line(line_x).value(), volume_y = volume(volume_x).value();
  const auto call_line = [&] {
    for (int i = 0; i < 100; ++i) wrong += !same(line(line_x).value(), line_y);
  };
  const auto call_volume = [&] {
    for (int i = 0; i < 100; ++i) wrong += !same(volume(volume_x).value(), volume_y);
  };
  at_once({call_line, call_volume, call_line, call_volume});
  EXPECT_EQ(wrong, 0);
}

TEST_F(ConcurrentLayer, AnApplicationsOwnPoolMayCall) {
  {
    ApplicationPool pool(4);
    for (int job = 0; job < 60; ++job) {
      pool.submit([this, job] { wrong += !is_right(layer, static_cast<std::size_t>(job) % inputs.size()); });
      if (job % 10 == 0) pool.submit([this, job] { wrong += !layer.set_weights(weights[job / 10 % 2]).ok(); });
    }
  }
  EXPECT_EQ(wrong, 0);
}

// The tasks hold the pool's threads while the layer asks for them.
TEST_F(ConcurrentLayer, TasksOfHalidesPoolMayCall) {
  const auto task = [](void *, int index, std::uint8_t *closure) {
    auto *const test = static_cast<ConcurrentLayer_TasksOfHalidesPoolMayCall_Test *>(static_cast<void *>(closure));
    return test->is_right(test->layer, static_cast<std::size_t>(index) % test->inputs.size()) ? 0 : 1;
  };
  EXPECT_EQ(halide_do_par_for(nullptr, task, 0, 30, static_cast<std::uint8_t *>(static_cast<void *>(this))), 0);
}

}  // namespace
}  // namespace tconv::test
