// The CPU schedule, for x86 and ARM: a register tile of columns x positions, held in registers over the whole depth,
// while one panel of weights stays in the second-level cache over all positions of a block.
//
// Channels last: vectors run over columns, which lie together in the packed weights and in the output; an input element
// is broadcast. Channels first: vectors run over positions, and a weight is broadcast; so they do where a layer of few
// columns was transposed, or is as it is read.
#include "schedule/schedule.h"
#include "tconv/activation.h"

namespace tconv {

using Halide::MemoryType;
using Halide::RVar;
using Halide::Stage;
using Halide::TailStrategy;
using Halide::Var;
using Halide::VarOrRVar;

namespace {

// The loops of the output that stay inside a register tile, and those around it, innermost first.
struct Loops {
  std::vector<VarOrRVar> tile, around;
};

Loops split_positions(PhaseConv &conv, const TargetSchedule &schedule) {
  Loops loops;
  for (int i = 0; i < conv.rank; ++i) {
    const int tile = schedule.tile[TCONV_MAX_RANK - 1 - i];
    const Var &q = conv.position[i];
    Var inner(q.name() + "i"), outer(q.name() + "o");
    conv.output.split(q, outer, inner, tile, TailStrategy::GuardWithIf);
    loops.tile.emplace_back(inner);
    loops.around.emplace_back(outer);
  }
  return loops;
}

// Columns and positions of the tile inside, then input channels, then taps.
void schedule_sum(PhaseConv &conv, const TargetSchedule &schedule, int columns, const Var &vector_axis) {
  std::vector<VarOrRVar> order = {conv.column};
  for (const Var &q : conv.position) order.emplace_back(q);
  order.emplace_back(conv.depth);
  for (const RVar &t : conv.tap) order.emplace_back(t);
  order.emplace_back(conv.group);
  Stage update = hold_sum(conv, schedule, columns, vector_axis, order);
  if (schedule.read_block == 0) return;
  RVar outer("depth_outer"), inner("depth_inner");
  update.split(conv.depth, outer, inner, schedule.read_block).unroll(inner);
  const std::vector<Var> at = conv.read.args();
  conv.read.compute_at(conv.sum, outer).store_in(MemoryType::Stack);
  conv.read.align_storage(at[0], schedule.lanes).vectorize(at[0], schedule.read_block);
  for (std::size_t i = 1; i < at.size(); ++i) conv.read.unroll(at[i]);
}

// The sums of a tile of positions are finished in vectors beside the output, and then copied: a guarded, strided vector
// store becomes a test and a store for each lane around the whole computation (80 times slower when it was tried). An
// activation is a loop of its own: unrolled, some are 2 KB a vector.
void schedule_value(PhaseConv &conv, const Plan &plan, const TargetSchedule &schedule, int channels, bool dense,
                    bool interleaved, const Var &tile_loop) {
  const bool linear = static_cast<Activation>(plan.layer.activation) == Activation::linear;
  Halide::Func &finished = linear ? conv.value : conv.biased;
  for (Halide::Func *stage : {&conv.biased, &conv.value}) {
    if (linear && stage == &conv.biased) continue;
    stage->compute_at(conv.output, tile_loop).store_in(MemoryType::Stack).bound_extent(conv.channel, channels);
    for (int i = 0; i < conv.rank; ++i) stage->bound_extent(conv.position[i], schedule.tile[TCONV_MAX_RANK - 1 - i]);
    if (interleaved)
      stage->reorder_storage(conv.channel, conv.phase[0], conv.position[0]);
    else
      stage->reorder_storage(conv.position[0], conv.channel);
    stage->vectorize(conv.position[0], schedule.lanes);
  }
  finished.unroll(conv.channel);
  for (const Var &q : conv.position) finished.unroll(q);
  if (dense)
    for (const Var &p : conv.phase) finished.unroll(p);
}

// A tile is one panel's columns, or a part of them, in one phase or a row of phases.
void schedule_panels(PhaseConv &conv, const tconv_tiling &tiling, const TargetSchedule &schedule, const Loops &loops,
                     bool by_columns) {
  Var panel("panel"), in_panel("in_panel"), part("part"), column("in_part");
  conv.output.split(conv.channel, panel, in_panel, tiling.panel, TailStrategy::GuardWithIf)
      .split(in_panel, part, column, schedule.columns, TailStrategy::GuardWithIf);
  std::vector<VarOrRVar> order = loops.tile;
  order.insert(by_columns ? order.begin() : order.end(), VarOrRVar(column));
  order.insert(order.end(), loops.around.begin(), loops.around.end());
  order.emplace_back(part);
  order.emplace_back(panel);
  for (const Var &p : conv.phase) order.emplace_back(p);
  order.emplace_back(conv.group);
  conv.output.reorder(order);
  if (by_columns) conv.output.vectorize(column, schedule.lanes, TailStrategy::GuardWithIf).unroll(column);
}

// True where a run of positions, with all phases in the innermost dimension, is contiguous in the output.
bool is_interleaved(const Plan &plan, const tconv_tiling &tiling, const tconv_variant &variant) {
  return tconv_writes_channels_last(&tiling, &plan.layer) && plan.layer.groups == 1 &&
         variant.phases[TCONV_MAX_RANK - 1] == typical_dims(plan).dim[TCONV_MAX_RANK - 1].stride;
}

// The same tile, its rows written in vectors that run over channels, phases and positions.
void schedule_interleaved(PhaseConv &conv, const TargetSchedule &schedule, const Loops &loops) {
  Var phased("phased"), row("row");
  std::vector<VarOrRVar> order = {conv.channel, conv.phase[0], loops.tile[0]};
  order.insert(order.end(), conv.phase.begin() + 1, conv.phase.end());
  order.insert(order.end(), loops.tile.begin() + 1, loops.tile.end());
  order.insert(order.end(), loops.around.begin(), loops.around.end());
  order.emplace_back(conv.group);
  conv.output.reorder(order)
      .fuse(conv.channel, conv.phase[0], phased)
      .fuse(phased, Var(loops.tile[0].name()), row)
      .vectorize(row, schedule.lanes, TailStrategy::GuardWithIf);
}

// A tile is all columns of all phases of the class; `schedule.columns` counts them.
void schedule_dense(PhaseConv &conv, const Plan &plan, const TargetSchedule &schedule, const Loops &loops,
                    bool by_columns) {
  std::vector<VarOrRVar> order = {conv.channel};
  for (const Var &p : conv.phase) order.emplace_back(p);
  order.insert(order.end(), loops.tile.begin(), loops.tile.end());
  order.insert(order.end(), loops.around.begin(), loops.around.end());
  order.emplace_back(conv.group);
  const int outputs = static_cast<int>(tconv_group_outputs(&plan.layer));
  conv.output.reorder(order);
  if (by_columns) conv.output.vectorize(conv.channel, std::min(schedule.lanes, outputs), TailStrategy::GuardWithIf);
  conv.output.unroll(conv.channel);
  for (const Var &p : conv.phase) conv.output.unroll(p);
}

}  // namespace

Stage hold_sum(PhaseConv &conv, const TargetSchedule &schedule, int columns, const Var &vector_axis,
               const std::vector<VarOrRVar> &order) {
  const auto unroll_tile = [&](Stage stage) {
    stage.vectorize(vector_axis, schedule.lanes);
    stage.unroll(conv.column);
    for (const Var &q : conv.position) stage.unroll(q);
  };
  conv.sum.store_in(MemoryType::Stack).bound_extent(conv.column, columns);
  for (int i = 0; i < conv.rank; ++i) conv.sum.bound_extent(conv.position[i], schedule.tile[TCONV_MAX_RANK - 1 - i]);
  unroll_tile(conv.sum);
  Stage update = conv.sum.update();
  update.reorder(order);
  unroll_tile(update);
  if (schedule.unroll_depth > 1) update.unroll(conv.depth, schedule.unroll_depth);
  return update;
}

void apply_cpu_schedule(PhaseConv &conv, const Plan &plan, const tconv_tiling &tiling, const tconv_variant &variant,
                        const TargetSchedule &schedule) {
  const bool by_columns = tconv_reads_channels_last(&tiling, &plan.layer) && schedule.read_block == 0;
  const Loops loops = split_positions(conv, schedule);
  const Var tile_loop(loops.around[0].name());
  const bool dense = conv.phases > 1 && tiling.dense_phases != 0;
  const bool interleaved = dense && !by_columns && is_interleaved(plan, tiling, variant);
  int columns = schedule.columns;
  if (dense) {
    columns = static_cast<int>(conv.phases * tconv_phase_columns(&tiling, &plan.layer));
    if (by_columns) columns = static_cast<int>(tconv_round_up(columns, tiling.panel));
  }
  if (interleaved)
    schedule_interleaved(conv, schedule, loops);
  else if (dense)
    schedule_dense(conv, plan, schedule, loops, by_columns);
  else
    schedule_panels(conv, tiling, schedule, loops, by_columns);
  if (by_columns)
    for (const VarOrRVar &q : loops.tile) conv.output.unroll(Var(q.name()));
  else
    schedule_value(conv, plan, schedule, dense ? static_cast<int>(tconv_group_outputs(&plan.layer)) : columns, dense,
                   interleaved, tile_loop);
  conv.sum.compute_at(conv.output, tile_loop);
  if (!by_columns) conv.sum.reorder_storage(conv.position[0], conv.column);
  schedule_sum(conv, schedule, columns, by_columns ? conv.column : conv.position[0]);
}

}  // namespace tconv
