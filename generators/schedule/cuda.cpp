// The CUDA schedule: a block is 32 output channels wide, so that weights and outputs are read and written in whole
// lines (channels last), or 32 positions wide (channels first); each thread sums a few positions in registers.
#include "schedule/schedule.h"

namespace tconv {

using Halide::TailStrategy;
using Halide::Var;

namespace {

constexpr int block_width = cuda_panel;

}  // namespace

void apply_cuda_schedule(PhaseConv &conv, const Plan &plan, const TargetSchedule &schedule) {
  Halide::Func &output = conv.output;
  const bool last = plan.layer.channels_last != 0;
  const Var &wide = last ? conv.channel : conv.position[0];
  const Var &tall = last ? conv.position[0] : conv.channel;
  const Var &sum_tall = last ? conv.position[0] : conv.column;
  const int per_thread = last ? schedule.tile[2] : schedule.columns;
  Var block("block"), thread("thread"), tall_block("tall_block"), tall_inner("tall_inner");

  output.split(wide, block, thread, block_width, TailStrategy::GuardWithIf)
      .split(tall, tall_block, tall_inner, per_thread, TailStrategy::GuardWithIf);
  std::vector<Var> around = {tall_block};
  around.insert(around.end(), conv.position.begin() + 1, conv.position.end());
  around.insert(around.end(), conv.phase.begin(), conv.phase.end());
  around.push_back(conv.group);
  std::vector<Halide::VarOrRVar> order = {tall_inner, thread, block};
  for (const Var &v : around) order.emplace_back(v);
  output.reorder(order);
  // One dimension of blocks: only the first may exceed 65535.
  for (const Var &v : around) output.fuse(block, v, block);
  output.unroll(tall_inner).gpu_blocks(block).gpu_threads(thread);

  conv.sum.compute_at(output, thread).bound_extent(sum_tall, per_thread).unroll(sum_tall);
  std::vector<Halide::VarOrRVar> sum_order = {sum_tall, conv.depth};
  for (const Halide::RVar &t : conv.tap) sum_order.emplace_back(t);
  conv.sum.update().reorder(sum_order).unroll(sum_tall);
}

}  // namespace tconv
