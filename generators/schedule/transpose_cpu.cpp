// The CPU schedule of a transposition: a block in registers, as many rows as a vector has lanes. Blocks of eight with
// vectors of sixteen were tried, and were 5 to 20 % slower; so was reading two blocks beside one another before going
// on (up to 50 % slower where rows of the output lie a power of two apart), and prefetching the next block's rows (0 to
// 10 % slower).
#include "schedule/schedule.h"

namespace tconv {

using Halide::MemoryType;

void schedule_transpose(Transpose &t) {
  int update = 0;
  for (TransposeBlocks &blocks : t.blocks) {
    for (const Halide::RVar &zeros : blocks.zeros) t.output.update(update++).allow_race_conditions().vectorize(zeros);
    t.output.update(update++).allow_race_conditions().vectorize(blocks.in_column).unroll(blocks.in_row);
    blocks.read.compute_at(t.output, blocks.block).store_in(MemoryType::Stack);
    blocks.read.bound_extent(t.column, blocks.size).bound_extent(t.row, blocks.size);
    blocks.read.vectorize(t.column).unroll(t.row);
  }
  t.output.update(update).unscheduled();
}

}  // namespace tconv
