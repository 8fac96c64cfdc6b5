// What Winograd's method costs: a count of multiply-adds, and of what the transforms and reading weights cost in terms
// of them. An element of the transformed input, and of the products in the output transform, costs 8 multiply-adds in
// two dimensions of F(4, 2) where the array stays in the second-level cache, core.h says what elsewhere; longer sums
// cost more, and tiles of 125 points half as much again. Measured on Zen 5 with AVX-512; 81 schedules of six layers, of
// 3 to 7 outputs a tile, came to within 4 % (root mean square) of the relations that it has.
//
// On a Xeon whose third level is far (core.cpp), cycles measured over those expected of 112 schedules of nine layers:
// 0.65 to 1.26 but for one, 1.2 to 4.2 with the constants of Zen 5.
#include <algorithm>
#include <array>
#include <cmath>

#include "schedule/core.h"
#include "schedule/rules.h"
#include "tconv/tile_block.h"

namespace tconv {

namespace {

// What else there is to do, in multiply-adds: for an element of the transformed input, for one of the products (which
// are written, read and added up), and for calling the functions of one panel.
constexpr double input_cost = 8, output_cost = 8;
constexpr double call_cost = 32e3;

// The terms of an element's sums that its cost includes, about those of F(4, 2) in two dimensions: each more costs one
// multiply-add.
constexpr double input_terms = 6, output_terms = 5;

// For an element of a merged phase's output, once it is computed: to be read and written again.
constexpr double cached_copy = 6, uncached_copy = 12, memory_copy = 22;

// Outputs of other phases lie in the same cache line, where a position's channels fill none: each phase fetches the
// line anew, once the output is in memory. 21 -> 21 channels k16 s8: 0.9 times direct's speed where the output has 5.5
// MB, 1.5 times where it has 1.4 MB.
constexpr double cache_line = 64, in_memory = 4 << 20;
constexpr double shared_line_cost = 40;

// What of a tile's points does not fit registers is stored and loaded once more in each dimension.
constexpr std::int64_t held_points = 64;
constexpr double unheld = 1.75;

// The first pass over a panel's weights reads them from beyond the second-level cache: from the third level, or, where
// all of them are more than a core's share of that, from memory.
struct WeightStream {
  double cost;    // multiply-adds a byte
  double hidden;  // share of the first pass that hides it
  double again;   // multiply-adds a byte of the transformed input that a panel finds no more
};

// The share of the peak at which products run, in register tiles of so many tiles.
double use_of_products(const Plan &plan, const tconv_tiling &tiling, const TargetSchedule &target, int rows) {
  constexpr double held = 24 << 10;  // beside the products, in the first-level cache
  const double weights = sizeof(float) * static_cast<double>(tconv_tile_inputs(&tiling, &plan.layer) * target.columns);
  return use_of_sums(core_of(plan.processor), target.lanes, target.columns / target.lanes, rows, weights > held);
}

// Of all products of one phase of one block: multiply-adds at the peak, and what the first pass over the weights waits
// for them.
double products_cost(const Plan &plan, const Schedule &schedule, const tconv_tile_grid &grid,
                     const std::int64_t *stored, const std::int64_t *count, const WeightStream &stream) {
  const TargetSchedule &target = schedule.targets[0];
  std::int64_t joined[TCONV_MAX_RANK];
  tconv_join_tile_rows(stored, count, joined);
  const tconv_tile_functions functions = tile_functions(target);
  const int rows = target.rows[static_cast<std::size_t>(tconv_find_products(&functions, joined[2]))];
  const auto passes = static_cast<double>(joined[0] * joined[1] * tconv_ceil_div(joined[2], rows));
  const auto weights = static_cast<double>(plan.layer.groups * grid.phase_floats);
  const double a_pass = weights * rows / use_of_products(plan, schedule.tiling, target, rows);
  return passes * a_pass + std::max(0.0, 4 * weights * stream.cost - stream.hidden * a_pass);
}

// Whether input and output are too large for the caches.
bool goes_to_memory(const Plan &plan, const tconv_dims &dims) {
  const double all = elements(plan.layer.in_channels, dims, false) + elements(plan.layer.out_channels, dims, true);
  return sizeof(float) * all > core_of(plan.processor).transposed_bytes;
}

// Of an element of the products, in the output transform, where the outputs leave the second-level cache: 0 where not.
double far_product_cost(const Plan &plan, const tconv_tiling &tiling, const tconv_dims &dims) {
  const tconv_layer &layer = plan.layer;
  const Core &core = core_of(plan.processor);
  if (tconv_merges_columns(&tiling)) return 0;
  const double output = 4 * elements(layer.out_channels, dims, true);
  if (fetches_written(plan, tiling)) return goes_to_memory(plan, dims) ? core.memory_product : 0;
  const bool lines_shared = std::fmod(4.0 * static_cast<double>(layer.out_channels), cache_line) != 0;
  if (output > in_memory && lines_shared && !tiling.transpose_output) return shared_line_cost;
  return output > core.second_level_bytes ? core.far_product : 0;
}

int count_terms(int count, const auto &factor) {
  int terms = 0;
  for (int i = 0; i < count; ++i) terms += factor(i) != 0;
  return terms;
}

// The terms beyond those that the costs include, of an element of the transformed input and of one of the products. Of
// Strassen's transforms all elements cost the same.
struct MoreTerms {
  double input = -input_terms, output = -output_terms;
};

MoreTerms more_terms(const tconv_tiling &tiling, const tconv_tile_grid &grid) {
  MoreTerms more;
  if (tiling.strassen) return {0, 0};
  for (const tconv_tiles &tiles : grid.dim) {
    if (tiles.taps == 1) continue;
    const tconv_interpolation *filter = tconv_find_interpolation(tiles.outputs, tiles.taps);
    int inputs = 0, outputs = 0;
    for (int p = 0; p < filter->count; ++p)
      inputs += count_terms(filter->count, [&](int read) { return filter->input[p][read]; });
    for (std::int64_t j = 0; j < tiles.outputs; ++j)
      outputs += count_terms(filter->count, [&](int p) { return tconv_output_factor(filter, j, p, tiles.outputs); });
    more.input += static_cast<double>(inputs) / filter->count;
    more.output += static_cast<double>(outputs) / filter->count;
  }
  return more;
}

// The tiles of a phase that have outputs, or of all merged ones.
std::array<std::int64_t, TCONV_MAX_RANK> count_tiles(const tconv_tiling &tiling, const tconv_dims &dims,
                                                     const tconv_tile_grid &grid, std::int64_t index) {
  tconv_tile_phase phase[TCONV_MAX_RANK];
  std::array<std::int64_t, TCONV_MAX_RANK> count = {grid.dim[0].count, grid.dim[1].count, grid.dim[2].count};
  if (tconv_merges_columns(&tiling)) return count;
  tconv_split_phase(&dims, &grid, index, phase);
  for (std::size_t d = 0; d < TCONV_MAX_RANK; ++d) count[d] = phase[d].end - phase[d].first;
  return count;
}

// Of what is copied to its place: a position's share of each row of the output, cut where a panel ends, in vectors.
double copy_cost(const Plan &plan, const Schedule &schedule, const tconv_dims &dims, const tconv_tile_grid &grid) {
  const int lanes = schedule.targets[0].lanes;
  const std::int64_t columns = tconv_tile_columns(&schedule.tiling, &plan.layer, &grid);
  const std::int64_t length = dims.dim[2].stride * tconv_group_outputs(&plan.layer);
  double vectors = 0;
  for (std::int64_t column = 0, end; column < columns; column = end) {
    end = std::min({column / length * length + length,
                    column / schedule.tiling.panel * schedule.tiling.panel + schedule.tiling.panel, columns});
    vectors += static_cast<double>(tconv_ceil_div(end - column, lanes));
  }
  for (const tconv_tiles &tiles : grid.dim) vectors *= static_cast<double>(tiles.count * tiles.outputs);
  const double output = 4 * elements(plan.layer.out_channels, dims, true);
  return vectors * lanes *
         (output > in_memory                                    ? memory_copy
          : output > core_of(plan.processor).second_level_bytes ? uncached_copy
                                                                : cached_copy);
}

// Of the input: fewer than a vector has take as long as whole vectors (schedule_input_transform()).
double transformed_channels(std::int64_t channels, const TargetSchedule &target) {
  std::int64_t lanes = target.lanes;
  while (lanes > channels) lanes /= 2;
  const bool few = lanes < target.lanes;
  return static_cast<double>(few ? tconv_ceil_div(channels, lanes) * target.lanes : channels);
}

// The share of a block's transformed input that has left the second-level cache when the next panel reads it, after
// one panel's weights and products.
double lost_share(const Plan &plan, const Schedule &schedule, const tconv_tile_grid &grid, const tconv_blocks &blocks) {
  constexpr double all_lost = 1.5;
  const auto weights =
      static_cast<double>(grid.points * tconv_tile_inputs(&schedule.tiling, &plan.layer) * schedule.tiling.panel);
  const auto held = static_cast<double>(tconv_transformed_floats(&blocks, &schedule.tiling, &plan.layer, &grid) +
                                        tconv_products_floats(&blocks, &schedule.tiling, &grid));
  const double used = sizeof(float) * (held + weights) / core_of(plan.processor).second_level_bytes;
  return std::clamp((used - 1) / (all_lost - 1), 0.0, 1.0);
}

double kind_cost(const Plan &plan, const Schedule &schedule, const tconv_dims &dims, int kind,
                 const tconv_blocks &blocks, const WeightStream &stream) {
  const tconv_layer &layer = plan.layer;
  const Core &core = core_of(plan.processor);
  const tconv_tile_grid grid = tconv_find_tile_grid(&schedule.tiling, &layer, &dims, kind);
  const auto points = static_cast<double>(grid.points);
  const auto outputs = static_cast<double>(layer.groups * grid.columns);
  const auto transformed = static_cast<double>(tconv_transformed_floats(&blocks, &schedule.tiling, &layer, &grid));
  const double stored_again = grid.points > held_points ? unheld : 1;
  const bool from_memory = schedule.tiling.strassen && goes_to_memory(plan, dims);
  const double far_input = from_memory ? core.memory_input : core.far_input;
  const MoreTerms more = more_terms(schedule.tiling, grid);
  const double moved_input = 4 * transformed > core.second_level_bytes ? far_input : 0;
  const double moved_product = far_product_cost(plan, schedule.tiling, dims);
  const double each_input = stored_again * std::max(moved_input, input_cost + more.input);
  const double each_output = stored_again * std::max(moved_product, output_cost + more.output);
  double tiles = 1, block_count = 1, cost = 0;
  for (int d = 0; d < TCONV_MAX_RANK; ++d) {
    tiles *= static_cast<double>(grid.dim[d].count);
    block_count *= static_cast<double>(blocks.count[d]);
  }
  const std::int64_t channels = layer.in_channels / tconv_channel_parts(&schedule.tiling, 0);
  cost += tiles * points * transformed_channels(channels, schedule.targets[0]) * each_input;
  for (std::int64_t index = 0; index < grid.phases; ++index) {
    const std::array<std::int64_t, TCONV_MAX_RANK> all = count_tiles(schedule.tiling, dims, grid, index);
    std::int64_t stored[TCONV_MAX_RANK], count[TCONV_MAX_RANK];
    double share = 1, written = points * outputs;
    for (std::size_t d = 0; d < TCONV_MAX_RANK; ++d) {
      stored[d] = blocks.size[d] / grid.dim[d].outputs;
      count[d] = std::min(all[d], stored[d]);
      written *= static_cast<double>(all[d]);
      share *= static_cast<double>(all[d]) / static_cast<double>(std::max(count[d], std::int64_t{1}));
    }
    if (written > 0) cost += share * products_cost(plan, schedule, grid, stored, count, stream) + written * each_output;
  }
  if (tconv_merges_columns(&schedule.tiling)) cost += copy_cost(plan, schedule, dims, grid);
  const double panels = static_cast<double>(grid.phases) * outputs / schedule.tiling.panel;
  const double read = sizeof(float) * tiles * points * static_cast<double>(channels);
  cost += panels * read * lost_share(plan, schedule, grid, blocks) * stream.again;
  return cost + panels * block_count * call_cost;
}

}  // namespace

std::vector<std::int64_t> tile_row_lengths(const Plan &plan, const tconv_tiling &tiling) {
  const tconv_dims dims = typical_dims(plan);
  std::vector<std::int64_t> lengths;
  for (int kind = 0; kind < TCONV_TILE_KINDS; ++kind) {
    if (!tconv_has_kind(&tiling, kind)) continue;
    const tconv_tile_grid grid = tconv_find_tile_grid(&tiling, &plan.layer, &dims, kind);
    const std::int64_t stored[TCONV_MAX_RANK] = {grid.dim[0].count, grid.dim[1].count, grid.dim[2].count};
    for (std::int64_t index = 0; index < grid.phases; ++index) {
      std::int64_t joined[TCONV_MAX_RANK];
      tconv_join_tile_rows(stored, count_tiles(tiling, dims, grid, index).data(), joined);
      lengths.push_back(joined[TCONV_MAX_RANK - 1]);
    }
  }
  return lengths;
}

int best_product_rows(const Plan &plan, const tconv_tiling &tiling, const TargetSchedule &target, std::int64_t row,
                      int most) {
  const auto cost = [&](int rows) {
    const double computed = row == 0 ? 1 : static_cast<double>(tconv_round_up(row, rows));
    return computed / use_of_products(plan, tiling, target, rows);
  };
  int best = 1;
  for (int rows = 2; rows <= most; ++rows)
    if (cost(rows) <= cost(best)) best = rows;
  return best;
}

double winograd_cycles(const Plan &plan, const Schedule &schedule, const RegisterFile &registers) {
  const tconv_dims dims = typical_dims(plan);
  const tconv_cuts cuts = cut_call(plan, schedule, 0);
  const double weights = 4 * static_cast<double>(tconv_packed_floats(&schedule.tiling, &plan.layer, &dims));
  const Core &core = core_of(plan.processor);
  const bool from_memory = weights > core.third_level_bytes;
  const double a_cycle = 2 * registers.lanes;
  const WeightStream stream = {weights > second_level ? a_cycle / core.weights_rate(weights) : 0,
                               from_memory ? core.hides_memory : core.hides_third_level,
                               a_cycle / core.third_level_rate * (1 - core.hides_third_level)};
  double cost = 0;
  for (int kind = 0; kind < TCONV_TILE_KINDS; ++kind)
    if (tconv_has_kind(&schedule.tiling, kind))
      cost +=
          kind_cost(plan, schedule, dims, kind, cuts.blocks[tconv_joins_kinds(&schedule.tiling) ? 0 : kind], stream);
  return cost / 2 / registers.lanes + transpose_cycles(plan, schedule);
}

}  // namespace tconv
