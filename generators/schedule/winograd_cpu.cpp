// The CPU schedules of Winograd's method, channels last. The products are a matrix product per transform point, with
// the register tile of cpu.cpp; the transforms keep one tile of one vector of channels in registers.
#include <algorithm>

#include "schedule/schedule.h"

namespace tconv {

using Halide::Func;
using Halide::MemoryType;
using Halide::TailStrategy;
using Halide::Var;

// Vectors divide the channels: a window ends with its last one.
void schedule_input_transform(InputTransform &t, const Plan &plan, const TargetSchedule &schedule) {
  Var outer("outer"), vector("vector");
  const int channels = static_cast<int>(plan.layer.in_channels);
  const int lanes = std::min(schedule.lanes, channels & -channels);
  t.output.split(t.channel, outer, vector, lanes)
      .reorder(vector, t.point[0], t.point[1], t.point[2], outer, t.tile[0], t.tile[1], t.tile[2])
      .vectorize(vector);
  for (const Var &p : t.point) t.output.unroll(p);
  for (Func &stage : t.stages) {
    if (stage.name() == t.stages.back().name()) continue;
    stage.compute_at(t.output, outer).store_in(MemoryType::Stack).vectorize(t.channel, lanes);
    for (int d = 1 + TCONV_MAX_RANK; d < stage.dimensions(); ++d) stage.unroll(stage.args()[d]);
  }
}

void schedule_tile_products(TileProducts &t, const TargetSchedule &schedule, int rows) {
  Var part("part"), column("in_part"), outer("outer"), row("row");
  t.output.split(t.column, part, column, schedule.columns)
      .split(t.tile[0], outer, row, rows, TailStrategy::GuardWithIf)
      .reorder(column, row, outer, t.tile[1], t.tile[2], part, t.point)
      .vectorize(column, schedule.lanes)
      .unroll(column)
      .unroll(row);
  t.sum.compute_at(t.output, outer)
      .store_in(MemoryType::Stack)
      .bound_extent(t.column, schedule.columns)
      .bound_extent(t.tile[0], rows)
      .vectorize(t.column, schedule.lanes)
      .unroll(t.column)
      .unroll(t.tile[0]);
  t.sum.update()
      .reorder(t.column, t.tile[0], t.channel, t.tile[1], t.tile[2], t.point)
      .vectorize(t.column, schedule.lanes)
      .unroll(t.column)
      .unroll(t.tile[0]);
}

void schedule_output_transform(OutputTransform &t, const TargetSchedule &schedule) {
  Var outer("outer"), vector("vector");
  t.output.update()
      .split(t.column, outer, vector, schedule.lanes, TailStrategy::GuardWithIf)
      .reorder(vector, t.written[0], t.written[1], t.written[2], outer, t.tile[0], t.tile[1], t.tile[2])
      .vectorize(vector);
  for (const Halide::RVar &r : t.written) t.output.update().unroll(r);
  // A panel's last columns may be missing in the output; products and bias are there for whole vectors.
  t.value.align_bounds(t.column, schedule.lanes);
  t.value.compute_at(t.output, outer).store_in(MemoryType::Stack).vectorize(t.column, schedule.lanes);
  for (const Var &j : t.inside) t.value.unroll(j);
  for (Func &stage : t.stages) {
    if (stage.name() == t.stages.back().name()) continue;
    stage.compute_at(t.output, outer).store_in(MemoryType::Stack).vectorize(t.column, schedule.lanes);
    for (int d = 1 + TCONV_MAX_RANK; d < stage.dimensions(); ++d) stage.unroll(stage.args()[d]);
  }
}

}  // namespace tconv
