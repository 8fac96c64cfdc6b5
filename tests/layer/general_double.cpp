// The general kernels' double, for builds without the compiler: layer and driver then run under the sanitizers with
// code that these see. It stands for what the compiler emits for runtime/general: the same tiles and panels, every
// activation, but one path that any processor runs, and blocks so small that small layers have many tasks.
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "general/general.h"
#include "random/activation_reference.h"
#include "reference_kernel.h"

namespace tconv::test {
namespace {

template <int tile>
int phases(void **argv) {
  return compute_phases(argv, false, {tile, 1, 1});
}

// In place, as the driver calls it.
int activate(void **argv) {
  const auto activation = static_cast<Activation>(*static_cast<const std::int32_t *>(argv[1]));
  transform_elements(View(argv[2]),
                     [&](float value) { return static_cast<float>(activation_value(activation, value)); });
  return 0;
}

int softmax(void **argv) {
  const View rows(argv[2]);
  Problem problem;
  problem.out_channels = rows.extent(0);
  Expected expected;
  transform_elements(rows, [&](float value) {
    expected.value.push_back(value);
    return value;
  });
  expected.tolerance.resize(expected.value.size());
  const bool logarithm = *static_cast<const std::int32_t *>(argv[1]) != 0;
  apply_activation(logarithm ? Activation::log_softmax : Activation::softmax, problem, expected);
  std::size_t next = 0;
  transform_elements(rows, [&](float) { return static_cast<float>(expected.value[next++]); });
  return 0;
}

constexpr std::int64_t block_bytes = 1024;

// Paths of one instruction set, whose tiles the sizes decide between.
constexpr tconv_function wide_phases = phases<6>, narrow_phases = phases<4>;
constexpr tconv_variant variant = {{1, 1, 1}, {0, 0, 0}}, row_variant = {{1, 1, 0}, {0, 0, 0}};
constexpr std::array<tconv_path, 2> paths = {
    {{"reference", {0, 0}, &wide_phases, {1, 1, 6}, activate, softmax, nullptr, nullptr, reference_copy},
     {"reference", {0, 0}, &narrow_phases, {1, 1, 4}, activate, softmax, nullptr, nullptr, reference_copy}}};

constexpr std::int32_t any = std::numeric_limits<std::int32_t>::max();

constexpr tconv_kernel kernel(const char *name, const char *key, std::int32_t panel, std::int32_t most_filters,
                              bool rows = false) {
  return {TCONV_ABI_VERSION,
          most_filters,
          name,
          key,
          {panel, rows ? 2 : 0, rows, 0, block_bytes, {}, 0, 0, 0, 0, 0, 0},
          rows ? &row_variant : &variant,
          1,
          paths.data(),
          paths.size(),
          nullptr};
}

// Layers whose rows of phases fill panels have a kernel of their own, and those of few filters.
constexpr std::array<tconv_kernel, 3> kernels(const char *key) {
  return {kernel("rows8", key, 8, any, true), kernel("panel4", key, 4, 4), kernel("panel16", key, 16, any)};
}

constexpr std::array<std::array<tconv_kernel, 3>, TCONV_MAX_RANK> last_kernels = {
    kernels("conv1d_transpose channels_last any size"), kernels("conv2d_transpose channels_last any size"),
    kernels("conv3d_transpose channels_last any size")};
constexpr std::array<std::array<tconv_kernel, 3>, TCONV_MAX_RANK> first_kernels = {
    kernels("conv1d_transpose channels_first any size"), kernels("conv2d_transpose channels_first any size"),
    kernels("conv3d_transpose channels_first any size")};

}  // namespace
}  // namespace tconv::test

namespace tconv {

std::span<const tconv_kernel> general_kernels(int rank, bool channels_last) {
  if (rank < 1 || rank > TCONV_MAX_RANK) return {};
  const auto index = static_cast<std::size_t>(rank - 1);
  if (channels_last) return test::last_kernels[index];
  // Rows of phases are written with channels last only.
  return std::span(test::first_kernels[index]).subspan(1);
}

}  // namespace tconv
