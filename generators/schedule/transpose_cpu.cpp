// The CPU schedule of a transposition: a block in registers, eight rows at most. Sixteen rows of sixteen were tried, and
// lost where rows lie a power of two apart: more than the ways of the first-level cache.
#include "schedule/schedule.h"

namespace tconv {

using Halide::MemoryType;

void schedule_transpose(Transpose &t) {
  Halide::Stage blocks = t.output.update(0);
  blocks
      .allow_race_conditions()
      .vectorize(t.in_column)
      .unroll(t.in_row);
  t.output.update(1).unscheduled();
  for (Halide::Func &stage : t.stages)
    stage.compute_at(t.output, t.block)
        .store_in(MemoryType::Stack)
        .bound_extent(t.column, t.size)
        .bound_extent(t.row, t.size)
        .vectorize(t.column)
        .unroll(t.row);
}

}  // namespace tconv
