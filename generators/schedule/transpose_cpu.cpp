// The CPU schedule of a transposition: a block in registers, as many rows as a vector has lanes. Blocks of eight with
// vectors of sixteen were tried, and were 5 to 20 % slower; so was reading two blocks beside one another before going
// on (up to 50 % slower where rows of the output lie a power of two apart).
#include "schedule/schedule.h"

namespace tconv {

using Halide::MemoryType;

void schedule_transpose(Transpose &t) {
  for (int update = 0; update < 2; ++update)
    t.output.update(update).allow_race_conditions().vectorize(t.zeros[static_cast<std::size_t>(update)]);
  t.output.update(2).allow_race_conditions().vectorize(t.in_column).unroll(t.in_row);
  t.output.update(3).unscheduled();
  for (Halide::Func &stage : t.stages)
    stage.compute_at(t.output, t.block)
        .store_in(MemoryType::Stack)
        .bound_extent(t.column, t.size)
        .bound_extent(t.row, t.size)
        .vectorize(t.column)
        .unroll(t.row);
}

}  // namespace tconv
