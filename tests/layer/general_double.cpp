// The general kernels' double, for builds without the compiler: layer and driver then run under the sanitizers with
// code that these see. It stands for what the compiler emits for runtime/general: the same tiles and panels, every
// activation, but one path that any processor runs, and blocks so small that small layers have many tasks.
#include <array>
#include <cstddef>
#include <cstdint>
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
constexpr std::int32_t last_tile = 6, first_tile = 4;

constexpr tconv_function last_phases = phases<last_tile>, first_phases = phases<first_tile>;
constexpr tconv_variant variant = {{1, 1, 1}, {0, 0, 0}};
constexpr tconv_path last_path = {"reference", {0, 0},  &last_phases, {1, 1, last_tile},
                                  activate,    softmax, nullptr,      nullptr};
constexpr tconv_path first_path = {"reference", {0, 0},  &first_phases, {1, 1, first_tile},
                                   activate,    softmax, nullptr,       nullptr};

constexpr tconv_kernel last(const char *name, const char *key) {
  return {TCONV_ABI_VERSION, 1, name,       key, {16, 0, 0, 0, block_bytes, {}, 0, 0, 0, 0},
          &variant,          1, &last_path, 1,   nullptr};
}

constexpr tconv_kernel first(const char *name, const char *key) {
  return {TCONV_ABI_VERSION, 1, name,        key, {8, 0, 0, 0, block_bytes, {}, 0, 0, 0, 0},
          &variant,          1, &first_path, 1,   nullptr};
}

constexpr std::array<tconv_kernel, TCONV_MAX_RANK> last_kernels = {
    last("tconv_conv1d_transpose_channels_last", "conv1d_transpose channels_last any size"),
    last("tconv_conv2d_transpose_channels_last", "conv2d_transpose channels_last any size"),
    last("tconv_conv3d_transpose_channels_last", "conv3d_transpose channels_last any size")};
constexpr std::array<tconv_kernel, TCONV_MAX_RANK> first_kernels = {
    first("tconv_conv1d_transpose_channels_first", "conv1d_transpose channels_first any size"),
    first("tconv_conv2d_transpose_channels_first", "conv2d_transpose channels_first any size"),
    first("tconv_conv3d_transpose_channels_first", "conv3d_transpose channels_first any size")};

}  // namespace
}  // namespace tconv::test

namespace tconv {

const tconv_kernel *general_kernel(int rank, bool channels_last) {
  if (rank < 1 || rank > TCONV_MAX_RANK) return nullptr;
  const auto index = static_cast<std::size_t>(rank - 1);
  return channels_last ? &test::last_kernels[index] : &test::first_kernels[index];
}

}  // namespace tconv
