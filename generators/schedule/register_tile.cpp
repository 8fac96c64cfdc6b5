// The register tile that suits a tiling on one target: vectors of columns or of positions, as the registers hold them.
#include <algorithm>

#include "schedule/core.h"
#include "schedule/rules.h"

namespace tconv {

using Halide::Target;

namespace {

// A register tile of positions.
constexpr int most_rows = 4, most_row_vectors = 4;

// The share of a dimension's positions that tiles of this length fill; all where its extent is open.
double useful_share(std::int64_t extent, int tile) {
  return extent == 0 ? 1.0 : static_cast<double>(extent) / static_cast<double>(tconv_round_up(extent, tile));
}

// The length up to `most` that uses the units best on rows of `row` (0: open), long enough to hide latency, wasting
// little of the row's end.
template <typename Use>
int best_tile(std::int64_t row, int most, Use use_of) {
  int best = 1;
  double best_use = 0;
  for (int tile = 1; tile <= most; ++tile) {
    const double use = use_of(tile) * useful_share(row, tile);
    if (use >= best_use) {
      best_use = use;
      best = tile;
    }
  }
  return best;
}

// A tile of up to `most` positions: a row, or several short ones where those waste less. `use_of` is of the units, by
// so many positions.
//
// Where loads hold sums up, tiles of several rows of layers of one tap were up to 1.2 times as fast: 3 x 2 in place of
// 1 x 6 positions 1.04 (512 -> 256 channels k2 s2 on 64 x 64), 1.09 (128 -> 64 on 256 x 256), 1.02 to 1.06 on four
// others.
template <typename Use>
void tile_positions(const Plan &plan, int most, Use use_of, TargetSchedule &schedule) {
  constexpr double least_gain = 1.03, a_row_more = 0.02;
  constexpr int preferred_rows = 3;
  const std::int64_t row = row_length(plan);
  schedule.tile[2] = best_tile(row, most, use_of);
  if (plan.layer.rank == 1 || row == 0) return;
  const tconv_dim dim = typical_dims(plan).dim[1];
  const std::int64_t lines = tconv_ceil_div(dim.out, dim.stride);
  const bool tall_is_fast = core_of(plan.processor).waits_for_second_level && has_single_taps(typical_dims(plan));
  const auto use = [&](int tall, int wide) {
    const double shape = tall_is_fast ? 1 + a_row_more * std::min(tall, preferred_rows) : 1;
    return shape * use_of(tall * wide) * useful_share(row, wide) * useful_share(lines, tall);
  };
  double best = (tall_is_fast ? 1 : least_gain) * use(1, schedule.tile[2]);
  for (int tall = 2; tall <= most_rows; ++tall)
    for (int wide = most / tall; wide > 0; --wide) {
      if (use(tall, wide) <= best) continue;
      best = use(tall, wide);
      schedule.tile[1] = tall;
      schedule.tile[2] = wide;
    }
}

TargetSchedule by_columns(const Plan &plan, const tconv_tiling &tiling, const RegisterFile &registers) {
  TargetSchedule schedule;
  schedule.lanes = std::min(registers.lanes, tiling.panel);
  const int whole = tiling.panel / schedule.lanes;
  const bool together = tconv_is_row_of_phases(&tiling) || whole >= wide_panel;
  const int held = together ? divide_panel(whole, registers) : std::min(whole, vectors_a_broadcast(registers));
  schedule.columns = held * schedule.lanes;
  const int most = registers.count < 32 ? 12 : 16;
  const Core &core = core_of(plan.processor);
  const auto use = [&](int positions) {
    return core.waits_for_second_level ? use_of_sums(core, schedule.lanes, held, positions, true)
                                       : busy_share(held * positions);
  };
  tile_positions(plan, std::max(1, std::min(most, accumulators(registers, held) / held)), use, schedule);
  schedule.unroll_depth = unrolled_inputs(plan, tconv_group_inputs(&plan.layer));
  return schedule;
}

// Registers hold a weight of each column, one vector of input, and columns x vectors x rows of sums.
TargetSchedule by_positions(const Plan &plan, int columns, const RegisterFile &registers) {
  TargetSchedule schedule;
  const std::int64_t row = row_length(plan);
  schedule.columns = columns;
  schedule.lanes = registers.lanes;
  if (row > 0) schedule.lanes = static_cast<int>(std::min<std::int64_t>(registers.lanes, power_of_two_at_least(row)));
  const int most = std::max(1, (registers.count - columns - 1) / columns);
  const int rows = plan.layer.rank == 1 ? 1 : most_rows;
  double best = 0;
  for (int vectors = 1; vectors <= std::min(most, most_row_vectors); ++vectors)
    for (int tall = 1; tall <= std::min(most / vectors, rows); ++tall) {
      const int wide = vectors * schedule.lanes;
      const double use =
          useful_share(row, wide) * busy_share(columns * vectors * tall) * (1 - 0.5 / (columns * vectors * tall));
      if (use <= best) continue;
      best = use;
      schedule.tile[2] = wide;
      schedule.tile[1] = tall;
    }
  return schedule;
}

}  // namespace

std::int64_t row_length(const Plan &plan) {
  const tconv_layer &layer = plan.layer;
  if (layer.size[layer.rank - 1] == TCONV_UNSET) return 0;
  const tconv_dim row = typical_dims(plan).dim[TCONV_MAX_RANK - 1];
  return tconv_ceil_div(row.out, row.stride);
}

// Two where registers are few, four where vectors are short and registers many.
int vectors_a_broadcast(const RegisterFile &registers) { return registers.lanes >= 8 || registers.count < 32 ? 2 : 4; }

int divide_panel(int panel_vectors, const RegisterFile &registers) {
  int vectors = std::min(panel_vectors, registers.count < 32 ? 3 : 4);
  while (panel_vectors % vectors != 0) --vectors;
  return vectors;
}

double position_tiles(const Plan &plan, const TargetSchedule &target) {
  const tconv_dims dims = typical_dims(plan);
  double tiles = 1;
  for (int d = 0; d < TCONV_MAX_RANK; ++d)
    tiles *= static_cast<double>(tconv_ceil_div(tconv_ceil_div(dims.dim[d].out, dims.dim[d].stride), target.tile[d]));
  return tiles;
}

// Where loads hold sums up, four at a time were 1.04 to 1.08 times as fast.
int unrolled_inputs(const Plan &plan, std::int64_t inputs) {
  const int unrolled = core_of(plan.processor).unrolled;
  return !plan.general && inputs % unrolled == 0 ? unrolled : 1;
}

int accumulators(const RegisterFile &registers, int vectors) { return registers.count - vectors - 1; }

RegisterFile register_file(const Target &target) {
  if (target.arch == Target::X86)
    return {target.natural_vector_size<float>(), target.has_feature(Target::AVX512) ? 32 : 16};
  return {target.natural_vector_size<float>(), 32};
}

bool fetches(const Plan &plan, const tconv_tiling &tiling, Fetch how) {
  if (core_of(plan.processor).fetch != how || plan.general || row_length(plan) == 0) return false;
  const tconv_dims dims = typical_dims(plan);
  const auto weights = static_cast<double>(tconv_packed_floats(&tiling, &plan.layer, &dims));
  return sizeof(float) * weights > second_level;
}

// Weights that come from beyond the second-level cache, and are used by few tiles before the next ones. One thread, 16
// KB: with 2 tiles 1.3 times as fast (1024 -> 256 channels k4 s2 on 16 x 16, 512 -> 256 k5 s2), with 5 tiles 1.13 times
// (256 -> 256 k4 s2 on 32 x 32), with 32 tiles 1.05 times (128 -> 64 k4 s2 on 16 x 16 x 16); with 43 tiles 0.98 times.
// 4 KB bring half of it; with 32 KB, weights push one another out of the first-level cache (0.88 times with a tile that
// reads 256 bytes a step). Tried, and no better: what the next transform point needs, spread over the tiles that use
// this one's; other hints than the non-temporal one, with which Halide fetches (equal, or slower where they stop at the
// second-level cache). All on Zen 5; core.cpp says where it is two to four times slower.
int fetch_distance(const Plan &plan, const tconv_tiling &tiling, double tiles) {
  constexpr int far_enough = 16 << 10;
  return fetches(plan, tiling, Fetch::ahead) && tiles <= most_turns ? far_enough : 0;
}

TargetSchedule schedule_target(const Plan &plan, const tconv_tiling &tiling, bool read_transposed,
                               const RegisterFile &registers) {
  const bool columns = tconv_reads_channels_last(&tiling, &plan.layer) && !read_transposed;
  TargetSchedule one = tconv_unites_phases(&tiling) ? by_planes(plan, tiling, registers)
                       : tiling.lane_sums           ? by_lanes(plan, tiling, registers)
                       : columns                    ? by_columns(plan, tiling, registers)
                                                    : by_positions(plan, tiling.panel, registers);
  one.transpose_block = registers.lanes;
  if (read_transposed) {
    // Rows that vectors do not divide are copied, with what the last one hangs over.
    const std::int64_t row = row_length(plan), half = std::max(registers.lanes / 2, least_transpose_block);
    const bool halve = tconv_round_up(row, half) < tconv_round_up(row, std::int64_t{registers.lanes});
    one.tile[2] = one.lanes = halve ? static_cast<int>(half) : registers.lanes;
    one.tile[1] = 1;
    // More channels at a time leave too few registers: 1.4 times as fast as with all of a vector (AVX-512, k2 s2).
    one.read_block = std::max(one.lanes / 2, least_transpose_block);
    if (plan.layer.in_channels % one.read_block != 0) one.read_block = least_transpose_block;
  }
  const double tiles = position_tiles(plan, one);
  // Weights are read anew for each block. With 4 to 8 tiles in a block: 784 positions of 1024 channels k2 s2 1.02
  // to 1.1 times as fast, 256 of 2048 with AVX2 1.11, 1024 of 1024 1.01; with 16 tiles 0.98 to 1.
  constexpr double few_tiles = 8;
  const double positions =
      static_cast<double>(tiling.block_bytes) / sizeof(float) / static_cast<double>(plan.layer.in_channels);
  const double of_block = positions / (one.tile[0] * one.tile[1] * one.tile[2]);
  one.prefetch = fetch_distance(plan, tiling, of_block <= few_tiles ? std::min(tiles, of_block) : tiles);
  return one;
}

}  // namespace tconv
