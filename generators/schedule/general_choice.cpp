// The any-size kernels of a rank and layout. What a layer's packed weights depend on decides which kernel serves it:
// the filters of a group. Few share vectors of positions, in panels as narrow as they are; more fill vectors of
// columns. What a call's sizes decide is the register tile: a path each.
#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "schedule/rules.h"

namespace tconv {

using Halide::Target;

namespace {

enum class Vectors { of_columns, of_positions, of_inputs };

struct Kind {
  Vectors vectors;
  int panel;
  int most_filters;
};

constexpr int any = std::numeric_limits<int>::max();

// Panels of 32 columns are two vectors of the widest: with one, each broadcast element feeds one multiply-add, and six
// positions are too few sums. Measured with AVX-512 and one thread, panels of 32 against 16: 1.3 to 1.9 times as fast
// on wide layers. Channels-first layers of more than 16 filters were 1.0 to 3.8 times as fast transposed as over
// positions.
std::vector<Kind> kinds_of(bool channels_last) {
  using enum Vectors;
  if (channels_last)
    return {{of_inputs, 1, 3}, {of_positions, 2, 2}, {of_positions, 4, 8}, {of_columns, 16, 16}, {of_columns, 32, any}};
  return {{of_positions, 2, 2}, {of_positions, 4, 16}, {of_columns, 32, any}};
}

// Pixels lie an unknown distance apart, which takes registers for addresses: 12 positions were a third slower than 8.
TargetSchedule columns_target(int panel, int rank, const RegisterFile &registers) {
  TargetSchedule target;
  target.lanes = std::min(registers.lanes, panel);
  const int vectors = std::min(panel / target.lanes, vectors_a_broadcast(registers));
  target.columns = target.lanes * vectors;
  if (accumulators(registers, vectors) < 8 * vectors) {
    target.tile[2] = 6;
    target.other_tiles = {{1, 1, 4}};
    return target;
  }
  target.tile[2] = 8;
  if (rank > 1) target.other_tiles.push_back({1, 2, 4});
  target.other_tiles.push_back({1, 1, 6});
  return target;
}

// The same sums in one row, or in more where rows are short.
TargetSchedule positions_target(int panel, int rank, const RegisterFile &registers) {
  constexpr int most_vectors = 4;
  TargetSchedule target;
  target.lanes = registers.lanes;
  target.columns = panel;
  int vectors = most_vectors;
  while (vectors * panel + panel + 1 > registers.count) vectors /= 2;
  target.tile[2] = vectors * target.lanes;
  for (int wide = vectors / 2; wide > 0; wide /= 2)
    target.other_tiles.push_back({1, rank > 1 ? vectors / wide : 1, wide * target.lanes});
  return target;
}

// A column at a time, so that as many columns as there are cost no more.
TargetSchedule inputs_target(const RegisterFile &registers) {
  TargetSchedule target;
  target.lanes = registers.lanes;
  target.tile[2] = 8;
  return target;
}

TargetSchedule target_of(const Plan &plan, const Kind &kind, const RegisterFile &registers) {
  switch (kind.vectors) {
    case Vectors::of_columns: return columns_target(kind.panel, plan.layer.rank, registers);
    case Vectors::of_positions: return positions_target(kind.panel, plan.layer.rank, registers);
    case Vectors::of_inputs: return inputs_target(registers);
  }
  return {};
}

const char *name_of(Vectors vectors) {
  switch (vectors) {
    case Vectors::of_columns: return "columns";
    case Vectors::of_positions: return "positions";
    case Vectors::of_inputs: return "input channels";
  }
  return "";
}

Schedule schedule_of_kind(const Plan &plan, const Kind &kind, const std::vector<Target> &targets) {
  Schedule schedule;
  const bool by_columns = kind.vectors == Vectors::of_columns, last = plan.layer.channels_last != 0;
  const bool other = kind.vectors == Vectors::of_positions ? last : !last;
  schedule.method = kind.vectors == Vectors::of_inputs ? "lane_sums" : "direct";
  schedule.reason = fmt::format("vectors run over {}, in panels of {}", name_of(kind.vectors), kind.panel);
  schedule.most_filters = kind.most_filters;
  schedule.tiling.panel = kind.panel;
  schedule.tiling.block_bytes = other ? transposed_block_bytes : block_bytes;
  schedule.tiling.thread_work = thread_work;
  schedule.tiling.transpose_input = other ? 1 : 0;
  schedule.tiling.transpose_output = other && by_columns ? 1 : 0;
  schedule.tiling.lane_sums = kind.vectors == Vectors::of_inputs ? 1 : 0;
  schedule.variants = find_variants(plan, schedule.tiling);
  for (const Target &target : targets) {
    const RegisterFile registers = register_file(target);
    schedule.targets.push_back(target_of(plan, kind, registers));
    schedule.targets.back().transpose_block = registers.lanes;
  }
  return schedule;
}

}  // namespace

std::vector<TargetSchedule> paths_of(const TargetSchedule &target) {
  std::vector<TargetSchedule> paths = {target};
  for (const auto &tile : target.other_tiles) {
    paths.push_back(target);
    std::copy(tile.begin(), tile.end(), paths.back().tile);
  }
  return paths;
}

std::vector<Schedule> choose_general_schedules(const Plan &plan, const std::vector<Target> &targets) {
  std::vector<Schedule> schedules;
  if (targets[0].has_feature(Target::CUDA)) {
    schedules.push_back(choose_cuda_schedule(plan));
    schedules.back().most_filters = any;
    return schedules;
  }
  for (const Kind &kind : kinds_of(plan.layer.channels_last != 0))
    schedules.push_back(schedule_of_kind(plan, kind, targets));
  return schedules;
}

}  // namespace tconv
