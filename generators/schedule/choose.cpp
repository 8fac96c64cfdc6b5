// Rules that choose a schedule from the plan and the registers of each target; register_tile.cpp has each target's
// part.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "schedule/core.h"
#include "schedule/rules.h"

namespace tconv {

using Halide::Target;

namespace {

constexpr std::int64_t lane_block_bytes = 512 * 1024;

// Variants cost code and compile time; past this many, taps become run-time loop bounds.
constexpr int most_tap_variants = 4;

void add_variant(std::vector<tconv_variant> &variants, const tconv_class &one, bool with_taps) {
  tconv_variant variant{};
  for (int d = 0; d < TCONV_MAX_RANK; ++d) {
    variant.phases[d] = static_cast<std::int32_t>(one.run[d].count);
    variant.taps[d] = with_taps ? static_cast<std::int32_t>(one.run[d].taps) : 0;
  }
  const auto same = [&](const tconv_variant &other) {
    return std::equal(other.phases, other.phases + TCONV_MAX_RANK, variant.phases) &&
           std::equal(other.taps, other.taps + TCONV_MAX_RANK, variant.taps);
  };
  if (std::none_of(variants.begin(), variants.end(), same)) variants.push_back(variant);
}

bool is_empty(const tconv_class &one) {
  return one.run[0].extent == 0 || one.run[1].extent == 0 || one.run[2].extent == 0;
}

// Phases x output channels that share one, at most.
constexpr std::int64_t most_dense_positions = 8;

// Channels last: as many columns as so many of the widest target's vectors, fewer for narrow layers. Two panels of one
// vector fill up to two, and each broadcast would serve one vector only: 21 columns were 5 % slower so.
int panel_by_columns(std::int64_t outputs, int widest, int vectors) {
  if (outputs > widest) return vectors * widest;
  return static_cast<int>(std::min<std::int64_t>(power_of_two_at_least(outputs), widest));
}

// Channels first: columns are unrolled, one weight broadcast each.
int panel_by_positions(std::int64_t outputs) {
  constexpr std::int64_t most = 8;
  const std::int64_t panels = tconv_ceil_div(outputs, most);
  return static_cast<int>(tconv_ceil_div(outputs, panels));
}

// Larger windows read the weights less often, and repeat less of what they share with their neighbours where they are
// copied: of 18 layers with AVX-512 three of 2 MB of weights and more were 1.02 to 1.1 times as fast, the others 0.97
// to 1.02. Those that are read in place only leave the cache: 0.9 to 1.02 times, but 1.07 where weights come in slowly.
std::int64_t direct_block_bytes(const Plan &plan, const tconv_tiling &tiling) {
  constexpr std::int64_t most = 1 << 20;
  const tconv_dims dims = typical_dims(plan);
  const bool slow = core_of(plan.processor).waits_for_second_level;
  if (plan.general || (has_single_taps(dims) && !slow)) return block_bytes;
  const auto bytes = sizeof(float) * static_cast<std::size_t>(tconv_packed_floats(&tiling, &plan.layer, &dims));
  return std::clamp(static_cast<std::int64_t>(std::bit_floor(bytes / 2)), block_bytes, most);
}

}  // namespace

std::vector<tconv_variant> find_variants(const Plan &plan, const tconv_tiling &tiling) {
  const tconv_variant any{{1, 1, tconv_is_row_of_phases(&tiling) ? 0 : 1}, {0, 0, 0}};
  if (plan.general) return {any};
  std::vector<tconv_variant> variants;
  for_each_class(plan, tiling, [&](const tconv_class &one) {
    if (one.taps > 0 && !is_empty(one)) add_variant(variants, one, true);
  });
  if (static_cast<int>(variants.size()) > most_tap_variants) variants.clear();
  const bool with_taps = !variants.empty();
  for_each_class(plan, tiling, [&](const tconv_class &one) {
    if ((!with_taps || one.taps == 0) && !is_empty(one)) add_variant(variants, one, false);
  });
  if (variants.empty()) variants.push_back(any);
  return variants;
}

std::int64_t most_phases(const Plan &plan, const tconv_tiling &tiling) {
  std::int64_t most = 1;
  for_each_class(plan, tiling, [&](const tconv_class &one) {
    most = std::max(most, one.run[0].count * one.run[1].count * one.run[2].count);
  });
  return most;
}

std::int64_t all_phases(const Plan &plan) {
  std::int64_t all = 1;
  for (const tconv_dim &dim : typical_dims(plan).dim) all *= dim.stride;
  return all;
}

// Depthwise, channels last: the widest panel that the groups fill exactly, since a group beyond the last has no input;
// 0 where none is worth while.
int depthwise_panel(const tconv_layer &layer, int widest) {
  if (!layer.channels_last || tconv_group_inputs(&layer) != 1 || tconv_group_outputs(&layer) != 1) return 0;
  for (int panel = 2 * widest; panel >= 4; panel /= 2)
    if (layer.groups % panel == 0) return panel;
  return 0;
}

tconv_tile_functions tile_functions(const TargetSchedule &target) {
  tconv_tile_functions functions{};
  functions.rows = target.rows.data();
  functions.products_count = static_cast<std::int32_t>(target.rows.size());
  return functions;
}

tconv_cuts cut_call(const Plan &plan, const Schedule &schedule, std::size_t index, int threads) {
  const TargetSchedule &one = schedule.targets[index];
  tconv_tile_functions tiles[TCONV_TILE_KINDS];
  std::fill(std::begin(tiles), std::end(tiles), tile_functions(one));
  tconv_path path{};
  std::copy(std::begin(one.tile), std::end(one.tile), path.tile);
  path.tiles = tiles;
  tconv_kernel kernel{};
  kernel.tiling = schedule.tiling;
  const tconv_dims dims = typical_dims(plan);
  tconv_cuts cuts;
  tconv_cut_call(&kernel, &path, &plan.layer, &dims, tconv_max(plan.layer.batch, 1), threads, &cuts);
  return cuts;
}

Schedule schedule_of(const tconv_tiling &tiling, const TargetSchedule &target) {
  Schedule schedule;
  schedule.tiling = tiling;
  schedule.targets = {target};
  return schedule;
}

CopiedFloats copied_floats(const Plan &plan, const Schedule &schedule) {
  const tconv_cuts cuts = cut_call(plan, schedule, 0);
  const auto images = static_cast<double>(tconv_max(plan.layer.batch, 1));
  CopiedFloats all;
  for (int kind = 0; kind < TCONV_TILE_KINDS; ++kind) {
    if (!tconv_has_tasks(&schedule.tiling, kind)) continue;
    const tconv_blocks &blocks = cuts.blocks[kind];
    all.windows += static_cast<double>(blocks.tasks * blocks.window_floats) / images;
    all.outputs += static_cast<double>(blocks.tasks * blocks.output_floats) / images;
    all.window = std::max(all.window, static_cast<double>(blocks.window_floats));
  }
  return all;
}

// Four sums a thread: enough to reuse what it reads, few enough for full occupancy.
Schedule choose_cuda_schedule(const Plan &plan) {
  constexpr int sums = 4;
  Schedule schedule;
  TargetSchedule target;
  const bool last = plan.layer.channels_last != 0;
  schedule.method = "direct";
  schedule.tiling.panel = target.columns = last ? cuda_panel : sums;
  schedule.tiling.merge_phases = plan.general ? 0 : 1;
  schedule.tiling.block_bytes = block_bytes;
  target.tile[2] = last ? sums : 1;
  schedule.reason = fmt::format("{} sums a thread, {} columns a panel", sums, schedule.tiling.panel);
  schedule.variants = find_variants(plan, schedule.tiling);
  schedule.targets.push_back(target);
  return schedule;
}

Columns choose_columns(const Plan &plan, bool last, int widest, int vectors) {
  Columns chosen;
  const std::int64_t outputs = tconv_group_outputs(&plan.layer);
  tconv_tiling &tiling = chosen.tiling;
  tiling.thread_work = thread_work;
  tiling.merge_phases = 1;
  tiling.panel = 1;
  const std::int64_t phases = most_phases(plan, tiling);
  chosen.method = phases > 1 && phases == all_phases(plan) ? "pixel_shuffle" : "direct";
  if (const int panel = depthwise_panel(plan.layer, widest); panel > 0) {
    chosen.method = "depthwise";
    tiling.group_columns = 1;
    tiling.merge_phases = 0;
    tiling.panel = panel;
    chosen.reason = fmt::format("one channel a group: vectors run over the {} groups", plan.layer.groups);
  } else if (phases > 1 && phases * outputs <= (last ? 2 * widest : most_dense_positions)) {
    tiling.dense_phases = 1;
    tiling.panel = static_cast<int>(last ? power_of_two_at_least(phases * outputs) : phases * outputs);
    chosen.reason = fmt::format("{} phases x {} output channels share one register tile", phases, outputs);
  } else {
    tiling.panel = last ? panel_by_columns(outputs, widest, vectors) : panel_by_positions(outputs);
    chosen.reason = fmt::format("{} output channels a group in panels of {}", outputs, tiling.panel);
  }
  const int other = last != (plan.layer.channels_last != 0) ? 1 : 0;
  tiling.block_bytes = other ? transposed_block_bytes : last ? direct_block_bytes(plan, tiling) : block_bytes;
  tiling.transpose_input = other;
  tiling.transpose_output = last ? other : 0;
  return chosen;
}

std::vector<Columns> row_columns(const Plan &plan, int widest) {
  constexpr int most_vectors = 4;
  std::vector<Columns> all;
  Columns one = choose_columns(plan, true, widest);
  one.tiling.merge_phases = 2;
  const std::int64_t phases = most_phases(plan, one.tiling);
  if (plan.layer.groups != 1 || phases == 1) return all;
  one.tiling.dense_phases = 1;
  one.method = "phase_rows";
  // A vector alone has a broadcast element to itself: 8 % slower on FCN-8s.
  const int least = phases * plan.layer.out_channels > widest ? 2 : 1;
  for (int vectors = least; vectors <= most_vectors && vectors * widest <= TCONV_MAX_PANEL; ++vectors) {
    one.tiling.panel = vectors * widest;
    one.reason = fmt::format("{} phases of a row x {} output channels, one after the other, in panels of {}", phases,
                             plan.layer.out_channels, one.tiling.panel);
    all.push_back(one);
  }
  return all;
}

bool can_read_transposed(const Plan &plan, const Columns &positions, int widest) {
  const std::int64_t row = row_length(plan);
  const tconv_dims dims = typical_dims(plan);
  // Vectors of outputs that are interleaved by other counts are put together element by element.
  const std::int64_t interleaved = plan.layer.out_channels * dims.dim[TCONV_MAX_RANK - 1].stride;
  return power_of_two_at_least(interleaved) == interleaved && has_single_taps(dims) &&
         positions.method == "pixel_shuffle" && positions.tiling.dense_phases && plan.layer.groups == 1 &&
         plan.layer.in_channels % least_transpose_block == 0 && (row == 0 || row >= widest);
}

Columns lane_columns(const Plan &plan) {
  Columns chosen;
  chosen.method = "lane_sums";
  chosen.reason = fmt::format("{} output channels of {} input channels each: vectors run over the input channels",
                              plan.layer.out_channels, plan.layer.in_channels);
  chosen.tiling.panel = static_cast<std::int32_t>(plan.layer.out_channels);
  chosen.tiling.merge_phases = chosen.tiling.dense_phases = chosen.tiling.lane_sums = 1;
  chosen.tiling.transpose_input = plan.layer.channels_last ? 0 : 1;
  chosen.tiling.block_bytes = lane_block_bytes;
  chosen.tiling.thread_work = thread_work;
  return chosen;
}

bool lane_sums_serve(const Plan &plan) {
  if (!can_sum_lanes(plan)) return false;
  const std::vector<tconv_variant> variants = find_variants(plan, lane_columns(plan).tiling);
  return std::any_of(variants.begin(), variants.end(), [](const auto &one) { return one.taps[0] > 0; });
}

int widest_lanes(const std::vector<Target> &targets) {
  int widest = 4;
  for (const Target &target : targets) widest = std::max(widest, register_file(target).lanes);
  return widest;
}

namespace {

// Rows of phases are taken one after the other, and read what they share again. Where a phase's outputs are no whole
// vectors, each store of a part of one costs as much: 21 filters k16 s8, AVX2, in the same number of panels 1.04 times
// as fast.
constexpr double most_for_rows = 0.96, most_for_part_rows = 1.01;

// Whether phases are apart, and their outputs no whole vectors.
bool stores_parts(const Plan &plan, const Columns &columns, int widest) {
  return !columns.tiling.dense_phases && tconv_reads_channels_last(&columns.tiling, &plan.layer) &&
         tconv_group_outputs(&plan.layer) % widest != 0;
}

// Whether planes leave several threads something to do: their tasks are tiles of positions with all filters. 512 -> 256
// channels k16 s8 on 32 positions, one tile, are no faster with two threads than with one.
bool shares_out(const Plan &plan, const TargetSchedule &target) {
  constexpr double enough_tiles = 4, alone = 8 * thread_work;
  const double images = static_cast<double>(tconv_max(plan.layer.batch, 1));
  return images * position_tiles(plan, target) >= enough_tiles ||
         multiply_adds(plan.layer, typical_dims(plan), 1) < alone;
}

// The phases as they are.
Schedule choose_cpu_schedule(const Plan &plan, const std::vector<Target> &targets) {
  const int widest = widest_lanes(targets);
  const bool layer_last = plan.layer.channels_last != 0;
  Columns chosen = choose_columns(plan, layer_last, widest);
  if (chosen.method != "depthwise") {
    Columns other = choose_columns(plan, !layer_last, widest);
    const RegisterFile registers = register_file(targets[0]);
    const auto cycles = [&](const Columns &one) {
      return direct_cycles(plan, one.tiling, schedule_target(plan, one.tiling, one.read_transposed, registers),
                           registers);
    };
    // Where registers are few, twelve sums of 3 x 4 are loaded for less often than of 2 x 6, and suit other rows. AVX2,
    // k4 s2 and k5 s2 on 16 positions: 1.07 to 1.12 times as fast. Where loads hold sums up, 4 x 6 are faster than 2 x
    // 8: 1.19 times on 512 -> 256 channels k2 s2.
    const bool waits = core_of(plan.processor).waits_for_second_level;
    const auto widen = [&](Columns &two, bool last) {
      const int most = registers.count < 32 ? wide_panel : waits ? wide_panel + 1 : 2;
      for (int vectors = wide_panel; vectors <= most; ++vectors) {
        const Columns wider = choose_columns(plan, last, widest, vectors);
        if (wider.tiling.panel <= TCONV_MAX_PANEL && cycles(wider) < cycles(two)) two = wider;
      }
    };
    widen(chosen, layer_last);
    widen(other, !layer_last);
    const double own_cycles = cycles(chosen), other_cycles = cycles(other);
    const bool change = other_cycles < own_cycles;
    if (change) chosen = other;
    chosen.reason += fmt::format("; {} as channels {}: {:.2f} million cycles in place of {:.2f}",
                                 change ? "transposed, to be computed" : "not computed", layer_last ? "first" : "last",
                                 other_cycles / 1e6, own_cycles / 1e6);
    Columns read = choose_columns(plan, false, widest);
    read.tiling.transpose_input = 0;
    read.tiling.block_bytes = transposed_block_bytes;
    read.read_transposed = true;
    if (layer_last && can_read_transposed(plan, read, widest) && cycles(read) < std::min(own_cycles, other_cycles)) {
      read.reason += fmt::format(
          "; vectors run over positions, transposed as they are read: {:.2f} million cycles in "
          "place of {:.2f}",
          cycles(read) / 1e6, own_cycles / 1e6);
      chosen = read;
    }
    double least = cycles(chosen);
    const auto take_if_below = [&](const Columns &one, double most_of_before) {
      const TargetSchedule target = schedule_target(plan, one.tiling, one.read_transposed, registers);
      const double after = direct_cycles(plan, one.tiling, target, registers);
      if (after >= most_of_before * least) return;
      if (tconv_unites_phases(&one.tiling) && !shares_out(plan, target)) return;
      chosen = one;
      chosen.reason += fmt::format(": {:.2f} million cycles in place of {:.2f}", after / 1e6, least / 1e6);
      least = after;
    };
    for (const Columns &row : row_columns(plan, widest)) {
      const bool part = stores_parts(plan, chosen, widest);
      take_if_below(row, part ? most_for_part_rows : most_for_rows);
    }
    if (lane_sums_serve(plan)) take_if_below(lane_columns(plan), 1);
    if (planes_serve(plan, targets))
      for (const Columns &panel : planes_columns(plan)) take_if_below(panel, 1);
  }
  Schedule schedule;
  schedule.method = chosen.method;
  schedule.reason = chosen.reason;
  schedule.tiling = chosen.tiling;
  schedule.variants = find_variants(plan, chosen.tiling);
  for (const Target &target : targets)
    schedule.targets.push_back(schedule_target(plan, chosen.tiling, chosen.read_transposed, register_file(target)));
  return schedule;
}

}  // namespace

Schedule choose_schedule(const Plan &plan, const std::vector<Target> &targets) {
  if (targets[0].has_feature(Target::CUDA)) return choose_cuda_schedule(plan);
  Schedule direct = choose_cpu_schedule(plan, targets);
  if (plan.use_winograd == UseWinograd::never) return direct;
  Schedule tiles = choose_strassen(plan, targets, choose_winograd(plan, targets, std::move(direct)));
  return choose_bf16x3(plan, targets, std::move(tiles));
}

}  // namespace tconv
