// Every array lies against a page that may not be touched, every output is NaN beforehand, and the cut into blocks is
// varied: it is the driver's, not the compiled code's.
#include "random/check_layer.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

#include "random/activation_reference.h"
#include "random/guarded_memory.h"
#include "tconv/run.h"

namespace tconv::test {
namespace {

constexpr std::int64_t block_bytes[] = {1 << 10, 1 << 13, 1 << 18};
constexpr int thread_counts[] = {1, 2, 7};

constexpr std::size_t canary_bytes = 64;
constexpr char canary = 0x5a;
bool is_canary(char c) { return c == canary; }

// How many times direct's error the kernel may have, 0 for other methods than Winograd's.
double winograd_error(const tconv_kernel &kernel, const tconv_layer &layer, const Sizes &sizes) {
  tconv_dims dims;
  if (!tconv_is_winograd(&kernel.tiling) || !tconv_resolve_layer(&layer, sizes.size.data(), &dims)) return 0;
  return tconv_winograd_error(&kernel.tiling, &layer, &dims);
}

// The definition, with the error that sums of float32 products may have.
Expected expected_output(const RandomLayer &random, const Problem &problem, const std::vector<float> &input,
                         double error) {
  const auto magnitudes = [](std::vector<float> values) {
    for (float &value : values) value = std::fabs(value);
    return values;
  };
  const std::vector<float> weights = weights_of(random), bias = bias_of(random);
  Expected expected;
  expected.value = scatter(problem, input, weights, bias);
  expected.tolerance = scatter(problem, magnitudes(input), magnitudes(weights), magnitudes(bias));
  // Winograd's errors depend on a whole tile: tconv/winograd.h says relative to what they are bounded.
  if (error > 0 && !expected.value.empty())
    std::fill(expected.tolerance.begin(), expected.tolerance.end(),
              error * *std::max_element(expected.tolerance.begin(), expected.tolerance.end()));
  for (double &tolerance : expected.tolerance) tolerance = 1e-6 * tolerance + 3e-7;
  apply_activation(static_cast<Activation>(random.layer.activation), problem, expected);
  return expected;
}

// The tasks each on a thread of its own, the last one first.
int threads_of_the_caller(void *context, tconv_task task, int min, int size, std::uint8_t *closure) {
  std::vector<std::thread> threads;
  std::vector<int> status(static_cast<std::size_t>(size));
  for (int i = size - 1; i >= 0; --i)
    threads.emplace_back([&, i] { status[static_cast<std::size_t>(i)] = task(context, min + i, closure); });
  for (std::thread &thread : threads) thread.join();
  return *std::max_element(status.begin(), status.end());
}

// One call of a layer, and the memory that it works on.
class Check {
 public:
  Check(const tconv_kernel &kernel, const tconv_layer &layer, const RandomLayer &random, const Sizes &sizes,
        Tally &tally)
      : kernel_(kernel),
        layer_(layer),
        random_(random),
        sizes_(sizes),
        problem_(problem_of(random, sizes)),
        tally_(tally),
        draw_(random.seed + 3) {
    kernel_.tiling.block_bytes = draw_.one_of(block_bytes);
    side_ = draw_.one_in(2) ? Against::end : Against::begin;
  }

  std::string run() {
    load();
    if (!failure_.empty()) return failure_;
    for (int i = 0; i < kernel_.path_count && failure_.empty(); ++i) {
      const tconv_path &path = kernel_.paths[i];
      if (!halide_can_use_target_features(2, path.features)) continue;
      call_.path = &path;
      run_path();
      if (&path == tconv_select_path(&kernel_) && failure_.empty()) run_chosen_path();
    }
    return failure_;
  }

 private:
  void load() {
    const std::vector<float> values = draw_.floats(problem_.inputs(), 1.0f);
    expected_ = expected_output(random_, problem_, values, winograd_error(kernel_, layer_, sizes_));
    call_.batch = sizes_.batch;
    std::copy(sizes_.size.begin(), sizes_.size.end(), call_.size);
    float *const input = static_cast<float *>(input_memory().take(values.size() * sizeof(float), side_));
    std::copy(values.begin(), values.end(), input);
    call_.input = input;
    if (kernel_.baked != nullptr) return;
    const std::vector<float> array = weight_array(random_), bias = bias_of(random_);
    const tconv_weight_strides strides = strides_of(random_);
    float *const weights = static_cast<float *>(weights_memory().take(array.size() * sizeof(float), side_));
    std::copy(array.begin(), array.end(), weights);
    const std::size_t bytes = tconv_packed_bytes(&kernel_, &layer_);
    float *const packed = static_cast<float *>(packed_memory().take(bytes, side_));
    const int status = tconv_pack(&kernel_, &layer_, weights, &strides, bias.empty() ? nullptr : bias.data(), packed);
    if (bytes == 0 || status != TCONV_OK) fail(std::string("packing: ") + tconv_status_message(status));
    call_.packed = packed;
  }

  // The driver's choice is among those of the best instruction set, which sum in one order.
  void run_chosen_path() {
    const std::vector<float> forced = run_once(1);
    call_.path = nullptr;
    expect_same_bits(forced, run_once(1), "the path of the driver's choice");
  }

  void run_path() {
    call_.parallel_for = nullptr;
    std::vector<float> first;
    for (const int threads : thread_counts) {
      const std::vector<float> output = run_once(threads);
      if (!failure_.empty()) return;
      if (threads == 1) {
        compare(output);
        first = output;
      } else {
        expect_same_bits(first, output, std::to_string(threads) + " threads");
      }
    }
    call_.parallel_for = threads_of_the_caller;
    expect_same_bits(first, run_once(3), "the caller's threads");
  }

