// The CPU schedule of lane sums, for x86 and ARM: a register tile of columns x positions, each a vector of partial sums
// that is held in registers over the whole depth. A vector of input serves all columns, one of weights all positions.
//
// Tried on 32 x 32, 64 -> 3 channels, k4 s2, AVX-512, one thread (155 to 160 GFLOP/s, of a peak of 240):
//   Sums transposed before their lanes are folded, which needs half the shuffles: LLVM takes them apart into three
//   times as many; 150 GFLOP/s. Blocks of 16, 32, 64, 128 and 256 KB: 72, 96, 138, 152 and 156 GFLOP/s, since windows
//   overlap; 512 KB: 159. tanh in a loop of vectors of 8: 0.057 ms; unrolled, of 4: 0.051; unrolled, of 8: 0.045.
// A tenth of the time goes into copying the window with zeros around it, a sixth into adding up and storing.
#include <algorithm>

#include "schedule/schedule.h"

namespace tconv {

using Halide::Func;
using Halide::MemoryType;
using Halide::Stage;
using Halide::TailStrategy;
using Halide::Var;
using Halide::VarOrRVar;

namespace {

void schedule_rest(LaneSums &sums) {
  const Halide::RVar &loop = sums.loops.back()[0];
  for (Func *stage : {&sums.rest_input, &sums.rest_weights}) {
    stage->compute_at(sums.partial, loop).store_in(MemoryType::Stack).bound_extent(sums.lane, sums.tile.lanes);
    stage->vectorize(sums.lane, sums.tile.lanes);
    for (const Var &v : stage->args())
      if (v.name() != sums.lane.name()) stage->unroll(v);
  }
  const int width = sums.tile.rest_vector(sums.rest);
  const auto fill = [&](Stage update, const Halide::RVar &lane, const Func &stage) {
    if (width > 1) update.vectorize(lane, width);
    update.unroll(lane);
    for (const Var &v : stage.args())
      if (v.name() != sums.lane.name()) update.unroll(v);
  };
  fill(sums.rest_input.update(), sums.rest_lane_input, sums.rest_input);
  fill(sums.rest_weights.update(), sums.rest_lane_weights, sums.rest_weights);
}

void schedule_partial(LaneSums &sums, const Var &tile_loop) {
  PhaseConv &conv = sums.conv;
  sums.partial.compute_at(conv.output, tile_loop).store_in(MemoryType::Stack);
  sums.partial.bound_extent(sums.lane, sums.tile.lanes).bound_extent(conv.column, sums.tile.columns);
  sums.partial.bound_extent(conv.position[0], sums.tile.positions);
  const auto unroll_tile = [&](Stage stage) {
    stage.unroll(conv.column);
    for (const Var &q : conv.position) stage.unroll(q);
  };
  const auto order_of = [&](const std::vector<Halide::RVar> &loops) {
    std::vector<VarOrRVar> order = {conv.column};
    for (const Var &q : conv.position) order.emplace_back(q);
    for (const Halide::RVar &r : loops) order.emplace_back(r);
    order.emplace_back(conv.group);
    return order;
  };
  unroll_tile(sums.partial.vectorize(sums.lane, sums.tile.lanes));
  for (std::size_t i = 0; i < sums.loops.size(); ++i) {
    std::vector<VarOrRVar> order = order_of(sums.loops[i]);
    order.insert(order.begin(), VarOrRVar(sums.lane));
    unroll_tile(sums.partial.update(static_cast<int>(i)).reorder(order).vectorize(sums.lane, sums.tile.lanes));
  }
  if (sums.loops.empty()) sums.partial.update().unscheduled();
  if (!sums.single_loops.empty())
    unroll_tile(sums.partial.update(static_cast<int>(sums.loops.size())).reorder(order_of(sums.single_loops)));
  if (sums.rest > 0) schedule_rest(sums);
}

// Where the sums of a tile are finished and written.
Var schedule_tiles(LaneSums &sums) {
  PhaseConv &conv = sums.conv;
  Var inner("xi"), tile_loop("xo");
  const bool open = sums.outputs == 0, all_phases = conv.phases * sums.outputs == sums.tile.columns;
  conv.output.split(conv.position[0], tile_loop, inner, sums.tile.positions, TailStrategy::GuardWithIf);
  std::vector<VarOrRVar> order;
  const auto add_phases = [&] {
    for (const Var &p : conv.phase) order.emplace_back(p);
  };
  if (!open) order.emplace_back(conv.channel);
  if (all_phases) add_phases();
  order.emplace_back(inner);
  if (open) order.emplace_back(conv.channel);
  order.emplace_back(tile_loop);
  order.insert(order.end(), conv.position.begin() + 1, conv.position.end());
  if (!all_phases) add_phases();
  order.emplace_back(conv.group);
  conv.output.reorder(order).unroll(inner);
  if (open) return conv.channel;
  conv.output.unroll(conv.channel);
  if (all_phases)
    for (const Var &p : conv.phase) conv.output.unroll(p);
  return tile_loop;
}

}  // namespace

void apply_lane_schedule(LaneSums &sums) {
  PhaseConv &conv = sums.conv;
  const Var tile_loop = schedule_tiles(sums);
  const int places = static_cast<int>(tconv_round_up(sums.tile.columns * sums.tile.positions, 4));
  for (Func *stage : {&sums.placed, &sums.finished})
    stage->compute_at(conv.output, tile_loop).store_in(MemoryType::Stack).bound_extent(sums.place, places);
  sums.placed.vectorize(sums.place, 4).unroll(sums.place);
  sums.finished.vectorize(sums.place, std::min(places & -places, sums.tile.lanes));
  sums.finished.unroll(sums.place);
  schedule_partial(sums, tile_loop);
  int width = sums.tile.lanes;
  for (Func &fold : sums.folds) {
    fold.compute_at(conv.output, tile_loop).store_in(MemoryType::Stack).vectorize(sums.lane, width /= 2);
    fold.unroll(conv.column).unroll(conv.position[0]).bound_extent(sums.lane, width);
    fold.bound_extent(conv.column, sums.tile.columns).bound_extent(conv.position[0], sums.tile.positions);
  }
  for (Func *stage : {&sums.pairs, &sums.totals}) {
    stage->compute_at(conv.output, tile_loop).store_in(MemoryType::Stack);
    stage->bound_extent(sums.lane, 4).vectorize(sums.lane, 4).unroll(sums.quad);
  }
  sums.pairs.unroll(sums.pair);
}

}  // namespace tconv
