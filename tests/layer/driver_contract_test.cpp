// What the C driver promises beside the numbers: whose threads it takes, which calls it refuses and with which status.
// Needs Halide's runtime and no compiler.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "driver_case.h"

namespace tconv::test {
namespace {

// One dimension, one channel: what the contract says can be read off it.
Case plain(const tconv_rule &rule, std::int64_t in) {
  Case c;
  c.layer = {1, 1, 1, 1, 1, {rule, {}, {}}, TCONV_UNSET, {TCONV_UNSET, TCONV_UNSET, TCONV_UNSET}, 0};
  c.tiling = {4, 1, 0, 0, 1 << 16, {}, 0, 0, 0, 0, 0, 0};
  c.size[0] = in;
  EXPECT_TRUE(tconv_resolve(&rule, in, &c.problem.dim[2])) << c.problem.dim[2].out;
  return c;
}

tconv_rule valid_rule(std::int64_t kernel, std::int64_t stride) {
  return {TCONV_PADDING_KERAS_VALID, kernel, stride, 1, TCONV_UNSET, 0, 0, TCONV_UNSET};
}

tconv_rule explicit_rule(std::int64_t kernel, std::int64_t dilation, std::int64_t pads) {
  return {TCONV_PADDING_EXPLICIT, kernel, 1, dilation, 0, pads, pads, TCONV_UNSET};
}

class Contract : public Driver {
 protected:
  void SetUp() override {
    Driver::SetUp();
    reference_tile = {1, 1, 1};
  }

  // The status of a run, with a result to compare in `output` when it is TCONV_OK.
  int status_of(const Case &c, const tconv_call &changes = {}) {
    const ReferenceKernel reference(c.tiling);
    Random random(2);
    const std::vector<float> input = random.floats(std::max<std::int64_t>(c.problem.inputs(), 1));
    const std::vector<float> weights = random.floats(c.problem.weights());
    const std::vector<float> packed = pack(c, reference.kernel, weights, {});
    tconv_call call = call_of(c, input, packed);
    call.parallel_for = changes.parallel_for;
    call.parallel_context = changes.parallel_context;
    int status = -1;
    output = run(c, reference.kernel, call, changes.threads, &status);
    wanted = scatter(c.problem, input, weights, {});
    return status;
  }

