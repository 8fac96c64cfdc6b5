// Where Winograd's method is used, and with which tiles: a count of multiply-adds, and of what the transforms cost in
// terms of them.
//
// Measured against the direct method on a Zen 5 core with AVX-512, one thread, minima of alternating runs: k4 s2 1.4 to
// 2.2 times as fast in two dimensions, 1.7 to 2.5 in three, 1.2 to 1.4 in one; k3 s1 2.7 to 3.6 times. The products run
// at 92 to 97 % of the multiply-add peak and take two thirds to nine tenths of the time; an element of the transformed
// input costs 7 to 8 multiply-adds where the array stays in the second-level cache, 13 to 16 where it does not; of the
// products, in the output transform, 8 and 16 to 20; half as much again in tiles of 125 points. Tried, and left out or
// refused by the model:
//   k3 s2, whose phases have one tap or two, in shared tiles: F(2, 2) was 3 % slower than direct. With tiles of their
//   own it is 1.4 times as fast, and k5 s2 1.9 times in place of 1.3.
//   One dimension, k4 s2, 32 -> 32 channels: F(3, 2) was no faster; with 64 -> 32 it is 1.22 times as fast.
//   F(2, 2) for all layers of two taps: on 32 x 32 with 256 -> 256 channels F(3, 2) is 1.3 times as fast, and no less
//   exact; F(4, 2) apart 1.15 times as fast as that, with errors 2 to 3 times as large.
//   Tiles that the phases share, for small images: k4 s2 on 8 x 8 and 16 x 16 is 1.2 to 1.3 times as fast with tiles
//   apart, of which none hangs over an end. What bounds them is how fast weights come in: 512 -> 256 channels k16 s8 on
//   32 positions are slower with F(4, 2), whose weights are 1.7 times those of F(2, 2).
#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "schedule/rules.h"

