// The CPU schedule of planes, for x86 and ARM: a register tile of columns x positions, vectors over positions, held in
// registers over all input channels; a weight is a broadcast operand. The taps are unrolled, so that a phase takes only
// its own and a vector of input is read once for all columns.
//
// Tried on 32 x 32, 64 -> 3 channels, k4 s2, AVX-512, one thread (190 GFLOP/s, of a peak of 265): columns inside
// positions, for which LLVM keeps as many vectors of input and spills, 160 GFLOP/s; phases counted from where the
// output would start without its crop, which all read one window then, but are 33 positions a row, 67 GFLOP/s.
#include "schedule/schedule.h"
#include "tconv/activation.h"

namespace tconv {

using Halide::Func;
using Halide::MemoryType;
using Halide::RVar;
using Halide::Stage;
using Halide::TailStrategy;
using Halide::Var;
using Halide::VarOrRVar;

namespace {

void schedule_sum(Planes &p, const TargetSchedule &schedule, const Var &tile_loop) {
  PhaseConv &conv = p.conv;
  conv.sum.compute_at(conv.output, tile_loop).reorder_storage(conv.position[0], conv.column);
  std::vector<VarOrRVar> order(conv.position.begin(), conv.position.end());
  order.emplace_back(conv.column);
  order.insert(order.end(), conv.tap.begin(), conv.tap.end());
  order.emplace_back(conv.depth);
  order.emplace_back(conv.group);
  Stage update = hold_sum(conv, schedule, schedule.columns, conv.position[0], order);
  for (const RVar &tap : conv.tap) update.unroll(tap);
}

// The vectors of a row's phases become one store of outputs that lie side by side.
void interleave(const Planes &p, const TargetSchedule &schedule, Func &stage, const Var &row) {
  Var position("in_row"), phase("phase_in_row");
  stage.split(row, position, phase, p.strides[0], TailStrategy::RoundUp).reorder(phase, position);
  stage.vectorize(position, schedule.lanes, TailStrategy::RoundUp).unroll(phase).unroll(position);
}

}  // namespace

void apply_planes_schedule(Planes &p, const Plan &plan, const tconv_tiling &tiling, const TargetSchedule &schedule) {
  PhaseConv &conv = p.conv;
  const bool shifts = cut_call(plan, schedule_of(tiling, schedule), 0).blocks[0].shifts_tiles != 0;
  const TailStrategy tail = shifts ? TailStrategy::ShiftInwards : TailStrategy::RoundUp;
  const int filters = schedule.columns / p.phases;
  const auto outputs = [&](int i) {
    return schedule.tile[TCONV_MAX_RANK - 1 - i] * p.strides[static_cast<std::size_t>(i)];
  };
  std::vector<Var> inner, outer;
  for (int i = 0; i < conv.rank; ++i) {
    const Var &out = conv.position[i];
    inner.emplace_back(out.name() + "i");
    outer.emplace_back(out.name() + "o");
    conv.output.split(out, outer.back(), inner.back(), outputs(i), tail);
  }
  Var panel("panel"), filter("filter");
  conv.output.split(conv.channel, panel, filter, filters, TailStrategy::GuardWithIf);
  std::vector<VarOrRVar> order(inner.begin(), inner.end());
  order.emplace_back(filter);
  order.insert(order.end(), outer.begin(), outer.end());
  order.emplace_back(panel);
  order.insert(order.end(), conv.phase.begin(), conv.phase.end());
  order.emplace_back(conv.group);
  conv.output.reorder(order);
  if (static_cast<Activation>(plan.layer.activation) == Activation::linear) {
    interleave(p, schedule, conv.output, inner[0]);
    for (int i = 1; i < conv.rank; ++i) conv.output.unroll(inner[static_cast<std::size_t>(i)]);
    conv.output.unroll(filter);
  } else {
    // An activation is a loop of its own: unrolled, some are 2 KB a vector.
    conv.output.vectorize(inner[0], schedule.lanes);
    conv.biased.compute_at(conv.output, outer[0]).store_in(MemoryType::Stack);
    conv.biased.reorder_storage(conv.position[0], conv.channel).bound_extent(conv.channel, filters);
    for (int i = 0; i < conv.rank; ++i) {
      const Var &out = conv.position[i];
      conv.biased.bound_extent(out, outputs(i)).align_bounds(out, p.strides[static_cast<std::size_t>(i)]);
    }
    interleave(p, schedule, conv.biased, conv.position[0]);
    for (int i = 1; i < conv.rank; ++i) conv.biased.unroll(conv.position[i]);
    conv.biased.unroll(conv.channel);
  }
  schedule_sum(p, schedule, outer[0]);
}

}  // namespace tconv
