// Where sums by matrix units are used (tconv/bf16x3.h), and what they cost: cycles of the products, of the weights,
// which come in once a block, of the numbers that are split and of the outputs.
//
// Measured on a Xeon with AMX, whose units reach 600 GFLOP/s of such sums from the first-level cache beside 230 of
// multiply-adds, one thread, in turn with what was chosen before: k2 s2 with 256 to 1024 channels 1.14 to 1.57 times as
// fast, 1.22 to 1.56 with two threads, as the model has it to a tenth. From the second level, which has to bring 12 KB
// for the 384 cycles of a step, they reach 400. Tried, and no faster (0.87 to 1.0):
//   Layers of two taps and more, where Winograd's method saves as much: k4 s2 0.87 to 0.96, k3 s2 0.96 to 1.0.
//   Winograd's products by matrix units, whose input takes 1.5 times what it takes in float32: with 64 to 256 tiles of
//   9 points they made 250 to 290 GFLOP/s in place of 200, before transforms.
//   Storing the sums is what holds a loop over the second level up: 640 GFLOP/s without, 440 to 480 with, 800 to 1500
//   cycles a register tile of 256 or 512 channels, whether they go to their place, to the same 4 KB each time or to
//   lines that were fetched for writing. Fetching the weights of the next step, a line or two a product: 1.05 to 1.07
//   times as fast in a loop alone; those of the positions as well: no faster.
//   Register tiles of 48 positions, and steps cut so that weights stay in the first level: 390 to 410 in a loop alone.
//   Blocks of 512 KB and less, which read the weights more often: 1.1 to 2 times as slow.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "schedule/core.h"
#include "schedule/parameters.h"
#include "schedule/rules.h"

