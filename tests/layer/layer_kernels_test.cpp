// Which kernel a layer runs, what it says about it, and what it refuses to register. The specialised kernels are
// doubles (reference_kernel.h) that count their calls.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "layer_case.h"
#include "reference_kernel.h"
#include "tconv/layer.h"
#include "tconv/threads.h"
#include "tconv/weights.h"

namespace tconv::test {
namespace {

std::atomic<int> first_runs, second_runs;

template <std::atomic<int> *runs>
int counted(void **argv) {
  ++*runs;
  return reference_phases<false>(argv);
}

// A kernel with a panel and a name of its own, so that weights packed for the other would give wrong numbers.
struct Compiled : ReferenceKernel {
  Compiled(const char *name, int panel, tconv_function function)
      : ReferenceKernel({panel, 1, 0, 0, 4096, {}, 0, 0, 0, 0, 0, 0}) {
    phases = function;
    kernel.general = 0;
    kernel.name = name;
    kernel.key = name;
  }
};

class LayerKernels : public testing::Test {
 protected:
  void SetUp() override {
    reference_tile = {1, 1, 1};
    reference_expects_nan = false;
    first_runs = second_runs = 0;
  }

  // The layer as an emitted header describes it, for one input shape.
  tconv_layer compiled_for(const Shape &input_shape) {
    LayerConfig config = layer.config();
    config.input_shape = input_shape;
    return describe(config).value();
  }

  void expect_run(const Shape &input_shape) {
    const Tensor x = random_tensor(input_shape, 3);
    const Result<Tensor> y = layer(x);
    ASSERT_TRUE(y.ok()) << y.status().message();
    expect_equal(y.value(), expected_output(layer, x));
  }

