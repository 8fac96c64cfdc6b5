// The path that is forced is the path that runs: what the comparison of every path with the definition rests on. Halide
// is told which processor this is, and the functions of each path are counted.
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

#include "general/general.h"
#include "random/random_layer.h"
#include "tconv/run.h"

using namespace tconv::test;

namespace {

constexpr int most_paths = 10;
std::array<tconv_function, most_paths> original;
std::array<int, most_paths> runs;
std::array<std::uint64_t, 2> processor;  // the features that this machine is said to have

int has_features(int count, const std::uint64_t *features) {
  for (int i = 0; i < count; ++i)
    if (features[i] & ~processor[static_cast<std::size_t>(i)]) return 0;
  return 1;
}

template <std::size_t path>
int counted(void **argv) {
  ++runs[path];
  return original[path](argv);
}

constexpr std::array<tconv_function, most_paths> counters = {counted<0>, counted<1>, counted<2>, counted<3>,
                                                             counted<4>, counted<5>, counted<6>, counted<7>,
                                                             counted<8>, counted<9>};

// A general kernel whose paths are counted.
struct Counted {
  explicit Counted(const tconv_kernel &general) : kernel(general) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(kernel.path_count); ++i) {
      paths[i] = general.paths[i];
      original[i] = paths[i].phases[0];
      paths[i].phases = &counters[i];
    }
    kernel.paths = paths.data();
  }
  std::array<tconv_path, most_paths> paths;
  tconv_kernel kernel;
};

int failures = 0;

void expect(bool holds, const char *what, const char *target) {
  if (holds) return;
  std::fprintf(stderr, "%s: %s\n", target, what);
  ++failures;
}

// A layer that all kernels of its rank and layout serve, and that has outputs.
RandomLayer draw_plain(bool channels_last) {
  Limits limits;
  limits.rank = 2;
  for (std::uint64_t seed = 1;; ++seed) {
    const RandomLayer random = draw_layer(seed, limits);
    const bool wanted = (random.layer.channels_last != 0) == channels_last && random.layer.groups == 1;
    if (wanted && problem_of(random, random.calls[0]).outputs() > 100) return random;
  }
}

std::vector<float> run(const tconv_kernel &kernel, const RandomLayer &random, const tconv_path *forced, int *status) {
  const Problem problem = problem_of(random, random.calls[0]);
  const std::vector<float> input = Random(5).floats(problem.inputs(), 1.0f), weights = weight_array(random);
  const tconv_weight_strides strides = strides_of(random);
  std::vector<float> packed(tconv_packed_bytes(&kernel, &random.layer) / sizeof(float));
  std::vector<float> output(static_cast<std::size_t>(problem.outputs()));
  tconv_pack(&kernel, &random.layer, weights.data(), &strides, nullptr, packed.data());
  tconv_call call = {};
  call.batch = random.calls[0].batch;
  for (int d = 0; d < random.layer.rank; ++d) call.size[d] = random.calls[0].size[static_cast<std::size_t>(d)];
  call.input = input.data();
  call.packed = packed.data();
  call.output = output.data();
  call.threads = 1;
  call.path = forced;
  call.workspace_bytes = tconv_workspace_bytes(&kernel, &random.layer, &call);
  std::vector<char> workspace(call.workspace_bytes + 1);
  call.workspace = workspace.data();
  runs = {};
  *status = tconv_run_kernel(&kernel, &random.layer, &call);
  return output;
}

void expect_only(int path, const char *target) {
  for (int i = 0; i < most_paths; ++i)
    expect((runs[static_cast<std::size_t>(i)] > 0) == (i == path), "another path ran, or none", target);
}

// One of those for the instruction set of `path`.
void expect_set(const tconv_kernel &kernel, const tconv_path &path) {
  int all = 0, of_set = 0;
  for (int i = 0; i < kernel.path_count; ++i) {
    const int ran = runs[static_cast<std::size_t>(i)] > 0 ? 1 : 0;
    all += ran;
    if (std::memcmp(kernel.paths[i].features, path.features, sizeof path.features) == 0) of_set += ran;
  }
  expect(all == 1 && of_set == 1, "a path of another instruction set ran, or none, or several", path.target);
}

void check_kernel(const tconv_kernel &general, bool channels_last) {
  Counted counted(general);
  const RandomLayer random = draw_plain(channels_last);
  int status = -1;
  for (int i = 0; i < general.path_count; ++i) {
    const tconv_path &path = counted.kernel.paths[i];
    if (!halide_default_can_use_target_features(2, path.features)) {
      std::printf("skips %s: this processor does not run it\n", path.target);
      continue;
    }
    std::memcpy(processor.data(), path.features, sizeof path.features);
    expect(std::memcmp(tconv_select_path(&counted.kernel)->features, path.features, sizeof path.features) == 0,
           "is not chosen by a processor that has just its features", path.target);
    const std::vector<float> chosen = run(counted.kernel, random, nullptr, &status);
    expect(status == TCONV_OK, tconv_status_message(status), path.target);
    expect_set(counted.kernel, path);
    processor = {~std::uint64_t{0}, ~std::uint64_t{0}};
    const std::vector<float> forced = run(counted.kernel, random, &path, &status);
    expect(status == TCONV_OK, tconv_status_message(status), path.target);
    expect_only(i, path.target);
    expect(std::memcmp(chosen.data(), forced.data(), chosen.size() * sizeof(float)) == 0,
           "forced and chosen give different bits", path.target);
    std::printf("runs %s alone when it is forced\n", path.target);
  }
}

// Where the baseline needs a feature, a processor without it runs nothing.
void check_refusal(const tconv_kernel &kernel) {
  const tconv_path &baseline = kernel.paths[kernel.path_count - 1];
  processor = {};
  if (baseline.features[0] == 0 && baseline.features[1] == 0) return;
  int status = -1;
  run(kernel, draw_plain(true), nullptr, &status);
  expect(status == TCONV_ERROR_PROCESSOR, "a processor without any path is not refused", baseline.target);
}

}  // namespace

int main() {
  halide_set_custom_can_use_target_features(has_features);
  for (const bool channels_last : {true, false})
    for (const tconv_kernel &kernel : tconv::general_kernels(2, channels_last)) check_kernel(kernel, channels_last);
  check_refusal(tconv::general_kernels(2, true).front());
  return failures == 0 ? 0 : 1;
}
