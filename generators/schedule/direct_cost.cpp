// What the phases cost as they are, in cycles of one core: multiply-adds as the register tiles issue them, with what
// they waste, and what is moved beside them.
#include <algorithm>

#include "schedule/schedule.h"

namespace tconv {

double elements(std::int64_t channels, const tconv_dims &dims, bool output) {
  auto all = static_cast<double>(channels);
  for (const tconv_dim &dim : dims.dim) all *= static_cast<double>(output ? dim.out : dim.in);
  return all;
}

double transpose_cycles(const Plan &plan, const tconv_tiling &tiling) {
  constexpr double element = 0.5;
  const tconv_dims dims = typical_dims(plan);
  return element * (tiling.transpose_input * elements(plan.layer.in_channels, dims, false) +
                    tiling.transpose_output * elements(plan.layer.out_channels, dims, true));
}

double use_by_columns(int vectors, int positions) {
  constexpr double without_loads = 1.1, a_load = 0.24;
  const double fed = without_loads - a_load * (1.0 / vectors + 1.0 / positions);
  return busy_share(vectors * positions) * std::min(1.0, fed);
}

// Measured on Zen 5: a register tile of positions runs at 80 % of the peak; an output that is stored alone takes a
// cycle; shuffles beside the multiply-adds a fifth of one for each element of the input.
double direct_cycles(const Plan &plan, const tconv_tiling &tiling, const TargetSchedule &tile,
                     const RegisterFile &registers) {
  constexpr double use_by_positions = 0.8, scattered = 1, read_transposed = 0.2;
  if (tiling.lane_sums) return lane_sums_cycles(plan, tiling, tile.tile[2], registers);
  const tconv_dims dims = typical_dims(plan);
  const bool last = tconv_reads_channels_last(&tiling, &plan.layer) && tile.read_block == 0;
  const auto lanes = static_cast<double>(registers.lanes);
  double vectors = 0;
  for_each_class(plan, tiling, [&](const tconv_class &one) {
    const auto groups = static_cast<double>(plan.layer.groups);
    const auto depth = static_cast<double>(one.taps * tconv_group_inputs(&plan.layer));
    const auto lines = static_cast<double>(tconv_round_up(one.run[0].extent, tile.tile[0]) *
                                           tconv_round_up(one.run[1].extent, tile.tile[1]));
    const std::int64_t phases = one.run[0].count * one.run[1].count * one.run[2].count;
    const auto row = static_cast<double>(tconv_round_up(one.run[2].extent, tile.tile[2]));
    const auto columns = last ? static_cast<double>(one.columns) / tile.lanes
                              : static_cast<double>(phases * tconv_group_outputs(&plan.layer));
    vectors += groups * depth * lines * columns * (last ? row : row / lanes);
  });
  const int positions = tile.tile[0] * tile.tile[1] * tile.tile[2];
  const double cycles = vectors / 2 / (last ? use_by_columns(tile.columns / tile.lanes, positions) : use_by_positions);
  if (tile.read_block > 0) return cycles + read_transposed * elements(plan.layer.in_channels, dims, false);
  return cycles + transpose_cycles(plan, tiling) +
         (last ? 0 : scattered * elements(plan.layer.out_channels, dims, true));
}

}  // namespace tconv
