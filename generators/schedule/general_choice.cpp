// The any-size kernels of a rank and layout. What a layer's packed weights depend on decides which kernel serves it:
// the filters of a group. Few share vectors of positions, in panels as narrow as they are; more fill vectors of
// columns. What a call's sizes decide is the register tile: a path each.
#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "schedule/rules.h"
#include "tconv/run.h"

namespace tconv {

using Halide::Target;

namespace {

enum class Vectors { of_columns, of_positions, of_inputs };

struct GeneralKernel {
  Vectors vectors;
  int panel;
  int most_filters;
  bool rows = false;  // of phases, where they fill panels: see tconv_fills_rows()
};

constexpr int any = std::numeric_limits<int>::max();

// Measured with AVX-512, one thread. Panels of 32 columns against 16, on wide layers: 1.3 to 2.1 times as fast, since a
// broadcast element feeds two multiply-adds. Channels first with more than 16 filters, transposed against over
// positions: 1.0 to 4 times as fast; with 16, 0.6 times. Channels last over positions, against panels of 16
// columns: 1.2 times as fast with 12 filters, 0.9 with 16. Lane sums against positions: 1.2 to 1.8 times as fast with
// one filter, 0.8 with two; channels first, transposed, 1.2 to 2.7 times with k4 s2 and longer kernels, 0.8 with k2 s2.
// Rows of phases, channels last and first, against what the filters alone would choose: one of k1024 s256 4.2 and 6
// times as fast; 21 of k16 s8 1.4 and 1.3 times; 8, 12 and 16 of k2 s2 1.7, 1.7, 1.25 and 1.3, 1.0, 1.25 times.
// Fetching weights ahead changed nothing: these kernels run at 93 % of the peak on wide layers.
std::vector<GeneralKernel> kernels_for(bool channels_last) {
  using enum Vectors;
  const GeneralKernel rows = {of_columns, 32, any, true};
  if (channels_last)
    return {rows,
            {of_inputs, 1, 1},
            {of_positions, 2, 2},
            {of_positions, 3, 3},
            {of_positions, 4, 12},
            {of_columns, 16, 16},
            {of_columns, 32, any}};
  return {rows,
          {of_inputs, 1, 1},
          {of_positions, 2, 2},
          {of_positions, 3, 3},
          {of_positions, 4, 16},
          {of_columns, 32, any}};
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

TargetSchedule inputs_target(const RegisterFile &registers) {
  TargetSchedule target;
  target.lanes = registers.lanes;
  target.tile[2] = 8;
  return target;
}

TargetSchedule target_of(const Plan &plan, const GeneralKernel &kernel, const RegisterFile &registers) {
  switch (kernel.vectors) {
    case Vectors::of_columns: return columns_target(kernel.panel, plan.layer.rank, registers);
    case Vectors::of_positions: return positions_target(kernel.panel, plan.layer.rank, registers);
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

Schedule make_schedule(const Plan &plan, const GeneralKernel &kernel, const std::vector<Target> &targets) {
  Schedule schedule;
  const bool by_columns = kernel.vectors == Vectors::of_columns, last = plan.layer.channels_last != 0;
  const bool other = kernel.vectors == Vectors::of_positions ? last : !last;
  schedule.method = kernel.vectors == Vectors::of_inputs ? "lane_sums" : kernel.rows ? "phase_rows" : "direct";
  schedule.reason = fmt::format("vectors run over {}{}, in panels of {}", name_of(kernel.vectors),
                                kernel.rows ? " of a row's phases" : "", kernel.panel);
  schedule.most_filters = kernel.most_filters;
  schedule.tiling.panel = kernel.panel;
  schedule.tiling.merge_phases = kernel.rows ? 2 : 0;
  schedule.tiling.dense_phases = kernel.rows ? 1 : 0;
  schedule.tiling.block_bytes = other ? transposed_block_bytes : block_bytes;
  schedule.tiling.thread_work = thread_work;
  schedule.tiling.transpose_input = other ? 1 : 0;
  schedule.tiling.transpose_output = other && by_columns ? 1 : 0;
  schedule.tiling.lane_sums = kernel.vectors == Vectors::of_inputs ? 1 : 0;
  schedule.variants = find_variants(plan, schedule.tiling);
  for (const Target &target : targets) {
    const RegisterFile registers = register_file(target);
    schedule.targets.push_back(target_of(plan, kernel, registers));
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

Schedule choose_general_schedule(const Plan &plan, const std::vector<Target> &targets) {
  std::vector<Schedule> schedules =
      choose_general_schedules(general_plan(plan.layer.rank, plan.layer.channels_last != 0), targets);
  std::vector<tconv_kernel> kernels(schedules.size());
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    kernels[i].general = schedules[i].most_filters;
    kernels[i].tiling = schedules[i].tiling;
  }
  const tconv_kernel *const chosen =
      tconv_choose_general(kernels.data(), static_cast<int>(kernels.size()), &plan.layer);
  return std::move(schedules[static_cast<std::size_t>(chosen - kernels.data())]);
}

std::vector<Schedule> choose_general_schedules(const Plan &plan, const std::vector<Target> &targets) {
  std::vector<Schedule> schedules;
  if (targets[0].has_feature(Target::CUDA)) {
    schedules.push_back(choose_cuda_schedule(plan));
    schedules.back().most_filters = any;
    return schedules;
  }
  for (const GeneralKernel &kernel : kernels_for(plan.layer.channels_last != 0))
    schedules.push_back(make_schedule(plan, kernel, targets));
  return schedules;
}

}  // namespace tconv
