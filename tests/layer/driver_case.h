// One call of the C driver with its layer, its cut and its arrays, and the steps that each test of the driver takes:
// pack, run, compare.
#ifndef TCONV_TESTS_DRIVER_CASE_H
#define TCONV_TESTS_DRIVER_CASE_H

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "naive_scatter.h"
#include "reference_kernel.h"
#include "tconv/run.h"
#include "weight_order.h"

namespace tconv::test {

struct Case {
  tconv_layer layer = {};
  tconv_tiling tiling = {};
  Position tile = {1, 1, 1};
  std::int64_t size[TCONV_MAX_RANK] = {};
  Problem problem;
  bool torch_order = false;
};

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::int64_t operator()(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }
  template <std::size_t n>
  std::int64_t one_of(const std::int64_t (&values)[n]) {
    return values[(*this)(0, n - 1)];
  }
  std::vector<float> floats(std::int64_t count) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float &value : values) value = static_cast<float>((*this)(-1000, 1000)) / 1000.0f;
    return values;
  }

 private:
  std::mt19937_64 engine_;
};

inline tconv_weight_strides strides_of(const Case &c) {
  return strides_in_order(c.problem, c.layer.rank, c.torch_order);
}

inline tconv_call call_of(const Case &c, const std::vector<float> &input, const std::vector<float> &packed) {
  tconv_call call = {};
  call.batch = c.problem.batch;
  for (int d = 0; d < c.layer.rank; ++d) call.size[d] = c.size[d];
  call.input = input.data();
  call.packed = packed.data();
  return call;
}

// Exactly the workspace that is asked for, and at an odd address.
inline std::vector<float> run(const Case &c, const tconv_kernel &kernel, tconv_call call, int threads, int *status) {
  std::vector<float> output(static_cast<std::size_t>(c.problem.outputs()), unwritten());
  call.output = output.data();
  call.threads = threads;
  call.workspace_bytes = tconv_workspace_bytes(&kernel, &c.layer, &call);
  const std::unique_ptr<char[]> memory(new char[call.workspace_bytes + 1]);
  std::memset(memory.get(), 0xff, call.workspace_bytes + 1);
  if (call.workspace_bytes > 0) call.workspace = memory.get() + 1;
  reference_unwritten = {output.data(), output.data() + output.size()};
  *status = tconv_run_kernel(&kernel, &c.layer, &call);
  reference_unwritten = {};
  return output;
}

inline std::vector<float> pack(const Case &c, const tconv_kernel &kernel, const std::vector<float> &weights,
                               const std::vector<float> &bias) {
  const tconv_weight_strides strides = strides_of(c);
  std::vector<float> packed(tconv_packed_bytes(&kernel, &c.layer) / sizeof(float));
  const std::vector<float> array = c.torch_order ? weights : keras_order(c.problem, weights);
  EXPECT_EQ(tconv_pack(&kernel, &c.layer, array.data(), &strides, bias.empty() ? nullptr : bias.data(), packed.data()),
            TCONV_OK);
  return packed;
}

// Of sums in float32 that are as long as a test's.
inline constexpr double sum_tolerance = 2e-6;

inline void expect_close(const std::vector<float> &got, const std::vector<double> &wanted,
                         double tolerance = sum_tolerance) {
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], wanted[i], tolerance * (1 + std::fabs(wanted[i]))) << "element " << i;
  }
}

// What one random layer came to.
struct Outcome {
  bool empty, copied;
};

// Runs the layer with random arrays, compares it with the definition in double, and the bits of more threads with those
// of one.
inline void expect_definition(const Case &c, const tconv_kernel &kernel, Random &random, double tolerance,
                              Outcome *outcome) {
  const std::vector<float> input = random.floats(std::max<std::int64_t>(c.problem.inputs(), 1));
  const std::vector<float> weights = random.floats(c.problem.weights());
  const std::vector<float> bias = random.floats(random(0, 2) ? c.layer.out_channels : 0);
  const std::vector<float> packed = pack(c, kernel, weights, bias);
  const tconv_call call = call_of(c, input, packed);
  int status = -1;
  const std::vector<float> one = run(c, kernel, call, 1, &status);
  ASSERT_EQ(status, TCONV_OK) << tconv_status_message(status);
  ASSERT_NO_FATAL_FAILURE(expect_close(one, scatter(c.problem, input, weights, bias), tolerance));
  for (const int threads : {2, 3, 7}) {
    const std::vector<float> many = run(c, kernel, call, threads, &status);
    ASSERT_EQ(status, TCONV_OK);
    ASSERT_TRUE(one.empty() || std::memcmp(one.data(), many.data(), one.size() * sizeof(float)) == 0) << threads;
  }
  *outcome = {one.empty(), tconv_workspace_bytes(&kernel, &c.layer, &call) > 0};
}

class Driver : public testing::Test {
 protected:
  void SetUp() override {
    halide_set_num_threads(7);
    reference_expects_nan = true;
  }
};

}  // namespace tconv::test

#endif
