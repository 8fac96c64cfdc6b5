// The CPU schedule of a copy: whole vectors, of which the last one of a row starts early; rows of less than one are
// masked where the processor can, else element by element.
#include "schedule/schedule.h"

namespace tconv {

using Halide::TailStrategy;

void schedule_copy(Copy &c, int lanes) {
  const Halide::Expr whole = c.output.output_buffer().dim(0).extent() >= lanes;
  c.output.specialize(whole).vectorize(c.column, lanes, TailStrategy::ShiftInwards);
  c.output.vectorize(c.column, lanes, TailStrategy::GuardWithIf);
}

}  // namespace tconv