  std::vector<float> run_once(int threads) {
    const auto count = static_cast<std::size_t>(problem_.outputs());
    float *const output = static_cast<float *>(output_memory().take(count * sizeof(float), side_));
    std::fill(output, output + count, std::numeric_limits<float>::quiet_NaN());
    call_.output = output;
    call_.threads = threads;
    call_.workspace_bytes = tconv_workspace_bytes(&kernel_, &layer_, &call_);
    take_workspace();
    count_run(threads);
    const int status = tconv_run_kernel(&kernel_, &layer_, &call_);
    if (status != TCONV_OK) fail(std::string("running: ") + tconv_status_message(status));
    if (behind_workspace_ && !std::all_of(behind_workspace_, behind_workspace_ + canary_bytes, is_canary))
      fail("the memory behind the workspace was written");
    return {output, output + count};
  }

  // Against the guard, or four bytes off alignment with bytes of a known value behind it.
  void take_workspace() {
    call_.workspace = nullptr;
    behind_workspace_ = nullptr;
    if (call_.workspace_bytes == 0) return;
    const std::size_t more = side_ == Against::begin ? 4 + canary_bytes : 0;
    char *memory = static_cast<char *>(workspace_memory().take(call_.workspace_bytes + more, side_));
    if (more > 0) {
      memory += 4;
      behind_workspace_ = memory + call_.workspace_bytes;
      std::fill(behind_workspace_, behind_workspace_ + canary_bytes, canary);
    }
    call_.workspace = memory;
    std::memset(memory, 0xff, call_.workspace_bytes);
  }

  void count_run(int threads) {
    tconv_dims dims;
    ++tally_.runs;
    tally_.outputs += problem_.outputs();
    if (problem_.outputs() == 0) ++tally_.empty;
    if (problem_.outputs() == 0 || !tconv_resolve_layer(&layer_, call_.size, &dims)) return;
    ++(call_.workspace_bytes > 0 ? tally_.copied : tally_.in_place);
    tconv_cuts cuts;
    tconv_cut_call(&kernel_, tconv_call_path(&kernel_, &call_, &dims), &layer_, &dims, call_.batch, threads, &cuts);
    for (int kind = 0; kind < TCONV_TILE_KINDS; ++kind) {
      if (!tconv_has_tasks(&kernel_.tiling, kind)) continue;
      const tconv_blocks &blocks = cuts.blocks[kind];
      tally_.tasks = std::max(tally_.tasks, blocks.tasks);
      if (blocks.parts > 1) ++tally_.split_blocks;
    }
  }

  void compare(const std::vector<float> &output) {
    for (std::size_t i = 0; i < output.size(); ++i) {
      const double wanted = expected_.value[i], tolerance = expected_.tolerance[i];
      const double share = std::fabs(static_cast<double>(output[i]) - wanted) / tolerance;
      tally_.largest_share = std::max(tally_.largest_share, std::isnan(share) ? 1e9 : share);
      if (share <= 1) continue;
      char text[200];
      std::snprintf(text, sizeof text, "element %zu of %zu is %.9g, not %.9g (tolerance %.3g)", i, output.size(),
                    static_cast<double>(output[i]), wanted, tolerance);
      return fail(text);
    }
  }

  void expect_same_bits(const std::vector<float> &first, const std::vector<float> &output, const std::string &what) {
    if (!first.empty() && std::memcmp(first.data(), output.data(), first.size() * sizeof(float)) != 0)
      fail(what + " give other bits than one");
  }

  void fail(const std::string &what) {
    if (!failure_.empty()) return;
    failure_ = describe(random_, sizes_) + "\n  " + kernel_.name + " on " +
               (call_.path ? call_.path->target : "no path") + ", blocks of " +
               std::to_string(kernel_.tiling.block_bytes) + " bytes: " + what;
  }

  // Kept from layer to layer: mapping memory takes longer than most layers.
  static GuardedMemory &input_memory() {
    static GuardedMemory memory;
    return memory;
  }
  static GuardedMemory &weights_memory() {
    static GuardedMemory memory;
    return memory;
  }
  static GuardedMemory &packed_memory() {
    static GuardedMemory memory;
    return memory;
  }
  static GuardedMemory &output_memory() {
    static GuardedMemory memory;
    return memory;
  }
  static GuardedMemory &workspace_memory() {
    static GuardedMemory memory;
    return memory;
  }

  tconv_kernel kernel_;
  const tconv_layer &layer_;
  const RandomLayer &random_;
  const Sizes &sizes_;
  Problem problem_;
  Tally &tally_;
  Random draw_;
  Against side_ = Against::end;
  tconv_call call_ = {};
  Expected expected_;
  char *behind_workspace_ = nullptr;
  std::string failure_;
};

}  // namespace

std::string check_layer(const tconv_kernel &kernel, const tconv_layer &layer, const RandomLayer &random, Tally &tally) {
  ++tally.layers;
  for (const Sizes &sizes : random.calls) {
    const std::string failure = Check(kernel, layer, random, sizes, tally).run();
    if (!failure.empty()) return failure;
  }
  return "";
}

bool print_paths(const tconv_kernel &kernel) {
  bool any = false;
  for (int i = 0; i < kernel.path_count; ++i) {
    const bool runs = halide_can_use_target_features(2, kernel.paths[i].features) != 0;
    std::printf("%s path %s\n", runs ? "runs" : "skips (this processor lacks features of the)", kernel.paths[i].target);
    any = any || runs;
  }
  return any;
}

}  // namespace tconv::test
