// Where Winograd's method is used, and with which tiles.
//
// Measured against the direct method on a Zen 5 core with AVX-512, one thread, minima of alternating runs: k4 s2 1.4 to
// 2.2 times as fast in two dimensions, 1.7 to 2.5 in three, 1.2 to 1.4 in one; k3 s1 2.7 to 3.6 times; phases of four
// to seven taps 1.9 to 4.2 times in two dimensions, 1.5 to 2.3 in one, 1.5 to 1.9 in three (four taps). The products
// run at 92 to 97 % of the multiply-add peak and take two thirds to nine tenths of the time. Tried, and left out or
// refused by the model:
//   k3 s2, whose phases have one tap or two, in shared tiles: F(2, 2) was 3 % slower than direct. With tiles of their
//   own it is 1.4 times as fast, and k5 s2 1.9 times in place of 1.3.
//   One dimension, k4 s2, 32 -> 32 channels: F(3, 2) was no faster; with 64 -> 32 it is 1.22 times as fast.
//   F(2, 2) for all layers of two taps: on 32 x 32 with 256 -> 256 channels F(3, 2) is 1.3 times as fast, and no less
//   exact; F(4, 2) apart 1.15 times as fast as that, with errors twice as large.
//   Tiles that the phases share, for small images: k4 s2 on 8 x 8 and 16 x 16 is 1.2 to 1.3 times as fast with tiles
//   apart, of which none hangs over an end. What bounds them is how fast weights come in: 512 -> 256 channels k16 s8 on
//   32 positions are slower with F(4, 2), whose weights are 1.7 times those of F(2, 2).
#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "schedule/core.h"
#include "schedule/rules.h"

