// Halide's error handler is replaced once in a process, whichever translation unit runs a kernel first: what the
// program sets for itself afterwards stays. Each test runs in a process of its own.
#include "tconv/error_handler.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

#include "layer_case.h"
#include "reference_kernel.h"
#include "tconv/layer.h"
#include "tconv/run.h"

namespace tconv::test {
namespace {

void own_handler(void *, const char *) {}

// Runs a kernel from this translation unit; false when it fails.
bool run_here() {
  const ReferenceKernel reference({1, 0, 0, 0, 4096, {}, 0, 0, 0, 0, 0, 0});
  const tconv_rule one_tap = {TCONV_PADDING_KERAS_VALID, 1, 1, 1, TCONV_UNSET, 0, 0, TCONV_UNSET};
  const tconv_layer layer = {1, 1, 1, 1, 1, {one_tap}, 1, {1}, 0};
  const float input = 2;
  std::vector<float> packed(tconv_packed_bytes(&reference.kernel, &layer) / sizeof(float), 1.0f);
  float output = 0;
  tconv_call call = {};
  call.batch = call.size[0] = 1;
  call.input = &input;
  call.packed = packed.data();
  call.output = &output;
  call.threads = 1;
  return tconv_run_kernel(&reference.kernel, &layer, &call) == TCONV_OK;
}

// Runs one from runtime/layer_call.cpp.
bool run_in_the_library() {
  Conv1DTranspose layer({.filters = 1, .kernel_size = 1});
  return layer(Tensor{{1, 1, 1}, {1}}).ok();
}

bool run_everywhere_at_once() {
  std::atomic<bool> ok = true;
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&ok, run = i % 2 == 0 ? run_here : run_in_the_library] {
      if (!run()) ok = false;
    });
  }
  for (std::thread &thread : threads) thread.join();
  return ok;
}

struct ErrorHandlerDeathTest : testing::Test {
  void SetUp() override { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

// The exit status of the child, 0 when all holds.
[[noreturn]] void check_handler(bool (*first)(), bool (*second)()) {
  if (!first()) std::exit(1);
  const halide_error_handler_t quiet = halide_set_error_handler(own_handler);
  if (quiet == nullptr) std::exit(2);
  quiet(nullptr, "neither printed nor fatal");
  if (!second()) std::exit(3);
  std::exit(halide_set_error_handler(nullptr) == own_handler ? 0 : 4);
}

TEST_F(ErrorHandlerDeathTest, TheFirstRunReplacesItAndNoLaterOne) {
  EXPECT_EXIT(check_handler(run_here, run_here), testing::ExitedWithCode(0), "^$");
}

TEST_F(ErrorHandlerDeathTest, ItIsReplacedOnceForAllTranslationUnits) {
  EXPECT_EXIT(check_handler(run_in_the_library, run_here), testing::ExitedWithCode(0), "^$");
  EXPECT_EXIT(check_handler(run_here, run_in_the_library), testing::ExitedWithCode(0), "^$");
}

TEST_F(ErrorHandlerDeathTest, SeveralRunsMayBeTheFirst) {
  EXPECT_EXIT(check_handler(run_everywhere_at_once, run_everywhere_at_once), testing::ExitedWithCode(0), "^$");
}

}  // namespace
}  // namespace tconv::test
