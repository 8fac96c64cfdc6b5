// The CPU schedules of Winograd's method, channels last. The products are a matrix product per transform point, with
// the register tile of cpu.cpp; the transforms keep one tile of one vector of channels in registers.
#include <algorithm>

#include "schedule/schedule.h"

namespace tconv {

using Halide::Func;
using Halide::MemoryType;
using Halide::TailStrategy;
using Halide::Var;

namespace {

// All stages of a transform but the last, which is the output's own, stay in registers beside one vector of it.
void keep_in_registers(std::vector<Func> &stages, Func &output, const Var &at, const Var &channel, int lanes) {
  for (Func &stage : stages) {
    if (stage.name() == stages.back().name()) continue;
    stage.compute_at(output, at).store_in(MemoryType::Stack).vectorize(channel, lanes);
    for (int d = 1 + TCONV_MAX_RANK; d < stage.dimensions(); ++d) stage.unroll(stage.args()[d]);
  }
}

}  // namespace

// A window ends with its last channel, so the last vector starts early where vectors do not divide the channels. Where
// half ones do, these were 5 % faster: of whole ones every other load and store would meet two cache lines.
void schedule_input_transform(InputTransform &t, const TargetSchedule &schedule) {
  Var outer("outer"), vector("vector");
  const int channels = t.channels;
  int lanes = schedule.lanes;
  while (lanes > channels) lanes /= 2;
  if (lanes > 1 && channels % lanes == lanes / 2) lanes /= 2;
  t.output.split(t.channel, outer, vector, lanes, TailStrategy::ShiftInwards)
      .reorder(vector, t.point[0], t.point[1], t.point[2], outer, t.tile[0], t.tile[1], t.tile[2])
      .vectorize(vector);
  for (const Var &p : t.point) t.output.unroll(p);
  keep_in_registers(t.stages, t.output, outer, t.channel, lanes);
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
  Halide::Stage update = t.sum.update();
  update.reorder(t.column, t.tile[0], t.channel, t.tile[1], t.tile[2], t.point)
      .vectorize(t.column, schedule.lanes)
      .unroll(t.column)
      .unroll(t.tile[0]);
  if (schedule.unroll_depth > 1) update.unroll(t.channel, schedule.unroll_depth);
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
  keep_in_registers(t.stages, t.output, outer, t.column, schedule.lanes);
}

void schedule_split_input(SplitInput &s) {
  constexpr int lanes = 16;  // all processors with matrix units have these
  Var half("half"), lane("lane");
  s.output.split(s.channel, half, lane, lanes)
      .reorder(lane, s.part, half, s.chunk, s.x, s.y, s.z)
      .vectorize(lane)
      .unroll(s.part)
      .unroll(half);
  s.value.compute_at(s.output, half).store_in(MemoryType::Stack).vectorize(s.channel, lanes);
  s.rest.compute_at(s.output, half).store_in(MemoryType::Stack).vectorize(s.channel, lanes);
}

}  // namespace tconv
