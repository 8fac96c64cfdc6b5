// The CUDA schedule: a block is 32 output channels wide, so that weights and outputs are read and written in whole
// lines (channels last), or 32 positions wide (channels first); each thread sums a few positions in registers.
#include "schedule/schedule.h"

namespace tconv {

using Halide::TailStrategy;
using Halide::Var;

namespace {

constexpr int block_width = 32;

}  // namespace

void apply_cuda_schedule(PhaseConv &conv, const Plan &plan, const tconv_tiling &, const TargetSchedule &schedule) {
  Halide::Func &output = conv.output;
  const bool last = plan.layer.channels_last != 0;
  const Var &wide = last ? conv.channel : conv.position[0];
  const Var &tall = last ? conv.position[0] : conv.channel;
  const int per_thread = schedule.tile[2];
  Var wide_block("wide_block"), wide_thread("wide_thread"), tall_block("tall_block"), tall_inner("tall_inner");
  Var rest("rest");

  output.split(wide, wide_block, wide_thread, block_width, TailStrategy::GuardWithIf)
      .split(tall, tall_block, tall_inner, per_thread, TailStrategy::GuardWithIf);
  std::vector<Halide::VarOrRVar> order = {tall_inner, wide_thread, wide_block, tall_block};
  std::vector<Var> outer(conv.position.begin() + 1, conv.position.end());
  outer.insert(outer.end(), conv.phase.begin(), conv.phase.end());
  outer.push_back(conv.group);
  for (const Var &v : outer) order.emplace_back(v);
  output.reorder(order).fuse(outer[0], outer[1], rest);
  for (std::size_t i = 2; i < outer.size(); ++i) output.fuse(rest, outer[i], rest);
  output.unroll(tall_inner).gpu_blocks(wide_block, tall_block, rest).gpu_threads(wide_thread);

  conv.sum.compute_at(output, wide_thread);
  const Var &sum_tall = last ? conv.position[0] : conv.column;
  conv.sum.bound_extent(sum_tall, per_thread).unroll(sum_tall);
  std::vector<Halide::VarOrRVar> sum_order = {sum_tall, conv.depth};
  for (const Halide::RVar &t : conv.tap) sum_order.emplace_back(t);
  conv.sum.update().reorder(sum_order).unroll(sum_tall);
}

}  // namespace tconv