  std::vector<float> output;
  std::vector<double> wanted;
};

int count_calls(void *context, tconv_task task, int min, int size, std::uint8_t *closure) {
  ++*static_cast<int *>(context);
  for (int i = min; i < min + size; ++i) {
    if (const int status = task(nullptr, i, closure); status != 0) return status;
  }
  return 0;
}

TEST_F(Contract, TheCallersThreadsAreUsedAndNoneForOneThread) {
  int calls = 0;
  tconv_call changes = {};
  changes.parallel_for = count_calls;
  changes.parallel_context = &calls;
  changes.threads = 3;
  Case c = plain(valid_rule(4, 2), 50);
  c.tiling.block_bytes = 16;
  EXPECT_EQ(status_of(c, changes), TCONV_OK);
  expect_close(output, wanted);
  EXPECT_EQ(calls, 1);
  calls = 0;
  changes.threads = 1;
  c.layer.activation = TCONV_ACTIVATION_SOFTMAX;
  EXPECT_EQ(status_of(c, changes), TCONV_OK);
  EXPECT_EQ(calls, 0);
}

// In a process of its own, where nothing has used the pool yet.
TEST(DriverDeathTest, AFreshProcessUsesThePoolsDefault) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const tconv_call call = {};
  EXPECT_EXIT(std::exit(tconv_thread_count(&call) >= 1 ? 0 : 1), testing::ExitedWithCode(0), "");
}

TEST_F(Contract, ActivationsAreAppliedOnceToEveryOutput) {
  Case c = plain(valid_rule(3, 2), 20);
  c.layer.out_channels = c.problem.out_channels = 5;
  c.layer.activation = 1;
  EXPECT_EQ(status_of(c), TCONV_OK);
  for (double &value : wanted) value = std::max(value, 0.0);
  expect_close(output, wanted);
  for (const int last : {0, 1}) {
    c.layer.channels_last = last;
    c.problem.channels_last = last != 0;
    c.layer.activation = TCONV_ACTIVATION_LOG_SOFTMAX;
    EXPECT_EQ(status_of(c), TCONV_OK);
    const std::vector<float> logarithms = output;
    c.layer.activation = TCONV_ACTIVATION_SOFTMAX;
    EXPECT_EQ(status_of(c), TCONV_OK);
    for (std::size_t i = 0; i < output.size(); ++i) EXPECT_NEAR(std::exp(logarithms[i]), output[i], 1e-6);
    float sum = 0;
    // The last axis: channels, or with channels first the positions.
    const std::size_t length = last ? 5 : output.size() / 5;
    for (std::size_t i = 0; i < length; ++i) sum += output[i];
    EXPECT_NEAR(sum, 1.0f, 1e-6f);
  }
}

TEST_F(Contract, CallsThatCannotBeRunAreRefusedWithTheirStatus) {
  Case c = plain(valid_rule(3, 2), 20);
  const ReferenceKernel reference(c.tiling);
  const std::vector<float> input(20), packed = pack(c, reference.kernel, {1, 2, 3}, {});
  std::vector<float> result(static_cast<std::size_t>(c.problem.outputs()), unwritten()), workspace(1000);
  tconv_call call = call_of(c, input, packed);
  call.output = result.data();
  call.threads = 1;
  EXPECT_EQ(tconv_run_kernel(&reference.kernel, &c.layer, &call), TCONV_ERROR_NULL);
  call.workspace = workspace.data();
  call.workspace_bytes = tconv_workspace_bytes(&reference.kernel, &c.layer, &call) - 1;
  EXPECT_EQ(tconv_run_kernel(&reference.kernel, &c.layer, &call), TCONV_ERROR_WORKSPACE);
  call.workspace_bytes += 1;
  EXPECT_EQ(tconv_run_kernel(&reference.kernel, &c.layer, &call), TCONV_OK);
  const auto refused = [&](tconv_layer layer, std::int64_t batch, std::int64_t in) {
    tconv_call changed = call;
    changed.batch = batch;
    changed.size[0] = in;
    return tconv_run_kernel(&reference.kernel, &layer, &changed);
  };
  tconv_layer layer = c.layer;
  EXPECT_EQ(refused(layer, -1, 20), TCONV_ERROR_SHAPE);
  EXPECT_EQ(refused(layer, 1, -1), TCONV_ERROR_SHAPE);
  EXPECT_EQ(refused(layer, 1 << 20, 1 << 20), TCONV_ERROR_TOO_LARGE);
  layer.size[0] = 19;
  EXPECT_EQ(refused(layer, 1, 20), TCONV_ERROR_SHAPE);
  layer = c.layer;
  layer.batch = 2;
  EXPECT_EQ(refused(layer, 1, 20), TCONV_ERROR_SHAPE);
  layer = c.layer;
  layer.groups = 2;
  EXPECT_EQ(refused(layer, 1, 20), TCONV_ERROR_LAYER);
  EXPECT_EQ(tconv_packed_bytes(&reference.kernel, &layer), 0u);
  layer = c.layer;
  layer.rule[0].stride = TCONV_MAX_PHASES + 1;
  EXPECT_EQ(refused(layer, 1, 1), TCONV_ERROR_LAYER);
}

// 20 taps x 50 inputs are 1000 multiply-adds; 1 x 10 count less than the 21 floats that are moved, at 8 each, and 20 x
// 1 less than 41, of which 20 are weights.
TEST_F(Contract, ThreadsAreWokenForEnoughWorkOnly) {
  const auto workers = [](std::int64_t kernel, std::int64_t in, std::int64_t thread_work) {
    Case c = plain(valid_rule(kernel, 1), in);
    c.tiling.thread_work = thread_work;
    c.tiling.block_bytes = 4;
    const ReferenceKernel reference(c.tiling);
    tconv_dims dims = {};
    tconv_cuts cuts = {};
    EXPECT_TRUE(tconv_resolve_layer(&c.layer, c.size, &dims));
    tconv_cut_call(&reference.kernel, &reference.path, &c.layer, &dims, 1, 7, &cuts);
    return cuts.workers;
  };
  EXPECT_EQ(workers(20, 50, 0), 7);
  EXPECT_EQ(workers(20, 50, 1001), 1);
  EXPECT_EQ(workers(20, 50, 400), 2);
  EXPECT_EQ(workers(20, 50, 10), 7);
  EXPECT_EQ(workers(1, 10, 53), 3);
  EXPECT_EQ(workers(20, 1, 100), 3);
}

// Of the paths for one instruction set: 8 positions are two tiles of 6 or of 4, 6 are one of 6, 12 two of 6. The path
// behind them is for a processor that this one is not.
TEST_F(Contract, SizesChooseTheRegisterTile) {
  const Case c = plain(valid_rule(1, 1), 20);
  const ReferenceKernel reference(c.tiling);
  std::array<tconv_path, 3> paths = {reference.path, reference.path, reference.path};
  paths[0].tile[2] = 6;
  paths[1].tile[2] = 4;
  paths[2].features[0] = ~std::uint64_t{0};
  tconv_kernel kernel = reference.kernel;
  kernel.paths = paths.data();
  kernel.path_count = 3;
  tconv_call call = {};
  const auto tile = [&](std::int64_t size) {
    tconv_dims dims = {};
    EXPECT_TRUE(tconv_resolve_layer(&c.layer, &size, &dims));
    return tconv_call_path(&kernel, &call, &dims)->tile[2];
  };
  EXPECT_EQ(tile(8), 4);
  EXPECT_EQ(tile(6), 6);
  EXPECT_EQ(tile(12), 6);
  call.path = &paths[0];
  EXPECT_EQ(tile(8), 6);
}

// 41 blocks of a phase of two taps, then 41 of one tap: three workers have 41 multiply-adds each.
TEST_F(Contract, WorkersShareTheMultiplyAddsOfUnequalPhases) {
  Case c = plain(valid_rule(3, 2), 40);
  c.tiling.panel = 16;
  c.tiling.block_bytes = 4;
  const ReferenceKernel reference(c.tiling);
  tconv_job job = {};
  job.kernel = &reference.kernel;
  job.path = &reference.path;
  job.layer = &c.layer;
  ASSERT_TRUE(tconv_resolve_layer(&c.layer, c.size, &job.dims));
  tconv_cuts cuts = {};
  tconv_cut_call(job.kernel, job.path, job.layer, &job.dims, 1, 3, &cuts);
  job.cuts = &cuts;
  job.blocks = cuts.blocks[0];
  ASSERT_EQ(job.blocks.parts, 2);
  ASSERT_EQ(cuts.workers, 3);
  EXPECT_EQ(tconv_first_task(&job, 0), 0);
  EXPECT_EQ(tconv_first_task(&job, 1), 20);
  EXPECT_EQ(tconv_first_task(&job, 2), 41);
  EXPECT_EQ(tconv_first_task(&job, 3), 82);
}

TEST_F(Contract, PadsLongerThanManyInputsStillPack) {
  const Case c = plain(explicit_rule(3, 1, 2000), 4100);
  EXPECT_EQ(status_of(c), TCONV_OK);
  expect_close(output, wanted);
}

// Its packed weights depend on the size, so they would be those of another size.
TEST_F(Contract, APrescribedOutputWithAnOpenSizeIsRefused) {
  tconv_rule rule = valid_rule(3, 2);
  rule.padding = TCONV_PADDING_TFLITE_SAME;
  rule.output = 40;
  Case c = plain(rule, 20);
  const ReferenceKernel reference(c.tiling);
  EXPECT_EQ(tconv_packed_bytes(&reference.kernel, &c.layer), 0u);
  c.layer.size[0] = 20;
  EXPECT_EQ(status_of(c), TCONV_OK);
  expect_close(output, wanted);
}

// A window is addressed with 32 bits, as an array is; three of these would overflow 64.
TEST_F(Contract, AWindowThatCannotBeAddressedIsRefused) {
  const std::int64_t reach = std::int64_t{1} << 29;
  Case c = plain(explicit_rule(2, reach, reach / 2), 1);
  c.layer.rank = 3;
  c.layer.rule[1] = c.layer.rule[2] = c.layer.rule[0];
  const ReferenceKernel reference(c.tiling);
  const float one = 1;
  float result = 0;
  tconv_call call = {};
  call.batch = call.size[0] = call.size[1] = call.size[2] = 1;
  call.input = call.packed = &one;
  call.output = &result;
  EXPECT_EQ(tconv_workspace_bytes(&reference.kernel, &c.layer, &call), 0u);
  EXPECT_EQ(tconv_run_kernel(&reference.kernel, &c.layer, &call), TCONV_ERROR_TOO_LARGE);
}

}  // namespace
}  // namespace tconv::test
