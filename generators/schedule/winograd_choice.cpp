// Where Winograd's method is used, and with which tiles: a count of multiply-adds, and of what the transforms cost in
// terms of them.
//
// Measured against the direct method on a Zen 5 core with AVX-512, one thread, minima of alternating runs: k4 s2 1.3 to
// 2.2 times as fast in two dimensions, 1.7 to 2.5 in three, 1.2 to 1.4 in one; k3 s1 2.7 to 3.6 times. The products run
// at 92 to 97 % of the multiply-add peak and take eight to nine tenths of the time; the output transform costs 5 to 8
// multiply-adds an element where the output stays in the second-level cache, 15 to 20 where it does not, which slows
// direct's writes as well. Tried, and left out or refused by the model:
//   k3 s2, whose phases have one tap or two, in shared tiles: F(2, 2) was 3 % slower than direct. With tiles of their
//   own it is 1.4 times as fast, and k5 s2 1.9 times in place of 1.3.
//   One dimension, k4 s2, 32 -> 32 channels: F(3, 2) was no faster; with 64 -> 32 it is 1.22 times as fast.
//   1024 -> 256 channels on 16 x 16: F(3, 2) has 67 MB of weights, and was slower than F(2, 2) and than direct.
//   F(2, 2) for all layers of two taps: on 32 x 32 with 256 -> 256 channels F(3, 2) is 1.3 times as fast, and no less
//   exact.
// F(4, 2) was not tried: 7 % fewer products than F(3, 2) on 32 x 32, half as many weights again, and larger errors.
#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "schedule/rules.h"

