// All that a kernel is specialised on: the layer with every dialect's spelling removed, and which of its sizes stay
// open. A general plan fixes rank and layout only, and has no activation.
#ifndef TCONV_GENERATORS_PLAN_H
#define TCONV_GENERATORS_PLAN_H

#include <string>

#include "tconv/classes.h"
#include "tconv/kernel.h"

namespace tconv {

// Winograd's method changes the rounding of a result a little.
enum class UseWinograd { where_faster, never, where_possible };

struct Plan {
  std::string name;  // the prefix of every emitted symbol: a C identifier
  bool general = false;
  tconv_layer layer{};  // of a general plan only `rank` and `channels_last` count
  UseWinograd use_winograd = UseWinograd::where_faster;
  std::string processor;  // as processor_name() names it, for the choice of a schedule; empty: any
};

Plan general_plan(int rank, bool channels_last);

// The plan in one line, such as
//   conv2d_transpose channels_last n1 i32x32 c256 o256 k4x4 s2x2 crop1x1 out64x64 relu
// equal for layers that one kernel can serve. Open sizes are written as `?`, the rule then in place of crop and out.
std::string key(const Plan &plan);

// Positions for which phases, taps and tilings are worked out: the plan's sizes, large ones where they are open.
tconv_dims typical_dims(const Plan &plan);

// Multiply-adds that the definition asks for, for `batch` images: each input element meets each tap and filter.
double multiply_adds(const tconv_layer &layer, const tconv_dims &dims, std::int64_t batch);

}  // namespace tconv

#endif
