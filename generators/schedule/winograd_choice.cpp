// Where Winograd's method is used, and with which tiles.
#include <algorithm>

#include <fmt/format.h>

#include "schedule/schedule.h"

namespace tconv {

using Halide::Target;

namespace {

// Transformed input that a task works on: more of it reads the weights less often, and has to share the second-level
// cache with one panel's products.
constexpr std::int64_t block_bytes = 768 * 1024;

// The outputs of a tile for a phase of so many taps; 0: there is no transform.
std::int32_t tile_outputs(std::int64_t taps) {
  switch (taps) {
    case 1: return 1;
    case 2: return 2;
    case 3: return 2;
    default: return 0;
  }
}

std::string refuse(const Plan &plan) {
  const tconv_layer &layer = plan.layer;
  if (!layer.channels_last) return "channels come first";
  std::int64_t most = 1;
  const tconv_dims dims = typical_dims(plan);
  for (const tconv_dim &dim : dims.dim) {
    if (dim.dilation > 1) return fmt::format("dilation {}", dim.dilation);
    if (tile_outputs(tconv_most_taps(&dim)) == 0) return fmt::format("phases of {} taps", tconv_most_taps(&dim));
    most = std::max(most, tconv_most_taps(&dim));
  }
  return most == 1 ? "phases of one tap" : "";
}

TargetSchedule schedule_target(const Schedule &schedule, const tconv_tile_grid &grid, const tconv_dims &dims, bool open,
                               const RegisterFile &registers) {
  TargetSchedule target;
  const int panel = schedule.tiling.panel;
  target.lanes = std::min(registers.lanes, panel);
  const int vectors = std::min(panel / target.lanes, registers.lanes >= 8 || registers.count < 32 ? 2 : 4);
  target.columns = vectors * target.lanes;
  for (int d = 0; d < TCONV_MAX_RANK; ++d) target.tile[d] = schedule.tiling.tile_outputs[d];
  const int most = (registers.count - vectors - 2) / vectors;
  for (std::int64_t r = 0; r < dims.dim[2].stride; ++r) {
    const tconv_tile_phase phase = tconv_find_tile_phase(&dims.dim[2], &grid.dim[2], r);
    const int rows = best_tile(open ? 0 : phase.end - phase.first, most, vectors);
    if (std::find(target.rows.begin(), target.rows.end(), rows) == target.rows.end()) target.rows.push_back(rows);
  }
  return target;
}

}  // namespace

std::optional<Schedule> choose_winograd(const Plan &plan, const std::vector<Target> &targets, std::string &reason) {
  if (plan.general || plan.use_winograd == UseWinograd::never) return {};
  reason = refuse(plan);
  if (!reason.empty()) return {};
  const tconv_layer &layer = plan.layer;
  const tconv_dims dims = typical_dims(plan);
  Schedule schedule;
  int widest = 4;
  for (const Target &target : targets) widest = std::max(widest, register_file(target).lanes);
  schedule.method = "winograd";
  tconv_tiling &tiling = schedule.tiling;
  tiling.panel = 2 * widest;
  tiling.block_bytes = block_bytes;
  for (int d = 0; d < TCONV_MAX_RANK; ++d) tiling.tile_outputs[d] = tile_outputs(tconv_most_taps(&dims.dim[d]));
  const tconv_tile_grid grid = tconv_find_tile_grid(&tiling, &layer, &dims);
  schedule.reason = fmt::format("{} points a tile", grid.points);
  const bool open = layer.size[layer.rank - 1] == TCONV_UNSET;
  for (const Target &target : targets)
    schedule.targets.push_back(schedule_target(schedule, grid, dims, open, register_file(target)));
  return schedule;
}

}  // namespace tconv
