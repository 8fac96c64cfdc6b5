// Where lane sums are used, and with which register tiles: a count of cycles.
//
// Measured on a Zen 5 core with AVX-512, one thread, minima of alternating runs, against what was chosen before
// (vectors over positions of a transposed window): 32 x 32, 64 -> 3 channels, k4 s2 1.2 times as fast; 128 x 128, 56 ->
// 1, k9 s3 1.3; 64 x 64, 128 -> 3, k5 s2 2.0; 32 x 32, 256 -> 1, k3 s1 4; 9 x 9, 512 -> 3, k4 s2 5; 4096, 32 -> 1, k4
// s2 3.7. Channels first, the window transposed as it is copied, against vectors over positions: 32 x 32 x 32, 64 -> 1,
// k4 s2 2.3 times; 4096, 64 -> 1, k25 s4 2.2; 64 x 64, 32 -> 1, k9 s4 1.5; 64 x 64, 64 -> 2 and 3, k4 s2 1.2 and 0.9.
#include <algorithm>

#include "schedule/schedule.h"

namespace tconv {

namespace {

// More columns of one phase leave too few registers to the positions.
constexpr std::int64_t most_outputs = 8;

// Tiles of 12 positions suit few rows, and were slower where they did not.
constexpr int longest_tile = 8;

// Adding a sum up across four lanes and storing it, in cycles; and each halving of the lanes before that.
constexpr double add_up = 2, halve = 0.5;

// The share of the multiply-add peak at which a tile runs.
constexpr double use_by_lanes = 0.95;

// Copying an element of the window, as it is, transposed, and transposed from beyond the second-level cache.
constexpr double copy = 0.1, transposed_copy = 0.5, far_transposed_copy = 0.9;

double copy_cycles(const Plan &plan, const tconv_tiling &tiling, int longest) {
  TargetSchedule target;
  target.tile[2] = longest;
  const double all = copied_floats(plan, schedule_of(tiling, target)).windows;
  if (!tiling.transpose_input) return copy * all;
  return (all * sizeof(float) > second_level ? far_transposed_copy : transposed_copy) * all;
}

// Multiply-adds that start before the first one is finished, on two units.
constexpr double chains_in_flight = 8;

// A tile's weights that do not stay in the first-level cache come from the second each time: bytes a cycle.
constexpr double from_second_level = 32;

LaneTile tile_of(std::int64_t phases, std::int64_t outputs, int longest, const RegisterFile &registers) {
  // Beside the sums, a vector of weights for each column, or one of input for each position, and one of the other.
  const auto fits = [&](int columns, int positions) {
    return columns * positions + std::min(columns, positions) + 1 <= registers.count;
  };
  LaneTile tile;
  tile.lanes = registers.lanes;
  tile.columns = static_cast<int>(phases * outputs <= most_outputs ? phases * outputs : outputs);
  for (int positions = 1; positions <= longest; ++positions)
    if (longest % positions == 0 && fits(tile.columns, positions)) tile.positions = positions;
  return tile;
}

std::int64_t phases_of(const tconv_class &one) { return one.run[0].count * one.run[1].count * one.run[2].count; }

// Cycles of one register tile of a class.
double tile_cycles(const tconv_layer &layer, const tconv_tiling &tiling, const tconv_class &one, const LaneTile &tile) {
  const std::int64_t row = tconv_row_inputs(&tiling, &layer, &one), rest = row % tile.lanes;
  const auto rows = static_cast<double>(one.taps * layer.in_channels) / static_cast<double>(row);
  const auto sums = static_cast<double>(tile.columns * tile.positions);
  const auto loads = static_cast<double>(tile.columns + tile.positions);
  const double bytes = 4.0 * tile.columns * tile.lanes,
               all_bytes = 4.0 * tile.columns * rows * static_cast<double>(row);
  const double stream = all_bytes > first_level ? bytes / from_second_level : 0;
  const double step = std::max(std::max({sums, loads, chains_in_flight}) / 2 / use_by_lanes, stream);
  double cycles = rows * static_cast<double>(tconv_ceil_div(row, tile.lanes)) * step;
  if (rest > 0) cycles += rows * loads * static_cast<double>(rest) / tile.rest_vector(rest);
  for (int lanes = tile.lanes; lanes > 4; lanes /= 2) cycles += halve * sums;
  return cycles + add_up * sums;
}

}  // namespace

bool can_sum_lanes(const Plan &plan) {
  const tconv_layer &layer = plan.layer;
  return layer.groups == 1 && layer.out_channels <= most_outputs;
}

LaneTile lane_tile(const Plan &plan, const TargetSchedule &schedule, const tconv_variant &variant,
                   const RegisterFile &registers) {
  if (plan.general) return {registers.lanes, 1, schedule.tile[2]};
  const std::int64_t phases = std::int64_t{variant.phases[0]} * variant.phases[1] * variant.phases[2];
  return tile_of(phases, plan.layer.out_channels, schedule.tile[2], registers);
}

double lane_sums_cycles(const Plan &plan, const tconv_tiling &tiling, int longest, const RegisterFile &registers) {
  double cycles = copy_cycles(plan, tiling, longest);
  for_each_class(plan, tiling, [&](const tconv_class &one) {
    const std::int64_t phases = phases_of(one), outputs = plan.layer.out_channels;
    const LaneTile tile = tile_of(phases, outputs, longest, registers);
    const std::int64_t parts = phases * outputs / tile.columns;
    const std::int64_t tiles =
        parts * one.run[0].extent * one.run[1].extent * tconv_ceil_div(one.run[2].extent, std::int64_t{tile.positions});
    cycles += static_cast<double>(tiles) * tile_cycles(plan.layer, tiling, one, tile);
  });
  return cycles;
}

TargetSchedule by_lanes(const Plan &plan, const tconv_tiling &tiling, const RegisterFile &registers) {
  TargetSchedule schedule;
  schedule.lanes = registers.lanes;
  double best = 0;
  for (int longest = 1; longest <= longest_tile; ++longest) {
    const double cycles = lane_sums_cycles(plan, tiling, longest, registers);
    if (best > 0 && cycles > best) continue;
    best = cycles;
    schedule.tile[2] = longest;
  }
  for_each_class(plan, tiling, [&](const tconv_class &one) {
    const LaneTile tile = tile_of(phases_of(one), plan.layer.out_channels, schedule.tile[2], registers);
    schedule.columns = std::max(schedule.columns, tile.columns);
  });
  return schedule;
}

}  // namespace tconv