namespace tconv {

using Halide::Target;

namespace {

// Of two that are about as fast the more exact one: for each doubling of the error.
constexpr double error_cost = 0.02;

// Of merged phases the model says too little: where it said 1.07 to 1.09, 1.06 to 1.4 was measured.
constexpr double least_merged_gain = 1.05;

// More tiles in a register tile only wait for their loads.
constexpr int most_product_rows = 20;

// Unrolled transforms of more points, of all kinds of phases together, are too much code.
constexpr std::int64_t most_points = 128;

// F(4, 2) in three dimensions has it. Long tiles in two dimensions would have more: the root mean square error of F(6,
// 2) is 9 times direct's there, of F(7, 2) 15 times.
constexpr double most_error = 27;

// Transformed input that a task works on. More of it reads the weights less often; less of it stays in the second-level
// cache beside the products of a panel. With 37 MB of weights, one block of three MB in place of four made the layer
// two to three times as fast, with 17 MB one of two MB in place of three 1.15 times; with 64 KB, blocks of 256 KB were
// 3 % faster than blocks of one MB, and 6 % than blocks of 64 KB.
// Merged phases count what a panel writes as well: blocks of 768 KB were 5 to 30 % faster than such of 256 KB. Kinds
// that are computed together hold theirs beside one another: twice as much made layers 0.95 to 1.16 times as fast, of
// five three by a tenth.
std::int64_t winograd_block_bytes(double packed_bytes, const tconv_tiling &tiling) {
  const std::int32_t *own = tiling.tile_outputs[1];
  const bool together =
      tconv_joins_kinds(&tiling) && std::any_of(own, own + TCONV_MAX_RANK, [](int n) { return n > 0; });
  const std::int64_t kinds = together ? 2 : 1;
  const std::int64_t least = tconv_merges_columns(&tiling) ? 768 << 10 : 256 << 10, most = kinds * (4 << 20);
  return std::clamp(kinds * static_cast<std::int64_t>(packed_bytes / 4), least, most);
}

// Where weights come from afar, less of it is read anew for each panel or more of it reads the weights less often: the
// model weighs both.
std::vector<std::int64_t> block_sizes(const Plan &plan, const tconv_tiling &tiling) {
  if (core_of(plan.processor).hides_third_level > 0) return {tiling.block_bytes};
  return {256 << 10, 512 << 10, 1 << 20, 2 << 20, 4 << 20};
}

// Two vectors, or as many fewer or more as waste less; four where registers hold them and nothing is wasted.
std::vector<std::int32_t> panels_of(const Plan &plan, const tconv_tiling &tiling, int widest) {
  const tconv_dims dims = typical_dims(plan);
  const tconv_tile_grid grid = tconv_find_tile_grid(&tiling, &plan.layer, &dims, 0);
  const std::int64_t outputs = tconv_tile_columns(&tiling, &plan.layer, &grid);
  std::vector<std::int32_t> all = {2 * widest};
  for (const std::int32_t panel : {3 * widest, widest})
    if (panel <= TCONV_MAX_PANEL && tconv_round_up(outputs, panel) < tconv_round_up(outputs, all[0])) all[0] = panel;
  if (widest >= 16 && 2 * all[0] <= TCONV_MAX_PANEL && outputs % (2 * all[0]) == 0) all.push_back(2 * all[0]);
  return all;
}

std::vector<std::int32_t> tile_outputs(std::int64_t taps) {
  std::vector<std::int32_t> all;
  for (std::int32_t outputs = 1; outputs <= TCONV_MOST_TILE_OUTPUTS; ++outputs)
    if (tconv_find_interpolation(outputs, taps) != nullptr) all.push_back(outputs);
  return all;
}

// Of the smallest tiles that all phases can share.
std::int64_t fewest_points(const tconv_dims &dims) {
  std::int64_t points = 1;
  for (const tconv_dim &dim : dims.dim) {
    const std::int64_t taps = tconv_most_taps(&dim);
    points *= tile_outputs(taps).front() + taps - 1;
  }
  return points;
}

// Tiles of a dimension: outputs of the first sort of its phases, and of the second where it has tiles of its own.
struct TileSizes {
  std::int32_t outputs, own;
};

// Kinds that are computed together are cut alike.
std::vector<TileSizes> tile_sizes(const Plan &plan, const tconv_dim &dim) {
  const std::int64_t taps = tconv_most_taps(&dim);
  std::vector<TileSizes> all;
  const bool shorter = tconv_has_shorter_phases(&dim) != 0;
  for (const std::int32_t outputs : tile_outputs(taps)) {
    all.push_back({outputs, 0});
    if (taps == 1) continue;
    if (shorter)
      for (const std::int32_t own : tile_outputs(taps - 1)) {
        if (plan.layer.channels_last || outputs % own == 0) all.push_back({outputs, own});
      }
    else if (dim.crop % dim.stride != 0)
      all.push_back({outputs, outputs});
  }
  return all;
}

// Of a tile of each kind of phases that has functions of its own, together.
std::int64_t points_of(const Plan &plan, const tconv_tiling &tiling) {
  const tconv_dims dims = typical_dims(plan);
  std::int64_t points = 0;
  for (int kind = 0; kind < TCONV_TILE_KINDS; ++kind)
    if (has_own_functions(plan, tiling, kind)) points += tconv_find_tile_grid(&tiling, &plan.layer, &dims, kind).points;
  return points;
}

// Not too much code, and not too inexact.
bool is_allowed(const Plan &plan, const tconv_tiling &tiling) {
  const tconv_dims dims = typical_dims(plan);
  return points_of(plan, tiling) <= most_points && tconv_winograd_error(&tiling, &plan.layer, &dims) <= most_error;
}

std::string transform_name(const tconv_layer &layer, const tconv_tiling &tiling, const tconv_dims &dims) {
  std::vector<std::string> names;
  for (int d = TCONV_MAX_RANK - layer.rank; d < TCONV_MAX_RANK; ++d) {
    const std::int64_t taps = tconv_most_taps(&dims.dim[d]);
    names.push_back(fmt::format("F({}, {})", tiling.tile_outputs[0][d], taps));
    if (tiling.tile_outputs[1][d] == 0) continue;
    if (tconv_sorts_are_alike(&dims.dim[d], tiling.tile_outputs[0][d], tiling.tile_outputs[1][d]))
      names.back() += " apart";
    else
      names.back() = fmt::format("({} and F({}, {}))", names.back(), tiling.tile_outputs[1][d], taps - 1);
  }
  return fmt::format("{}{}", fmt::join(names, " x "), tconv_merges_columns(&tiling) ? ", phases merged," : "");
}

// The register tiles that take turns with the weights of one transform point: those of a block, of each kind of phases.
std::vector<double> turns_of_weights(const Plan &plan, const tconv_tiling &tiling, const TargetSchedule &target) {
  const tconv_dims dims = typical_dims(plan);
  const tconv_cuts cuts = cut_call(plan, schedule_of(tiling, target), 0);
  std::vector<double> turns;
  for (int kind = 0; kind < TCONV_TILE_KINDS; ++kind) {
    if (!tconv_has_kind(&tiling, kind)) continue;
    const tconv_tile_grid grid = tconv_find_tile_grid(&tiling, &plan.layer, &dims, kind);
    const std::int64_t *size = cuts.blocks[tconv_joins_kinds(&tiling) ? 0 : kind].size;
    std::int64_t tiles = 1;
    for (int d = 0; d < TCONV_MAX_RANK; ++d) tiles *= std::min(grid.dim[d].count, size[d] / grid.dim[d].outputs);
    if (tiles > 0 && grid.phases > 0) turns.push_back(static_cast<double>(tconv_ceil_div(tiles, target.rows[0])));
  }
  return turns;
}

// As many lines as one point has for each of its steps: they come in beside the sums that come before. On the Xeon of
// core.cpp, one thread: 88 tiles in 15 turns 1.17 times as fast, 64 in 11 turns with weights from memory 1.3 times, 32
// in 6 turns 1.27, in 4 turns 1.08, 16 in two turns 1.12. Kinds with few points and many turns would fetch what nobody
// reads, and push out what is read: with four lines in place of two, k3 s2 was 1.05 times as slow. The cost model does
// not count on it: where it took 0.4 or 0.75 of the sums to hide weights, tiles with more of them won, and 20 layers
// were 0.97 times as fast (0.66 to 1.47).
int fetched_lines(const Plan &plan, const tconv_tiling &tiling, const TargetSchedule &target) {
  constexpr double line_floats = 16;
  constexpr int most_lines = 6;
  if (!tiling.strassen && !fetches(plan, tiling, Fetch::next_point)) return 0;
  const std::vector<double> turns = turns_of_weights(plan, tiling, target);
  if (turns.empty() || *std::min_element(turns.begin(), turns.end()) > most_turns) return 0;
  const double most = *std::max_element(turns.begin(), turns.end());
  const double a_step = target.columns * target.unroll_depth / line_floats;
  return std::min(static_cast<int>(std::ceil(a_step / most)), most_lines);
}

}  // namespace

std::string refuse_winograd(const Plan &plan) {
  const tconv_dims dims = typical_dims(plan);
  std::int64_t most = 1;
  for (const tconv_dim &dim : dims.dim) {
    const std::int64_t taps = tconv_most_taps(&dim);
    if (dim.dilation > 1) return fmt::format("dilation {}", dim.dilation);
    if (tile_outputs(taps).empty()) return fmt::format("phases of {} taps", taps);
    most = std::max(most, taps);
  }
  if (most == 1) return "phases of one tap";
  const std::int64_t points = fewest_points(dims);
  return points > most_points ? fmt::format("{} transform points", points) : "";
}

int function_kind(const Plan &plan, const tconv_tiling &tiling, int kind) {
  if (tiling.bf16x3) return 0;
  const tconv_dims dims = typical_dims(plan);
  for (int d = 0; d < TCONV_MAX_RANK; ++d)
    if (tconv_sorts_are_alike(&dims.dim[d], tiling.tile_outputs[0][d], tiling.tile_outputs[1][d])) kind &= ~(1 << d);
  return kind;
}

bool has_own_functions(const Plan &plan, const tconv_tiling &tiling, int kind) {
  return tconv_has_kind(&tiling, kind) && function_kind(plan, tiling, kind) == kind;
}

TargetSchedule schedule_winograd_target(const Plan &plan, const tconv_tiling &tiling, const RegisterFile &registers) {
  TargetSchedule target;
  target.transpose_block = registers.lanes;
  const bool open = plan.layer.size[plan.layer.rank - 1] == TCONV_UNSET;
  target.lanes = std::min(registers.lanes, tiling.panel);
  target.unroll_depth = unrolled_inputs(plan, tconv_tile_inputs(&tiling, &plan.layer));
  if (tiling.strassen && target.unroll_depth == 1 && tconv_tile_inputs(&tiling, &plan.layer) % 2 == 0)
    target.unroll_depth = 2;
  const int vectors = divide_panel(tiling.panel / target.lanes, registers);
  target.columns = vectors * target.lanes;
  const int most = std::min(accumulators(registers, vectors) / vectors, most_product_rows);
  // Each length of the rows has the register tile that suits it.
  for (const std::int64_t length : tile_row_lengths(plan, tiling)) {
    const int rows = best_product_rows(plan, tiling, target, open ? 0 : length, most);
    if (std::find(target.rows.begin(), target.rows.end(), rows) == target.rows.end()) target.rows.push_back(rows);
  }
  const tconv_dims dims = typical_dims(plan);
  const tconv_tile_grid grid = tconv_find_tile_grid(&tiling, &plan.layer, &dims, 0);
  const auto tiles = static_cast<double>(grid.dim[0].count * grid.dim[1].count * grid.dim[2].count);
  target.fetch = fetched_lines(plan, tiling, target);
  if (!tiling.strassen) target.prefetch = fetch_distance(plan, tiling, tiles / target.rows[0]);
  return target;
}

Schedule schedule_tiles(const Plan &plan, const std::vector<Target> &targets, const tconv_tiling &tiling) {
  Schedule schedule;
  schedule.method = tiling.strassen ? "strassen" : "winograd";
  schedule.tiling = tiling;
  for (const Target &target : targets)
    schedule.targets.push_back(schedule_winograd_target(plan, tiling, register_file(target)));
  return schedule;
}

bool has_winograd_tiles(const Plan &plan, const tconv_tiling &tiling) {
  const tconv_dims dims = typical_dims(plan);
  for (int d = 0; d < TCONV_MAX_RANK; ++d) {
    const std::vector<TileSizes> sizes = tile_sizes(plan, dims.dim[d]);
    const auto same = [&](const TileSizes &one) {
      return one.outputs == tiling.tile_outputs[0][d] && one.own == tiling.tile_outputs[1][d];
    };
    if (std::none_of(sizes.begin(), sizes.end(), same)) return false;
  }
  return is_allowed(plan, tiling);
}

// Of one phase alone merging would make nothing more.
bool can_merge_columns(const Plan &plan, const tconv_tiling &tiling) {
  const tconv_dims dims = typical_dims(plan);
  std::int64_t phases = 1;
  for (int d = 0; d < TCONV_MAX_RANK; ++d) {
    if (tiling.tile_outputs[1][d] > 0) return false;
    phases *= dims.dim[d].stride;
  }
  return plan.layer.groups == 1 && phases > 1;
}

bool fetches_written(const Plan &plan, const tconv_tiling &tiling) {
  constexpr std::int64_t line_floats = 16;
  return tiling.strassen && !tiling.transpose_output && tconv_group_outputs(&plan.layer) >= line_floats;
}

bool transposes_input(const Plan &plan) { return plan.layer.channels_last == 0; }

// One channel is the same in both layouts: what is copied to its place anyway is not transposed before.
bool transposes_output(const Plan &plan, const tconv_tiling &tiling) {
  return plan.layer.channels_last == 0 && !(tconv_merges_columns(&tiling) && plan.layer.out_channels == 1);
}

std::vector<tconv_tiling> winograd_tilings(const Plan &plan, int widest) {
  const tconv_dims dims = typical_dims(plan);
  tconv_tiling tiling{};
  tiling.thread_work = thread_work;
  tiling.transpose_input = transposes_input(plan) ? 1 : 0;
  tiling.panel = 1;
  std::vector<tconv_tiling> all;
  for (const TileSizes &z : tile_sizes(plan, dims.dim[0]))
    for (const TileSizes &y : tile_sizes(plan, dims.dim[1]))
      for (const TileSizes &x : tile_sizes(plan, dims.dim[2])) {
        const TileSizes sizes[TCONV_MAX_RANK] = {z, y, x};
        for (int d = 0; d < TCONV_MAX_RANK; ++d) {
          tiling.tile_outputs[0][d] = sizes[d].outputs;
          tiling.tile_outputs[1][d] = sizes[d].own;
        }
        if (!is_allowed(plan, tiling)) continue;
        for (const int merged : {0, 1}) {
          if (merged && !can_merge_columns(plan, tiling)) continue;
          tiling.merge_phases = tiling.dense_phases = merged;
          tiling.transpose_output = transposes_output(plan, tiling) ? 1 : 0;
          tiling.panel = panels_of(plan, tiling, widest)[0];
          const auto packed = static_cast<double>(tconv_packed_floats(&tiling, &plan.layer, &dims));
          tiling.block_bytes = winograd_block_bytes(4 * packed, tiling);
          all.push_back(tiling);
        }
      }
  return all;
}

Schedule choose_winograd(const Plan &plan, const std::vector<Target> &targets, Schedule direct) {
  const std::string refusal = refuse_winograd(plan);
  if (!refusal.empty()) {
    direct.reason += "; not winograd: " + refusal;
    return direct;
  }
  const tconv_dims dims = typical_dims(plan);
  const RegisterFile registers = register_file(targets[0]);
  const int widest = widest_lanes(targets);
  Schedule best;
  double least = 0, least_ranked = 0;
  for (tconv_tiling tiling : winograd_tilings(plan, widest)) {
    // Nothing is filled up that merging could save.
    if (tconv_merges_columns(&tiling) && tconv_group_outputs(&plan.layer) % (2 * widest) == 0) continue;
    const double error = tconv_winograd_error(&tiling, &plan.layer, &dims);
    for (const std::int32_t panel : panels_of(plan, tiling, widest)) {
      tiling.panel = panel;
      Schedule one = schedule_tiles(plan, targets, tiling);
      for (const std::int64_t bytes : block_sizes(plan, tiling)) {
        one.tiling.block_bytes = bytes;
        const double cycles = winograd_cycles(plan, one, registers);
        const double ranked = cycles * (1 + error_cost * std::log2(error));
        if (!best.targets.empty() && ranked >= least_ranked) continue;
        best = one;
        least = cycles;
        least_ranked = ranked;
      }
    }
  }
  const double gain = direct_cycles(plan, direct.tiling, direct.targets[0], registers) / std::max(least, 1.0);
  const std::string model = fmt::format("{} should be {:.2f} times as fast as {}",
                                        transform_name(plan.layer, best.tiling, dims), gain, direct.method);
  const double asked =
      tconv_merges_columns(&best.tiling) ? least_merged_gain : core_of(plan.processor).least_winograd_gain;
  if (plan.use_winograd == UseWinograd::where_faster && gain < asked) {
    direct.reason += fmt::format("; not winograd: {}, {} is asked for", model, asked);
    return direct;
  }
  // What is fetched depends on the block.
  best = schedule_tiles(plan, targets, best.tiling);
  best.reason = fmt::format("{}, transforms included; {} transform points", model, points_of(plan, best.tiling));
  return best;
}

}  // namespace tconv