namespace tconv {

using Halide::Target;

namespace {

// What else there is to do, in multiply-adds: for an element of the transformed input, for one of the products (which
// are written, read and added up), and for calling the functions of one panel.
constexpr double input_cost = 8, uncached_input_cost = 14;
constexpr double output_cost = 8, uncached_output_cost = 20;
constexpr double call_cost = 32e3;

// Arrays of more bytes leave the second-level cache.
constexpr double cached = 1 << 20;

// Outputs of other phases lie in the same cache line, where a position's channels fill none: each phase fetches the
// line anew, once the output is in memory. 21 -> 21 channels k16 s8: 0.9 times direct's speed where the output has 5.5
// MB, 1.5 times where it has 1.4 MB.
constexpr double cache_line = 64, in_memory = 4 << 20;
constexpr double shared_line_cost = 40;

// What of a tile's points does not fit registers is stored and loaded once more in each dimension.
constexpr std::int64_t held_points = 64;
constexpr double unheld = 1.75;

// Of two that are about as fast the more exact one: for each doubling of the error.
constexpr double error_cost = 0.02;

// The first pass over a panel's weights reads them from beyond the second-level cache: from the third level, or, where
// all of them are more than a core's share of that, from memory, which half of the pass's own work does not hide; bytes
// a cycle.
constexpr double cached_weights = 20 << 20;
constexpr double third_level_rate = 20, memory_rate = 13;
constexpr double hidden_from_memory = 0.5;

struct WeightStream {
  double cost;    // multiply-adds a byte
  double hidden;  // share of the first pass that hides it
};

// The model is not good enough for less.
constexpr double least_gain = 1.1;

// More tiles in a register tile only wait for their loads.
constexpr int most_product_rows = 20;

// Unrolled transforms of more points, of all kinds of phases together, are too much code.
constexpr std::int64_t most_points = 128;

// Transformed input that a task works on. More of it reads the weights less often; less of it stays in the second-level
// cache beside the products of a panel. With 37 MB of weights, one block of three MB in place of four made the layer
// two to three times as fast, with 17 MB one of two MB in place of three 1.15 times; with 64 KB, blocks of 256 KB were
// 3 % faster than blocks of one MB, and 6 % than blocks of 64 KB.
std::int64_t winograd_block_bytes(double packed_bytes) {
  constexpr std::int64_t least = 256 << 10, most = 4 << 20;
  return std::clamp(static_cast<std::int64_t>(packed_bytes / 4), least, most);
}

// Two vectors, or as many fewer or more as waste less; four where registers hold them and nothing is wasted.
std::vector<std::int32_t> panels_of(std::int64_t outputs, int widest) {
  std::vector<std::int32_t> all = {2 * widest};
  for (const std::int32_t panel : {3 * widest, widest})
    if (panel <= TCONV_MAX_PANEL && tconv_round_up(outputs, panel) < tconv_round_up(outputs, all[0])) all[0] = panel;
  if (widest >= 16 && 2 * all[0] <= TCONV_MAX_PANEL && outputs % (2 * all[0]) == 0) all.push_back(2 * all[0]);
  return all;
}

std::vector<std::int32_t> tile_outputs(std::int64_t taps) {
  std::vector<std::int32_t> all;
  for (std::int32_t outputs = 1; outputs <= TCONV_MOST_TILE_OUTPUTS; ++outputs)
    if (tconv_find_transform(outputs, taps) != nullptr) all.push_back(outputs);
  return all;
}

// Tiles of a dimension: outputs of the first sort of its phases, and of the second where it has tiles of its own.
struct TileSizes {
  std::int32_t outputs, own;
};

std::vector<TileSizes> tile_sizes(const Plan &plan, const tconv_dim &dim) {
  const std::int64_t taps = tconv_most_taps(&dim);
  std::vector<TileSizes> all;
  const bool shorter = tconv_has_shorter_phases(&dim) != 0;
  for (const std::int32_t outputs : tile_outputs(taps)) {
    all.push_back({outputs, 0});
    if (!plan.layer.channels_last || taps == 1) continue;
    if (!shorter && dim.crop % dim.stride != 0) all.push_back({outputs, outputs});
    if (!shorter) continue;
    for (const std::int32_t own : tile_outputs(taps - 1)) all.push_back({outputs, own});
  }
  return all;
}

// The share of the peak at which products run, in register tiles of so many vectors of columns by so many tiles. Where
// a point's weights do not stay in the first-level cache, loading them takes more than use_by_columns() says: measured
// on Zen 5, relative to 4 x 6: 4 x 4 0.93, 4 x 5 0.96, 2 x 8 0.945, 2 x 11 0.96.
double use_of_products(const Plan &plan, const TargetSchedule &target, int rows) {
  constexpr double first_level = 24 << 10, without_loads = 1.23, a_weight = 0.84, an_input = 0.36;
  const int vectors = target.columns / target.lanes;
  if (4.0 * static_cast<double>(tconv_group_inputs(&plan.layer)) * target.columns <= first_level)
    return use_by_columns(vectors, rows);
  return busy_share(vectors * rows) * std::min(1.0, without_loads - a_weight / rows - an_input / vectors);
}

// Tiles of a register tile, for a row of products; 0 is a row of any length.
int best_product_rows(const Plan &plan, const TargetSchedule &target, std::int64_t row, int most) {
  const auto cost = [&](int rows) {
    const double computed = row == 0 ? 1 : static_cast<double>(tconv_round_up(row, rows));
    return computed / use_of_products(plan, target, rows);
  };
  int best = 1;
  for (int rows = 2; rows <= most; ++rows)
    if (cost(rows) <= cost(best)) best = rows;
  return best;
}

// Of several register tiles the one that wastes least of a row.
int best_rows(std::int64_t row, const std::vector<int> &rows) {
  return *std::min_element(rows.begin(), rows.end(),
                           [row](int a, int b) { return tconv_round_up(row, a) < tconv_round_up(row, b); });
}

// Of all products of one phase of one block: multiply-adds at the peak, and what the first pass over the weights waits
// for them.
double products_cost(const Plan &plan, const Schedule &schedule, const tconv_tile_grid &grid,
                     const std::int64_t *stored, const std::int64_t *count, const WeightStream &stream) {
  const TargetSchedule &target = schedule.targets[0];
  std::int64_t joined[TCONV_MAX_RANK];
  tconv_join_tile_rows(stored, count, joined);
  const int rows = best_rows(joined[2], target.rows);
  const auto passes = static_cast<double>(joined[0] * joined[1] * tconv_ceil_div(joined[2], rows));
  const auto weights = static_cast<double>(plan.layer.groups * grid.phase_floats);
  const double a_pass = weights * rows / use_of_products(plan, target, rows);
  return passes * a_pass + std::max(0.0, 4 * weights * stream.cost - stream.hidden * a_pass);
}

// Of an element of the products, in the output transform.
double product_cost(const tconv_layer &layer, const tconv_tiling &tiling, const tconv_dims &dims) {
  const double output = 4 * elements(layer.out_channels, dims, true);
  const bool lines_shared = std::fmod(4.0 * static_cast<double>(layer.out_channels), cache_line) != 0;
  if (output > in_memory && lines_shared && !tiling.transpose_output) return shared_line_cost;
  return output > cached ? uncached_output_cost : output_cost;
}

double kind_cost(const Plan &plan, const Schedule &schedule, const tconv_dims &dims, int kind,
                 const tconv_blocks &blocks, const WeightStream &stream) {
  const tconv_layer &layer = plan.layer;
  const tconv_tile_grid grid = tconv_find_tile_grid(&schedule.tiling, &layer, &dims, kind);
  const auto points = static_cast<double>(grid.points);
  const auto outputs = static_cast<double>(layer.groups * tconv_phase_columns(&schedule.tiling, &layer));
  const auto transformed = static_cast<double>(tconv_transformed_floats(&blocks, &layer, &grid));
  const double stored_again = grid.points > held_points ? unheld : 1;
  const double each_input = stored_again * (4 * transformed > cached ? uncached_input_cost : input_cost);
  const double each_output = stored_again * product_cost(layer, schedule.tiling, dims);
  double tiles = 1, block_count = 1, cost = 0;
  for (int d = 0; d < TCONV_MAX_RANK; ++d) {
    tiles *= static_cast<double>(grid.dim[d].count);
    block_count *= static_cast<double>(blocks.count[d]);
  }
  cost += tiles * points * static_cast<double>(layer.in_channels) * each_input;
  for (std::int64_t index = 0; index < grid.phases; ++index) {
    tconv_tile_phase phase[TCONV_MAX_RANK];
    std::int64_t stored[TCONV_MAX_RANK], count[TCONV_MAX_RANK];
    double share = 1, written = points * outputs;
    tconv_split_phase(&dims, &grid, index, phase);
    for (int d = 0; d < TCONV_MAX_RANK; ++d) {
      const std::int64_t all = phase[d].end - phase[d].first;
      stored[d] = blocks.size[d] / grid.dim[d].outputs;
      count[d] = std::min(all, stored[d]);
      written *= static_cast<double>(all);
      share *= static_cast<double>(all) / static_cast<double>(std::max(count[d], std::int64_t{1}));
    }
    if (written > 0) cost += share * products_cost(plan, schedule, grid, stored, count, stream) + written * each_output;
  }
  const double panels = static_cast<double>(grid.phases) * outputs / schedule.tiling.panel;
  return cost + panels * block_count * call_cost;
}

// Of a tile of each kind of phases that has functions of its own, together.
std::int64_t points_of(const Plan &plan, const tconv_tiling &tiling) {
  const tconv_dims dims = typical_dims(plan);
  std::int64_t points = 0;
  for (int kind = 0; kind < TCONV_TILE_KINDS; ++kind)
    if (tconv_has_kind(&tiling, kind) && function_kind(plan, tiling, kind) == kind)
      points += tconv_find_tile_grid(&tiling, &plan.layer, &dims, kind).points;
  return points;
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

int function_kind(const Plan &plan, const tconv_tiling &tiling, int kind) {
  const tconv_dims dims = typical_dims(plan);
  for (int d = 0; d < TCONV_MAX_RANK; ++d)
    if (tconv_sorts_are_alike(&dims.dim[d], tiling.tile_outputs[0][d], tiling.tile_outputs[1][d])) kind &= ~(1 << d);
  return kind;
}

std::vector<std::int64_t> tile_row_lengths(const Plan &plan, const tconv_tiling &tiling) {
  const tconv_dims dims = typical_dims(plan);
  std::vector<std::int64_t> lengths;
  for (int kind = 0; kind < TCONV_TILE_KINDS; ++kind) {
    if (!tconv_has_kind(&tiling, kind)) continue;
    const tconv_tile_grid grid = tconv_find_tile_grid(&tiling, &plan.layer, &dims, kind);
    const std::int64_t stored[TCONV_MAX_RANK] = {grid.dim[0].count, grid.dim[1].count, grid.dim[2].count};
    for (std::int64_t index = 0; index < grid.phases; ++index) {
      tconv_tile_phase phase[TCONV_MAX_RANK];
      std::int64_t count[TCONV_MAX_RANK], joined[TCONV_MAX_RANK];
      tconv_split_phase(&dims, &grid, index, phase);
      for (int d = 0; d < TCONV_MAX_RANK; ++d) count[d] = phase[d].end - phase[d].first;
      tconv_join_tile_rows(stored, count, joined);
      lengths.push_back(joined[TCONV_MAX_RANK - 1]);
    }
  }
  return lengths;
}

TargetSchedule schedule_winograd_target(const Plan &plan, const tconv_tiling &tiling, const RegisterFile &registers) {
  TargetSchedule target;
  target.transpose_block = registers.lanes;
  const bool open = plan.layer.size[plan.layer.rank - 1] == TCONV_UNSET;
  target.lanes = std::min(registers.lanes, tiling.panel);
  const int vectors = divide_panel(tiling.panel / target.lanes, registers);
  target.columns = vectors * target.lanes;
  const int most = std::min(accumulators(registers, vectors) / vectors, most_product_rows);
  // Each length of the rows has the register tile that suits it.
  for (const std::int64_t length : tile_row_lengths(plan, tiling)) {
    const int rows = best_product_rows(plan, target, open ? 0 : length, most);
    if (std::find(target.rows.begin(), target.rows.end(), rows) == target.rows.end()) target.rows.push_back(rows);
  }
  return target;
}

std::vector<tconv_tiling> winograd_tilings(const Plan &plan, int widest) {
  const tconv_dims dims = typical_dims(plan);
  tconv_tiling tiling{};
  tiling.thread_work = thread_work;
  tiling.transpose_input = tiling.transpose_output = plan.layer.channels_last ? 0 : 1;
  const std::vector<std::int32_t> panels = panels_of(tconv_group_outputs(&plan.layer), widest);
  std::vector<tconv_tiling> all;
  tiling.panel = panels[0];
  for (const TileSizes &z : tile_sizes(plan, dims.dim[0]))
    for (const TileSizes &y : tile_sizes(plan, dims.dim[1]))
      for (const TileSizes &x : tile_sizes(plan, dims.dim[2])) {
        const TileSizes sizes[TCONV_MAX_RANK] = {z, y, x};
        for (int d = 0; d < TCONV_MAX_RANK; ++d) {
          tiling.tile_outputs[0][d] = sizes[d].outputs;
          tiling.tile_outputs[1][d] = sizes[d].own;
        }
        if (points_of(plan, tiling) > most_points) continue;
        for (const std::int32_t panel : panels) {
          tiling.panel = panel;
          tiling.block_bytes =
              winograd_block_bytes(4 * static_cast<double>(tconv_packed_floats(&tiling, &plan.layer, &dims)));
          all.push_back(tiling);
        }
      }
  return all;
}

double winograd_cycles(const Plan &plan, const Schedule &schedule, const RegisterFile &registers) {
  const tconv_dims dims = typical_dims(plan);
  const tconv_cuts cuts = cut_call(plan, schedule, 0);
  const double weights = 4 * static_cast<double>(tconv_packed_floats(&schedule.tiling, &plan.layer, &dims));
  const bool from_memory = weights > cached_weights;
  const double rate = from_memory ? memory_rate : third_level_rate;
  const WeightStream stream = {weights > second_level ? 2 * registers.lanes / rate : 0,
                               from_memory ? hidden_from_memory : 1};
  double cost = 0;
  for (int kind = 0; kind < TCONV_TILE_KINDS; ++kind)
    if (tconv_has_kind(&schedule.tiling, kind))
      cost += kind_cost(plan, schedule, dims, kind, cuts.blocks[kind], stream);
  return cost / 2 / registers.lanes + transpose_cycles(plan, schedule.tiling);
}

Schedule choose_winograd(const Plan &plan, const std::vector<Target> &targets, Schedule direct) {
  const std::string refusal = refuse_winograd(plan);
  if (!refusal.empty()) {
    direct.reason += "; not winograd: " + refusal;
    return direct;
  }
  const tconv_dims dims = typical_dims(plan);
  const RegisterFile registers = register_file(targets[0]);
  Schedule best;
  double least = 0, least_ranked = 0;
  for (const tconv_tiling &tiling : winograd_tilings(plan, widest_lanes(targets))) {
    Schedule one = with_tiling(plan, targets, tiling);
    const double cycles = winograd_cycles(plan, one, registers);
    const double ranked = cycles * (1 + error_cost * std::log2(tconv_winograd_error(&tiling, &plan.layer, &dims)));
    if (!best.targets.empty() && ranked >= least_ranked) continue;
    best = std::move(one);
    least = cycles;
    least_ranked = ranked;
  }
  const double gain = direct_cycles(plan, direct.tiling, direct.targets[0], registers) / std::max(least, 1.0);
  const std::string model = fmt::format("{} should be {:.2f} times as fast as {}",
                                        transform_name(plan.layer, best.tiling, dims), gain, direct.method);
  if (plan.use_winograd == UseWinograd::where_faster && gain < least_gain) {
    direct.reason += fmt::format("; not winograd: {}, {} is asked for", model, least_gain);
    return direct;
  }
  best.reason = fmt::format("{}, transforms included; {} transform points", model, points_of(plan, best.tiling));
  return best;
}

}  // namespace tconv