namespace tconv {

using Halide::Target;

namespace {

// Six products of tiles of 16 x 16 x 32 numbers, 16 cycles each, and the share of the time that they take beside
// loading tiles from the second level.
constexpr double tile_cycles = 6 * 16, use_of_tiles = 0.62;

// Cycles of an element that is split, and of an output that is brought to its place; of such that come from or go to
// memory.
constexpr double split_cost = 1.6, output_cost = 0.8, far_split_cost = 3.5, far_output_cost = 2.5;
constexpr double call_cost = 1000;

// How many times as fast they have to be expected to be. Of Winograd's method the model says too little where the next
// point's weights are fetched, which it does not count on.
constexpr double least_gain = 1.1, least_fetched_gain = 1.35;

// What a block's window takes, split: the rest of a second level of 2 MB is for weights and sums.
constexpr std::int64_t window_bytes = 1 << 20;

tconv_tiling split_tiling(const Plan &plan) {
  const tconv_dims dims = typical_dims(plan);
  tconv_tiling tiling{};
  tiling.bf16x3 = 1;
  tiling.thread_work = thread_work;
  tiling.transpose_input = transposes_input(plan) ? 1 : 0;
  tiling.transpose_output = transposes_output(plan, tiling) ? 1 : 0;
  tiling.block_bytes = window_bytes;
  tiling.panel = plan.layer.out_channels > TCONV_SPLIT_TILE ? 2 * TCONV_SPLIT_TILE : TCONV_SPLIT_TILE;
  for (int d = 0; d < TCONV_MAX_RANK; ++d) {
    tiling.tile_outputs[0][d] = 1;
    tiling.tile_outputs[1][d] = tconv_most_taps(&dims.dim[d]) > 1 && tconv_has_shorter_phases(&dims.dim[d]) ? 1 : 0;
  }
  return tiling;
}

TargetSchedule split_target(const tconv_tiling &tiling, const RegisterFile &registers) {
  TargetSchedule target;
  target.lanes = std::min(registers.lanes, tiling.panel);
  target.columns = tiling.panel;
  target.rows = {TCONV_SPLIT_ROWS};
  target.transpose_block = registers.lanes;
  return target;
}

// Positions of a block that a phase's sums cover, and those of the window.
struct Covered {
  double sums, window;
};
Covered covered(const tconv_blocks &blocks, const tconv_tile_grid &grid) {
  std::int64_t last = 0, window = 1;
  for (int d = 0; d < TCONV_MAX_RANK; ++d) {
    const std::int64_t stored = tconv_split_extent(&blocks, d, blocks.size[d]);
    last = last * stored + std::min(blocks.size[d], grid.dim[d].count) - 1;
    window *= stored;
  }
  return {static_cast<double>(tconv_round_up(last + 1, TCONV_SPLIT_TILE)), static_cast<double>(window)};
}

}  // namespace

std::string refuse_bf16x3(const Plan &plan, const std::vector<Target> &targets) {
  const tconv_dims dims = typical_dims(plan);
  for (const Target &target : targets)
    if (!target.has_feature(Target::AVX512_SapphireRapids) || target.os != Target::Linux)
      return "no matrix units with " + target.to_string();
  if (plan.use_winograd == UseWinograd::never) return "exact sums are asked for";
  if (plan.general) return "any-size kernels";
  if (plan.layer.groups != 1) return fmt::format("{} groups", plan.layer.groups);
  if (plan.layer.in_channels % (TCONV_SPLIT_CHUNK / 2) != 0)
    return fmt::format("{} input channels", plan.layer.in_channels);
  for (const tconv_dim &dim : dims.dim) {
    if (dim.dilation > 1) return fmt::format("dilation {}", dim.dilation);
    if (tconv_most_taps(&dim) > TCONV_MOST_TILE_TAPS) return fmt::format("phases of {} taps", tconv_most_taps(&dim));
  }
  return "";
}

Schedule bf16x3_schedule(const Plan &plan, const std::vector<Target> &targets) {
  Schedule schedule;
  schedule.method = "bf16x3";
  schedule.tiling = split_tiling(plan);
  for (const Target &target : targets) schedule.targets.push_back(split_target(schedule.tiling, register_file(target)));
  return schedule;
}

double bf16x3_cycles(const Plan &plan, const Schedule &schedule) {
  const tconv_dims dims = typical_dims(plan);
  const tconv_tiling &tiling = schedule.tiling;
  const Core &core = core_of(plan.processor);
  const tconv_cuts cuts = cut_call(plan, schedule, 0);
  const tconv_blocks &blocks = cuts.blocks[0];
  const auto chunks = static_cast<double>(tconv_split_chunks(plan.layer.in_channels));
  const double channels = chunks * static_cast<double>(TCONV_SPLIT_CHUNK);
  const auto count = static_cast<double>(blocks.count[0] * blocks.count[1] * blocks.count[2]);
  const auto weights = static_cast<double>(tconv_packed_floats(&tiling, &plan.layer, &dims));
  const double outputs = elements(plan.layer.out_channels, dims, true);
  double sums = 0, window = 0, calls = 0;
  for (int kind = 0; kind < TCONV_TILE_KINDS; ++kind) {
    if (!tconv_has_kind(&tiling, kind)) continue;
    const tconv_tile_grid grid = tconv_find_tile_grid(&tiling, &plan.layer, &dims, kind);
    const Covered positions = covered(blocks, grid);
    const auto columns = static_cast<double>(grid.phases * grid.columns);
    sums += columns * positions.sums * static_cast<double>(grid.points) * chunks;
    window = std::max(window, positions.window);
    calls += columns / tiling.panel;
  }
  const double a_tile = tile_cycles / (TCONV_SPLIT_TILE * TCONV_SPLIT_TILE) / use_of_tiles;
  const double inputs = elements(plan.layer.in_channels, dims, false);
  const double output = sizeof(float) * outputs > core.second_level_bytes ? far_output_cost : output_cost;
  const double each = sizeof(float) * inputs > core.transposed_bytes ? far_split_cost : split_cost;
  const double bytes = sizeof(float) * weights;
  const double streamed = bytes > second_level ? bytes / core.weights_rate(bytes) : 0;
  return count * (sums * a_tile + streamed + window * channels * each + calls * call_cost) + outputs * output +
         transpose_cycles(plan, schedule);
}

Schedule choose_bf16x3(const Plan &plan, const std::vector<Target> &targets, Schedule best) {
  if (!refuse_bf16x3(plan, targets).empty()) return best;
  Schedule split = bf16x3_schedule(plan, targets);
  const double before = expected_cycles(plan, targets[0], parameters_of(best, 0));
  const double gain = before / std::max(bf16x3_cycles(plan, split), 1.0);
  const std::string model = fmt::format("matrix units should be {:.2f} times as fast as {}", gain, best.method);
  const double asked = best.targets[0].fetch > 0 ? least_fetched_gain : least_gain;
  if (gain < asked) {
    best.reason += fmt::format("; not bf16x3: {}, {} is asked for", model, asked);
    return best;
  }
  split.reason = model + ", with each number in three bfloat16 parts";
  return split;
}

}  // namespace tconv
