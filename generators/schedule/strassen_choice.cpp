// Where Strassen's products are used (tconv/strassen.h), and over which dimensions. What they cost is counted as
// Winograd's method is (winograd_cost.cpp).
//
// Measured on a Zen 5 core, one thread, in turn with the direct method, minima of alternating runs: k2 s2 with 256 to
// 1024 input channels 1.07 to 1.27 times as fast, where the model has 1.07 to 1.24; with AVX2 1.07 to 1.17, with two
// threads 1.0 to 1.12, with channels first 1.12 to 1.15. The products run at the peak. What made it so:
//   Outputs that go to memory are fetched while products are computed (fetch_written()): 1.03 to 1.05 times as fast on
//   512 -> 256 channels on 64 x 64. Winograd's layers were 0.96 to 1.0 times as fast with it.
//   The next point's weights are fetched as well, and two input channels unrolled: 1.02 to 1.04 each.
//   Register tiles that fit the blocks' tiles: 32 tiles in register tiles of 13 lose what there is to win.
// Tried, and left out: one dimension in pairs where two can be, 1.0 times as fast on 512 -> 256 channels and 1.17 in
// place of 1.26 on 1024 -> 512. Three would have 343 points.
#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "schedule/core.h"
#include "schedule/parameters.h"
#include "schedule/rules.h"

namespace tconv {

using Halide::Target;

namespace {

// Transformed input that a task works on, at least and twice as much at most: all of it reads the weights once. 1024 ->
// 512 channels k2 s2 on 28 x 28, whose weights take 26 MB, with 0.5, 1, 2, 4 and 8 MB: 24, 15, 10.6, 10.5 and 10.5 ms,
// and with two threads 6.9, 5.7 and 5.4 ms with the last three; 512 -> 256 on 64 x 64, 6.4 MB, 15.9, 14, 14.4, 14.9.
std::int64_t least_block(double packed_bytes) {
  constexpr double least = 1 << 20, most = 8 << 20;
  return static_cast<std::int64_t>(
      std::bit_ceil(static_cast<std::uint64_t>(std::clamp(packed_bytes / 8, least, most))));
}

bool can_pair(const tconv_dim &dim) { return dim.stride % TCONV_STRASSEN_SIDE == 0; }

int paired_dimensions(const tconv_tiling &tiling) {
  int paired = 0;
  for (int d = 0; d < TCONV_MAX_RANK; ++d) paired += tconv_is_paired(&tiling, d);
  return paired;
}

}  // namespace

std::string refuse_strassen(const Plan &plan) {
  const tconv_dims dims = typical_dims(plan);
  if (plan.use_winograd == UseWinograd::never) return "exact sums are asked for";
  if (plan.general) return "any-size kernels";
  if (plan.layer.groups != 1) return fmt::format("{} groups", plan.layer.groups);
  if (plan.layer.in_channels % TCONV_STRASSEN_SIDE != 0)
    return fmt::format("{} input channels", plan.layer.in_channels);
  for (int d = 0; d < plan.layer.rank; ++d)
    if (plan.layer.size[d] == TCONV_UNSET && plan.layer.rule[d].output != TCONV_UNSET)
      return "outputs of a size that does not follow from the input's";
  bool any = false;
  for (const tconv_dim &dim : dims.dim) {
    if (dim.kernel != dim.stride || dim.dilation > 1)
      return fmt::format("{} taps with stride {}, dilation {}", dim.kernel, dim.stride, dim.dilation);
    if (dim.crop % dim.stride != 0 || dim.out % dim.stride != 0)
      return fmt::format("{} outputs from {} on with stride {}", dim.out, dim.crop, dim.stride);
    any = any || can_pair(dim);
  }
  return any ? "" : "odd strides";
}

std::vector<tconv_tiling> strassen_tilings(const Plan &plan) {
  const tconv_dims dims = typical_dims(plan);
  std::vector<tconv_tiling> all;
  if (!refuse_strassen(plan).empty()) return all;
  for (int paired = 1; paired < TCONV_TILE_KINDS; ++paired) {
    tconv_tiling tiling{};
    tiling.strassen = 1;
    tiling.thread_work = thread_work;
    bool possible = true;
    for (int d = 0; d < TCONV_MAX_RANK; ++d) {
      const bool in_pairs = (paired >> d & 1) != 0;
      possible = possible && (!in_pairs || can_pair(dims.dim[d]));
      tiling.tile_outputs[0][d] = in_pairs ? TCONV_STRASSEN_SIDE : 1;
    }
    if (!possible || paired_dimensions(tiling) > most_paired_dimensions ||
        plan.layer.in_channels % tconv_channel_parts(&tiling, 0) != 0)
      continue;
    tiling.transpose_input = transposes_input(plan) ? 1 : 0;
    tiling.transpose_output = transposes_output(plan, tiling) ? 1 : 0;
    tiling.block_bytes = least_block(0);
    all.push_back(tiling);
  }
  return all;
}

Schedule choose_strassen(const Plan &plan, const std::vector<Target> &targets, Schedule best) {
  const RegisterFile registers = register_file(targets[0]);
  const std::vector<tconv_tiling> tilings = strassen_tilings(plan);
  if (tilings.empty()) return best;
  const tconv_dims dims = typical_dims(plan);
  Schedule chosen;
  double least = 0;
  for (tconv_tiling tiling : tilings)
    for (const int vectors : {2, 4}) {
      tiling.panel = vectors * widest_lanes(targets);
      if (tiling.panel > TCONV_MAX_PANEL) continue;
      const std::int64_t least_bytes =
          least_block(sizeof(float) * static_cast<double>(tconv_packed_floats(&tiling, &plan.layer, &dims)));
      for (const std::int64_t bytes : {least_bytes, 2 * least_bytes}) {
        tiling.block_bytes = bytes;
        Schedule one = schedule_tiles(plan, targets, tiling);
        for (int rows = one.targets[0].rows[0]; rows > 1; --rows) {
          one.targets[0].rows = {rows};
          const double cycles = winograd_cycles(plan, one, registers);
          if (!chosen.targets.empty() && cycles >= least) continue;
          chosen = one;
          least = cycles;
        }
      }
    }
  const double gain = expected_cycles(plan, targets[0], parameters_of(best, 0)) / std::max(least, 1.0);
  const int paired = paired_dimensions(chosen.tiling);
  const std::string model = fmt::format("Strassen's products over {} dimension{} should be {:.2f} times as fast as {}",
                                        paired, paired == 1 ? "" : "s", gain, best.method);
  const double asked = core_of(plan.processor).least_strassen_gain;
  if (gain < asked) {
    best.reason += fmt::format("; not strassen: {}, {} is asked for", model, asked);
    return best;
  }
  chosen.reason = model + ", transforms included";
  return chosen;
}

}  // namespace tconv
