// What the phases cost as they are, in cycles of one core: multiply-adds as the register tiles issue them, with what
// they waste, and what is moved beside them.
#include <algorithm>

#include "schedule/core.h"
#include "schedule/rules.h"

namespace tconv {

double elements(std::int64_t channels, const tconv_dims &dims, bool output) {
  auto all = static_cast<double>(channels);
  for (const tconv_dim &dim : dims.dim) all *= static_cast<double>(output ? dim.out : dim.in);
  return all;
}

bool has_single_taps(const tconv_dims &dims) {
  return std::all_of(std::begin(dims.dim), std::end(dims.dim), [](const auto &d) { return tconv_most_taps(&d) == 1; });
}

double transpose_cycles(const Plan &plan, const Schedule &schedule) {
  constexpr double alone = 6;
  const Core &core = core_of(plan.processor);
  const tconv_tiling &tiling = schedule.tiling;
  if (!tiling.transpose_input && !tiling.transpose_output) return 0;
  const auto cost = [&](std::int64_t channels, double all) {
    if (channels < least_transpose_block) return alone;
    return sizeof(float) * all > core.transposed_bytes ? core.far_transposed : core.transposed;
  };
  const tconv_dims dims = typical_dims(plan);
  const std::int64_t in = plan.layer.in_channels, out = plan.layer.out_channels;
  const double windows = copied_floats(plan, schedule).windows, outputs = elements(out, dims, true);
  return tiling.transpose_input * cost(in, windows) * windows + tiling.transpose_output * cost(out, outputs) * outputs;
}

namespace {

// Bytes of the input that a register tile reads.
double window_bytes(const tconv_layer &layer, const tconv_class &one, const int *tile) {
  auto bytes = static_cast<double>(sizeof(float) * static_cast<std::size_t>(tconv_group_inputs(&layer)));
  for (int d = 0; d < TCONV_MAX_RANK; ++d)
    bytes *= static_cast<double>(tile[d] + (one.run[d].taps - 1) * one.run[d].step);
  return bytes;
}

// Whether planes of channels are read where they lie, a multiple of 4 KB apart: few of them stay in the first-level
// cache then.
bool planes_collide(const tconv_layer &layer, const tconv_dims &dims) {
  const bool in_place = layer.rank == 1 || has_single_taps(dims);
  return in_place && static_cast<std::int64_t>(elements(1, dims, false)) % 1024 == 0;
}

// With vectors over positions each vector of input serves the columns of one tile. Cycles of reading one, which lies
// across two cache lines mostly: from the first-level cache, and where a tile's window does not stay there between two
// taps. Measured on Zen 5 with 1 to 8 columns of 16 to 128 input channels, k4 s2 and k5 s2.
double vector_read(double bytes, bool collide) {
  constexpr double from_first_level = 1.5, from_second_level = 2.1, collision = 2.7;
  return collide ? collision : bytes > first_level ? from_second_level : from_first_level;
}

// Copying windows of rows that lie in many planes, from beyond the second-level cache.
double copy_cycles(const Plan &plan, const tconv_dims &dims) {
  constexpr double third_level = 4 * 1024 * 1024, an_element = 0.6;
  const double all = elements(plan.layer.in_channels, dims, false), bytes = all * sizeof(float);
  return bytes > third_level ? 2 * an_element * all : bytes > second_level ? an_element * all : 0;
}

// Weights come in once for each block of positions, beside the multiply-adds as far as the caches allow.
double weights_cycles(const Plan &plan, const tconv_dims &dims, const Schedule &schedule) {
  const Core &core = core_of(plan.processor);
  const double bytes = sizeof(float) * static_cast<double>(tconv_packed_floats(&schedule.tiling, &plan.layer, &dims));
  if (bytes <= second_level) return 0;
  const tconv_cuts cuts = cut_call(plan, schedule, 0);
  const std::int64_t *blocks = cuts.blocks[0].count;
  return (1 - core.hides_third_level) * bytes / core.weights_rate(bytes) *
         static_cast<double>(blocks[0] * blocks[1] * blocks[2]);
}

double united_cycles(const Plan &plan, const tconv_tiling &tiling, const TargetSchedule &tile) {
  const Core &core = core_of(plan.processor);
  const tconv_dims dims = typical_dims(plan);
  const double weights = sizeof(float) * static_cast<double>(tconv_packed_floats(&tiling, &plan.layer, &dims));
  const double panels = static_cast<double>(plan.layer.out_channels * all_phases(plan)) / tile.columns;
  const double sums = weights / panels <= first_level ? core.planes : core.far_planes;
  const Schedule schedule = schedule_of(tiling, tile);
  const CopiedFloats copied = copied_floats(plan, schedule);
  // Each panel reads the window again: 2.4 times as slow where it comes from afar (512 -> 256 channels k2 s2).
  const bool lost = sizeof(float) * copied.window > core.second_level_bytes;
  const double again = lost ? sizeof(float) * copied.windows * (panels - 1) / core.third_level_rate : 0;
  return sums * planes_cycles(plan, tiling, tile) + weights_cycles(plan, dims, schedule) +
         (1 - core.hides_third_level) * again;
}

}  // namespace

// Measured on Zen 5: a register tile of positions runs at 80 % of the peak, if what it reads does not hold it up; an
// output that is stored alone takes a cycle; shuffles beside the multiply-adds 0.14 (AVX-512) or 0.16 (AVX2) of one for
// each element of the input.
double direct_cycles(const Plan &plan, const tconv_tiling &tiling, const TargetSchedule &tile,
                     const RegisterFile &registers) {
  constexpr double use_by_positions = 0.8, scattered = 1, read_transposed = 0.15;
  const Core &core = core_of(plan.processor);
  if (tconv_unites_phases(&tiling)) return united_cycles(plan, tiling, tile);
  if (tiling.lane_sums) return core.lane_sums * lane_sums_cycles(plan, tiling, tile.tile[2], registers);
  const tconv_dims dims = typical_dims(plan);
  const bool last = tconv_reads_channels_last(&tiling, &plan.layer) && tile.read_block == 0;
  const auto lanes = static_cast<double>(registers.lanes);
  const int positions = tile.tile[0] * tile.tile[1] * tile.tile[2];
  const bool collide = planes_collide(plan.layer, dims);
  double cycles = 0;
  for_each_class(plan, tiling, [&](const tconv_class &one) {
    const auto groups = static_cast<double>(plan.layer.groups);
    const auto depth = static_cast<double>(one.taps * tconv_group_inputs(&plan.layer));
    const auto lines = static_cast<double>(tconv_round_up(one.run[0].extent, tile.tile[0]) *
                                           tconv_round_up(one.run[1].extent, tile.tile[1]));
    const std::int64_t phases = one.run[0].count * one.run[1].count * one.run[2].count;
    const auto row = static_cast<double>(tconv_round_up(one.run[2].extent, tile.tile[2]));
    const auto columns = last ? static_cast<double>(one.columns) / tile.lanes
                              : static_cast<double>(phases * tconv_group_outputs(&plan.layer));
    const double vectors = groups * depth * lines * columns * (last ? row : row / lanes);
    if (last) {
      const bool from_afar = core.waits_for_second_level && sizeof(float) * depth * tile.columns > first_level;
      cycles += vectors / 2 / use_of_sums(core, tile.lanes, tile.columns / tile.lanes, positions, from_afar);
    } else {
      const double served = tiling.dense_phases ? columns : std::min<double>(columns, tile.columns);
      cycles +=
          core.positions * vectors *
          std::max(0.5 / use_by_positions, vector_read(window_bytes(plan.layer, one, tile.tile), collide) / served);
    }
  });
  if (tile.read_block > 0) return cycles + read_transposed * elements(plan.layer.in_channels, dims, false);
  const Schedule schedule = schedule_of(tiling, tile);
  cycles += transpose_cycles(plan, schedule) + weights_cycles(plan, dims, schedule);
  if (last) return cycles;
  if (!tiling.transpose_input && !has_single_taps(dims)) cycles += copy_cycles(plan, dims);
  return cycles + scattered * elements(plan.layer.out_channels, dims, true);
}

}  // namespace tconv
