// All phases at once, for vectors over positions: a register tile holds the columns of all phases of some filters, and
// reads the union of their windows. Rows of the output are put together from the phases in registers. Schedules work on
// the members.
#ifndef TCONV_GENERATORS_PLANES_H
#define TCONV_GENERATORS_PLANES_H

#include "algorithm/phase_conv.h"

namespace tconv {

// conv.output is (channel, group, outputs..., one phase...); outputs are whole strides.
struct Planes {
  PhaseConv conv;
  std::vector<int> strides;  // the innermost dimension first
  int phases = 1;            // of all dimensions together; filter f has the columns phases * f to phases * (f + 1)
};

Planes planes(const Plan &plan, const tconv_tiling &tiling, const tconv_variant &variant);

}  // namespace tconv

#endif