  Conv2DTranspose layer{{.filters = 3, .kernel_size = 3, .strides = 2, .padding = "same"}};
  Compiled first{"first", 1, counted<&first_runs>}, second{"second", 16, counted<&second_runs>};
};

TEST_F(LayerKernels, WithoutOneTheGeneralKernelRunsAndSaysSo) {
  EXPECT_EQ(layer.kernel_info().status().code(), StatusCode::failed_precondition);
  ASSERT_TRUE(layer.build({unknown, 4, 4, 5}).ok());
  const Result<KernelInfo> info = layer.kernel_info();
  ASSERT_TRUE(info.ok()) << info.status().message();
  EXPECT_FALSE(info.value().specialised);
  EXPECT_FALSE(info.value().kernel.empty());
  EXPECT_FALSE(info.value().target.empty());
  EXPECT_EQ(info.value().reason, "no specialised kernel is registered");
}

TEST_F(LayerKernels, TheFirstRegisteredThatServesTheSizesRuns) {
  ASSERT_TRUE(layer.use_kernel(first.kernel, compiled_for({1, unknown, unknown, 5})).ok());
  ASSERT_TRUE(layer.use_kernel(second.kernel, compiled_for({unknown, unknown, unknown, 5})).ok());
  expect_run({1, 4, 4, 5});
  EXPECT_GT(first_runs, 0);
  EXPECT_EQ(second_runs, 0);
  first_runs = 0;
  expect_run({2, 4, 6, 5});
  EXPECT_EQ(first_runs, 0);
  EXPECT_GT(second_runs, 0);
  const KernelInfo info = layer.kernel_info({1, 4, 4, 5}).value();
  EXPECT_TRUE(info.specialised);
  EXPECT_EQ(info.kernel, "first");
  EXPECT_EQ(info.target, "reference");
  EXPECT_EQ(layer.kernel_info({unknown, 4, 4, 5}).value().kernel, "second");
}

TEST_F(LayerKernels, SizesThatNoneServesFallBackAndNameTheDifference) {
  ASSERT_TRUE(layer.use_kernel(first.kernel, compiled_for({1, 4, 4, 5})).ok());
  expect_run({2, 4, 4, 5});
  expect_run({1, 4, 6, 5});
  EXPECT_EQ(first_runs, 0);
  EXPECT_FALSE(layer.kernel_info({2, 4, 4, 5}).value().specialised);
  EXPECT_EQ(layer.kernel_info({2, 4, 4, 5}).value().reason, "kernel first has batch 1, the call 2");
  EXPECT_EQ(layer.kernel_info({1, 4, 6, 5}).value().reason, "kernel first has input sizes (4, 4), the call (4, 6)");
  EXPECT_EQ(layer.kernel_info({unknown, 4, 4, 5}).value().reason, "kernel first has batch 1, the call any");
}

TEST_F(LayerKernels, OneThatCouldServeNoCallIsRefused) {
  const tconv_layer good = compiled_for({unknown, unknown, unknown, 5});
  const auto refused = [&](auto change, const char *part) {
    tconv_layer other = good;
    change(other);
    expect_message(layer.use_kernel(first.kernel, other), StatusCode::invalid_argument, part);
  };
  refused([](tconv_layer &l) { l.out_channels = 4; }, "kernel first has 4 filters, the layer 3");
  refused([](tconv_layer &l) { l.channels_last = 0; }, "is for channels_first, the layer is channels_last");
  refused([](tconv_layer &l) { l.rank = 1; }, "has 1 spatial dimensions, the layer 2");
  refused([](tconv_layer &l) { l.activation = 1; }, "has the activation relu, the layer linear");
  refused([](tconv_layer &l) { l.rule[1].stride = 1; }, "in spatial dimension 1");
  refused([](tconv_layer &l) { l.rule[0].padding = TCONV_PADDING_KERAS_VALID; }, "in spatial dimension 0");
  refused([](tconv_layer &l) { l.in_channels = 0; }, "not one that this kernel serves");
  ASSERT_TRUE(layer.build({1, 4, 4, 6}).ok());
  refused([](tconv_layer &) {}, "has 5 input channels, the layer 6");
}

TEST_F(LayerKernels, OneThatHoldsItsWeightsOrCannotRunIsRefused) {
  const tconv_layer good = compiled_for({unknown, unknown, unknown, 5});
  first.kernel.baked = [](void **) { return 0; };
  expect_message(layer.use_kernel(first.kernel, good), StatusCode::unsupported, "call first_run() directly");
  second.kernel.abi_version = 99;
  expect_message(layer.use_kernel(second.kernel, good), StatusCode::unsupported, "ABI version 99");
  Compiled elsewhere("elsewhere", 4, counted<&first_runs>);
  elsewhere.kernel.path_count = 0;
  expect_message(layer.use_kernel(elsewhere.kernel, good), StatusCode::unsupported, "this processor runs none");
}

TEST_F(LayerKernels, OneFromAnotherDialectServesTheSameLayer) {
  LayerConfig torch = layer.config();
  torch.dialect = Dialect::torch;
  torch.padding = TCONV_PADDING_EXPLICIT;
  torch.pads_begin = torch.pads_end = {0, 0};
  torch.kernel_size = {2, 2};
  torch.in_channels = 5;
  layer = Conv2DTranspose({.filters = 3, .kernel_size = 2, .strides = 2, .padding = "same"});
  ASSERT_TRUE(layer.use_kernel(first.kernel, describe(torch).value()).ok());
  expect_run({1, 3, 3, 5});
  EXPECT_GT(first_runs, 0);
}

TEST(Threads, ThePoolsSizeIsSetAndNegativeOnesAreRefused) {
  const int before = num_threads();
  EXPECT_GE(before, 1);
  ASSERT_TRUE(set_num_threads(3).ok());
  EXPECT_EQ(num_threads(), 3);
  expect_message(set_num_threads(-1), StatusCode::invalid_argument, "set_num_threads(-1)");
  EXPECT_EQ(num_threads(), 3);
  ASSERT_TRUE(set_num_threads(before).ok());
}

}  // namespace
}  // namespace tconv::test