namespace tconv {

using Halide::Target;

namespace {

// What else there is to do, in multiply-adds: for an element of the transformed input, for one of the products (which
// are written, read and added up), and for calling the functions of one panel.
constexpr double input_cost = 8;
constexpr double output_cost = 8, uncached_output_cost = 20;
constexpr double call_cost = 32e3;

// Outputs beyond this leave the second-level cache, in bytes.
constexpr double cached_output = 1 << 20;

// Weights beyond what a core has of the third-level cache come from memory, once a block: multiply-adds a byte.
constexpr double cached_weights = 16e6;
constexpr double stream_cost = 16;

// The model is not good enough for less.
constexpr double least_gain = 1.1;

// Unrolled transforms of more points are too much code.
constexpr std::int64_t most_points = 64;

// Transformed input that a task works on. More of it reads the weights less often; less of it stays in the second-level
// cache beside the products of a panel. With 37 MB of weights, one block of three MB in place of four made the layer
// two to three times as fast, with 17 MB one of two MB in place of three 1.15 times; with 64 KB, blocks of 256 KB were
// 3 % faster than blocks of one MB, and 6 % than blocks of 64 KB.
std::int64_t winograd_block_bytes(double packed_bytes) {
  constexpr std::int64_t least = 256 << 10, most = 4 << 20;
  return std::clamp(static_cast<std::int64_t>(packed_bytes / 4), least, most);
}

// Two vectors, or as many fewer or more as waste less.
std::int32_t panel_of(std::int64_t outputs, int widest) {
  std::int32_t best = 2 * widest;
  for (const std::int32_t panel : {3 * widest, widest})
    if (panel <= TCONV_MAX_PANEL && tconv_round_up(outputs, panel) < tconv_round_up(outputs, best)) best = panel;
  return best;
}

std::vector<std::int32_t> tile_outputs(std::int64_t taps) {
  std::vector<std::int32_t> all;
  for (std::int32_t outputs = 1; outputs <= TCONV_MOST_TILE_OUTPUTS; ++outputs)
    if (tconv_find_transform(outputs, taps) != nullptr) all.push_back(outputs);
  return all;
}

// Tiles of a dimension: outputs of the longest phases, and of those with one tap fewer.
struct TileSizes {
  std::int32_t longest, fewer;
};

std::vector<TileSizes> tile_sizes(const Plan &plan, const tconv_dim &dim) {
  const std::int64_t taps = tconv_most_taps(&dim);
  std::vector<TileSizes> all;
  for (const std::int32_t longest : tile_outputs(taps)) {
    all.push_back({longest, 0});
    if (!plan.layer.channels_last || taps == 1 || dim.kernel % dim.stride == 0) continue;
    for (const std::int32_t fewer : tile_outputs(taps - 1)) all.push_back({longest, fewer});
  }
  return all;
}

// Of a row's products with one input channel and one vector of columns, in multiply-adds of vectors at the peak.
double row_cost(std::int64_t row, const TargetSchedule &schedule) {
  int best = schedule.rows[0];
  for (const int tile : schedule.rows)
    if (tconv_round_up(row, tile) < tconv_round_up(row, best)) best = tile;
  return static_cast<double>(tconv_round_up(row, best)) / use_by_columns(schedule.columns / schedule.lanes, best);
}

double kind_cost(const Plan &plan, const Schedule &schedule, const tconv_dims &dims, int kind) {
  const tconv_layer &layer = plan.layer;
  const tconv_tile_grid grid = tconv_find_tile_grid(&schedule.tiling, &layer, &dims, kind);
  const auto points = static_cast<double>(grid.points);
  const auto outputs = static_cast<double>(layer.groups * tconv_phase_columns(&schedule.tiling, &layer));
  const auto inputs = static_cast<double>(tconv_group_inputs(&layer));
  const tconv_blocks blocks = cut_call(plan, schedule, 0, kind);
  const double each_output =
      4 * elements(layer.out_channels, dims, true) > cached_output ? uncached_output_cost : output_cost;
  double tiles = 1, block_count = 1, cost = 0;
  for (int d = 0; d < TCONV_MAX_RANK; ++d) {
    tiles *= static_cast<double>(grid.dim[d].count);
    block_count *= static_cast<double>(blocks.count[d]);
  }
  cost += tiles * points * static_cast<double>(layer.in_channels) * input_cost;
  for (std::int64_t index = 0; index < grid.phases; ++index) {
    tconv_tile_phase phase[TCONV_MAX_RANK];
    tconv_split_phase(&dims, &grid, index, phase);
    const auto lines = static_cast<double>((phase[0].end - phase[0].first) * (phase[1].end - phase[1].first));
    const std::int64_t row = phase[2].end - phase[2].first;
    cost += lines * points * outputs *
            (row_cost(row, schedule.targets[0]) * inputs + static_cast<double>(row) * each_output);
  }
  const double panels = static_cast<double>(grid.phases) * outputs / schedule.tiling.panel;
  const double weights = 4 * static_cast<double>(layer.groups * grid.phases * grid.phase_floats);
  cost += panels * block_count * call_cost;
  return weights > cached_weights ? std::max(cost, weights * block_count * stream_cost) : cost;
}

// Of a tile of each kind of phases, together.
std::int64_t points_of(const Plan &plan, const tconv_tiling &tiling, const tconv_dims &dims) {
  std::int64_t points = 0;
  for (int kind = 0; kind < TCONV_TILE_KINDS; ++kind)
    if (tconv_has_kind(&tiling, kind)) points += tconv_find_tile_grid(&tiling, &plan.layer, &dims, kind).points;
  return points;
}

std::string transform_name(const tconv_layer &layer, const tconv_tiling &tiling, const tconv_dims &dims) {
  std::vector<std::string> names;
  for (int d = TCONV_MAX_RANK - layer.rank; d < TCONV_MAX_RANK; ++d) {
    const std::int64_t taps = tconv_most_taps(&dims.dim[d]);
    names.push_back(fmt::format("F({}, {})", tiling.tile_outputs[0][d], taps));
    if (tiling.tile_outputs[1][d] > 0)
      names.back() = fmt::format("({} and F({}, {}))", names.back(), tiling.tile_outputs[1][d], taps - 1);
  }
  return fmt::format("{}", fmt::join(names, " x "));
}

// The schedule for a tiling.
Schedule with_tiling(const Plan &plan, const std::vector<Target> &targets, const tconv_tiling &tiling) {
  Schedule schedule;
  schedule.method = "winograd";
  schedule.tiling = tiling;
  for (const Target &target : targets)
    schedule.targets.push_back(schedule_winograd_target(plan, tiling, register_file(target)));
  return schedule;
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
  return most == 1 ? "phases of one tap" : "";
}

TargetSchedule schedule_winograd_target(const Plan &plan, const tconv_tiling &tiling, const RegisterFile &registers) {
  TargetSchedule target;
  target.transpose_block = registers.lanes;
  const tconv_dims dims = typical_dims(plan);
  const bool open = plan.layer.size[plan.layer.rank - 1] == TCONV_UNSET;
  target.lanes = std::min(registers.lanes, tiling.panel);
  const int vectors = divide_panel(tiling.panel / target.lanes, registers);
  target.columns = vectors * target.lanes;
  const int most = accumulators(registers, vectors) / vectors;
  // Rows of a kind's phases differ by one tile at most; each length has the register tile that suits it.
  for (const int kind : {0, 1 << (TCONV_MAX_RANK - 1)}) {
    if (!tconv_has_kind(&tiling, kind)) continue;
    const tconv_tiles tiles = tconv_find_tile_grid(&tiling, &plan.layer, &dims, kind).dim[2];
    for (std::int64_t i = 0; i < tiles.phases; ++i) {
      const tconv_tile_phase phase =
          tconv_find_tile_phase(&dims.dim[2], &tiles, tconv_nth_phase(&dims.dim[2], &tiles, i));
      const int rows = best_tile(open ? 0 : phase.end - phase.first, most, vectors);
      if (std::find(target.rows.begin(), target.rows.end(), rows) == target.rows.end()) target.rows.push_back(rows);
    }
  }
  return target;
}

std::vector<tconv_tiling> winograd_tilings(const Plan &plan, int widest) {
  const tconv_dims dims = typical_dims(plan);
  tconv_tiling tiling{};
  tiling.panel = panel_of(tconv_group_outputs(&plan.layer), widest);
  tiling.thread_work = thread_work;
  tiling.transpose_input = tiling.transpose_output = plan.layer.channels_last ? 0 : 1;
  std::vector<tconv_tiling> all;
  for (const TileSizes &z : tile_sizes(plan, dims.dim[0]))
    for (const TileSizes &y : tile_sizes(plan, dims.dim[1]))
      for (const TileSizes &x : tile_sizes(plan, dims.dim[2])) {
        const TileSizes sizes[TCONV_MAX_RANK] = {z, y, x};
        for (int d = 0; d < TCONV_MAX_RANK; ++d) {
          tiling.tile_outputs[0][d] = sizes[d].longest;
          tiling.tile_outputs[1][d] = sizes[d].fewer;
        }
        if (points_of(plan, tiling, dims) > most_points) continue;
        tiling.block_bytes =
            winograd_block_bytes(4 * static_cast<double>(tconv_packed_floats(&tiling, &plan.layer, &dims)));
        all.push_back(tiling);
      }
  return all;
}

double winograd_cycles(const Plan &plan, const Schedule &schedule, const RegisterFile &registers) {
  const tconv_dims dims = typical_dims(plan);
  double cost = 0;
  for (int kind = 0; kind < TCONV_TILE_KINDS; ++kind)
    if (tconv_has_kind(&schedule.tiling, kind)) cost += kind_cost(plan, schedule, dims, kind);
  return cost / 2 / registers.lanes + transpose_cycles(plan, schedule.tiling);
}

namespace {

// Four vectors that share a broadcast element are 3 to 10 % faster than two, where the rows waste no more of shorter
// tiles: measured with AVX-512, whose registers hold them.
void widen_panels(const Plan &plan, const std::vector<Target> &targets, Schedule &schedule, double &cycles) {
  const RegisterFile registers = register_file(targets[0]);
  tconv_tiling tiling = schedule.tiling;
  tiling.panel *= 2;
  if (registers.lanes < 16 || tiling.panel > TCONV_MAX_PANEL || tconv_group_outputs(&plan.layer) % tiling.panel != 0)
    return;
  Schedule wide = with_tiling(plan, targets, tiling);
  const double wide_cycles = winograd_cycles(plan, wide, registers);
  if (wide_cycles > cycles) return;
  schedule = std::move(wide);
  cycles = wide_cycles;
}

}  // namespace

Schedule choose_winograd(const Plan &plan, const std::vector<Target> &targets, Schedule direct) {
  const std::string refusal = refuse_winograd(plan);
  if (!refusal.empty()) {
    direct.reason += "; not winograd: " + refusal;
    return direct;
  }
  const tconv_dims dims = typical_dims(plan);
  const RegisterFile registers = register_file(targets[0]);
  Schedule best;
  double least = 0;
  for (const tconv_tiling &tiling : winograd_tilings(plan, widest_lanes(targets))) {
    Schedule one = with_tiling(plan, targets, tiling);
    const double cycles = winograd_cycles(plan, one, registers);
    if (!best.targets.empty() && cycles >= least) continue;
    best = std::move(one);
    least = cycles;
  }
  widen_panels(plan, targets, best, least);
  const double gain = direct_cycles(plan, direct.tiling, direct.targets[0], registers) / std::max(least, 1.0);
  const std::string model = fmt::format("{} should be {:.2f} times as fast as {}",
                                        transform_name(plan.layer, best.tiling, dims), gain, direct.method);
  if (plan.use_winograd == UseWinograd::where_faster && gain < least_gain) {
    direct.reason += fmt::format("; not winograd: {}, {} is asked for", model, least_gain);
    return direct;
  }
  best.reason = fmt::format("{}, transforms included; {} transform points", model, points_of(plan, best.tiling, dims));
  return best;
}

}  // namespace tconv
