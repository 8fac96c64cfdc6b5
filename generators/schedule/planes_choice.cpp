// Where planes are used, and with which register tiles: a count of cycles.
//
// Measured on a Zen 5 core with AVX-512, one thread, alternating runs, against what was chosen before: 32 x 32, 64 -> 3
// channels, k4 s2 1.15 times as fast; 128 x 128, 56 -> 1, k9 s3 1.3; 128 x 128, 16 -> 1, k2 s2 1.7; 64 x 64, 3 -> 32,
// k4 s2 2.7; 256 x 256, 32 -> 3, k2 s2 2.4; 256 x 256, 128 -> 64, k2 s2 1.2; 4096, 64 -> 1, k25 s4 1.9; 32 x 32 x 32,
// 64 -> 1, k4 s2 1.1 to 1.3. Of 30 schedules the model is within a fifth of the share of the peak that was measured,
// mostly.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "schedule/rules.h"

namespace tconv {

namespace {

// More phases leave no register tile, and more taps of a filter too much code, as do more products of a register tile.
constexpr std::int64_t most_phases_together = 24, most_taps_unrolled = 128, most_products_unrolled = 640;
constexpr int most_rows = 4, most_row_vectors = 7;

// In cycles: a load, beside multiply-adds that it does not hold up; what a tile reads for the first time comes from the
// second-level cache, so many bytes a cycle. A tile begins; a vector of outputs is started, finished and stored, and
// shuffled among those of the other phases.
constexpr double a_load = 0.08, second_level_bytes = 128;
constexpr double begin_tile = 12, finish_vector = 1.5, shuffle = 0.5;

// Copying a row of the window and each of its floats, and the same of outputs that are written beside their places; a
// float that comes from beyond the second-level cache or goes there.
constexpr double copy_row = 8, copy_float = 0.1, copy_far_float = 0.2;

// Shuffles a vector that put so many phases of a row side by side.
double shuffles(std::int64_t stride) {
  return stride == 2 || stride == 4 ? std::log2(static_cast<double>(stride)) : static_cast<double>(stride - 1);
}

// What a tile does for one input channel.
struct Channel {
  double taps = 1;   // of a filter, those of all its phases
  double loads = 0;  // vectors of input; one that lies across two cache lines counts as two
  double bytes = 0;  // read for the first time
};

Channel channel_of(const Plan &plan, const tconv_dims &dims, const TargetSchedule &tile) {
  Channel channel;
  double lines = 1, fresh = 1;
  for (int d = 0; d < TCONV_MAX_RANK; ++d) {
    const auto taps = static_cast<double>(tconv_united_run(&dims.dim[d]).taps);
    channel.taps *= static_cast<double>(dims.dim[d].kernel);
    if (d == TCONV_MAX_RANK - 1) {
      channel.loads = tile.tile[d] / tile.lanes * (2 * taps - 1);
      channel.bytes = static_cast<double>(sizeof(float)) * tile.tile[d];
      continue;
    }
    lines *= tile.tile[d] - 1 + taps;
    fresh *= tile.tile[d];
  }
  channel.loads *= lines;
  const double rows = static_cast<double>(sizeof(float) * static_cast<std::size_t>(plan.layer.in_channels)) * lines *
                      static_cast<double>(dims.dim[TCONV_MAX_RANK - 1].in);
  // Rows of the window that fit are there for the next tile.
  channel.bytes *= rows > first_level ? lines : fresh;
  return channel;
}

// A task's window: where several panels read it, it should stay in the second-level cache; where one does, larger ones
// overlap less.
constexpr std::int64_t planes_blocks[] = {512 << 10, 2 << 20};

bool planes_fit(const Plan &plan, const TargetSchedule &target, const RegisterFile &registers) {
  const int rows = target.tile[0] * target.tile[1], vectors = rows * target.tile[2] / target.lanes;
  // LLVM loads ahead of the use, more so what rows share, and spills where it has no registers to spare.
  const tconv_dims dims = typical_dims(plan);
  const bool shared = rows > 1 && !has_single_taps(dims);
  const int spare = shared ? 5 : rows == 1 && registers.count < 32 ? 0 : 2;
  const std::int64_t taps = dims.dim[0].kernel * dims.dim[1].kernel * dims.dim[2].kernel;
  return (target.columns + 1) * vectors + 1 + spare <= registers.count &&
         target.columns * vectors * taps <= most_products_unrolled * all_phases(plan);
}

// One filter and one vector of positions: where this does not fit, nothing does.
TargetSchedule least_tile(const Plan &plan, const RegisterFile &registers) {
  TargetSchedule least;
  least.columns = static_cast<int>(all_phases(plan));
  least.lanes = least.tile[2] = registers.lanes;
  return least;
}

}  // namespace

std::string refuse_planes(const Plan &plan) {
  const tconv_dims dims = typical_dims(plan);
  std::int64_t taps = 1;
  for (const tconv_dim &dim : dims.dim) {
    if (dim.dilation != 1) return fmt::format("a dilation of {}", dim.dilation);
    taps *= std::min(dim.kernel, most_taps_unrolled + 1);
  }
  if (plan.layer.channels_last) return "channels last";
  if (plan.layer.groups != 1) return fmt::format("{} groups", plan.layer.groups);
  if (all_phases(plan) > most_phases_together)
    return fmt::format("{} phases, {} at most", all_phases(plan), most_phases_together);
  if (taps > most_taps_unrolled) return fmt::format("{} taps, {} at most", taps, most_taps_unrolled);
  return {};
}

bool planes_serve(const Plan &plan, const std::vector<Halide::Target> &targets) {
  return refuse_planes(plan).empty() && std::all_of(targets.begin(), targets.end(), [&](const Halide::Target &target) {
           const RegisterFile registers = register_file(target);
           return planes_fit(plan, least_tile(plan, registers), registers);
         });
}

double planes_cycles(const Plan &plan, const tconv_tiling &tiling, const TargetSchedule &target) {
  const tconv_dims dims = typical_dims(plan);
  const tconv_layer &layer = plan.layer;
  const std::int64_t phases = all_phases(plan);
  const Channel channel = channel_of(plan, dims, target);
  const double filters = static_cast<double>(target.columns) / static_cast<double>(phases);
  const double sums =
      static_cast<double>(target.columns * target.tile[0] * target.tile[1] * target.tile[2]) / target.lanes;
  const double products = sums / static_cast<double>(phases) * channel.taps;
  const double loads = channel.loads + filters * channel.taps;
  const double cycles_a_channel = std::max(products / busy_share(static_cast<int>(sums)), loads) / 2 + a_load * loads +
                                  channel.bytes / second_level_bytes;
  const auto panels = static_cast<double>(tconv_ceil_div(layer.out_channels * phases, std::int64_t{target.columns}));
  const double tiles = panels * position_tiles(plan, target);
  const double finish = finish_vector + shuffle * shuffles(dims.dim[TCONV_MAX_RANK - 1].stride);
  double cycles = tiles * (begin_tile + static_cast<double>(layer.in_channels) * cycles_a_channel + sums * finish);

  const CopiedFloats copied = copied_floats(plan, schedule_of(tiling, target));
  const auto cost = [](double floats, std::int64_t row, double all) {
    const double each = all * sizeof(float) > second_level ? copy_far_float : copy_float;
    return floats * (each + copy_row / static_cast<double>(tconv_max(row, 1)));
  };
  cycles += cost(copied.windows, dims.dim[2].in, elements(layer.in_channels, dims, false));
  cycles += cost(copied.outputs, dims.dim[2].out, elements(layer.out_channels, dims, true));
  if (copied.window * sizeof(float) > second_level) cycles += copy_far_float * copied.windows;
  return cycles;
}

TargetSchedule by_planes(const Plan &plan, const tconv_tiling &tiling, const RegisterFile &registers) {
  const int phases = static_cast<int>(all_phases(plan)), filters = tiling.panel / phases;
  TargetSchedule best = least_tile(plan, registers), one;
  double least = 0;
  for (one.lanes = registers.lanes; one.lanes >= std::min(registers.lanes, 8); one.lanes /= 2)
    for (int held = 1; held <= filters; ++held)
      for (int tall = 1; tall <= (plan.layer.rank == 1 ? 1 : most_rows); ++tall)
        for (int wide = 1; wide <= most_row_vectors; ++wide) {
          one.columns = held * phases;
          one.tile[1] = tall;
          one.tile[2] = wide * one.lanes;
          if (filters % held != 0 || !planes_fit(plan, one, registers)) continue;
          const double cycles = planes_cycles(plan, tiling, one);
          if (least > 0 && cycles >= least) continue;
          least = cycles;
          best = one;
        }
  return best;
}

std::vector<Columns> planes_columns(const Plan &plan) {
  std::vector<Columns> all;
  const std::int64_t phases = all_phases(plan);
  if (!refuse_planes(plan).empty()) return all;
  Columns one;
  one.method = "planes";
  one.tiling.merge_phases = 3;
  one.tiling.dense_phases = 1;
  one.tiling.thread_work = thread_work;
  const std::int64_t most = std::min(plan.layer.out_channels, std::max<std::int64_t>(most_phases_together / phases, 1));
  for (std::int64_t filters = 1; filters <= most; ++filters)
    for (const std::int64_t bytes : planes_blocks) {
      one.tiling.panel = static_cast<std::int32_t>(filters * phases);
      one.tiling.block_bytes = bytes;
      one.reason = fmt::format("{} phases of {} of {} filters share one register tile, vectors run over positions",
                               phases, filters, plan.layer.out_channels);
      all.push_back(one);
    }
  return all;
}

}  // namespace tconv
