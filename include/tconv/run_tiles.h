/* A task of Winograd's method, in one kind of phases or in all of them: the window of a block is transformed once;
 * then, panel by panel of the output columns of each phase, come the products of all transform points and the transform
 * to outputs. The transformed input stays in the second-level cache over all panels, the products of one panel are no
 * larger than that, and the weights are read once a block. Where a block has several tasks, each transforms the window
 * itself and takes a share of the panels.
 *
 * Every output is computed from its tile alone, in one order, so the bits do not depend on how tiles are cut into
 * blocks, nor blocks into tasks.
 */
#ifndef TCONV_RUN_TILES_H
#define TCONV_RUN_TILES_H

#include "tconv/merged_tiles.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A range's outputs in one phase, or in two that are paired. */
static inline tconv_tile_target tconv_find_tile_target(const tconv_tile_block *block, const tconv_tile_range *range,
                                                       const tconv_tile_phase *phase, const tconv_outputs *outputs) {
  tconv_tile_target target;
  int64_t to = 0;
  int d;
  target.channels = outputs->channels;
  target.channel_stride = outputs->channel_stride;
  for (d = 0; d < TCONV_MAX_RANK; ++d) {
    const int64_t tile = block->start[d] + range->first[d];
    const int64_t paired = block->grid.dim[d].paired;
    target.first[d] = (int32_t)(paired * (tile * block->grid.dim[d].outputs - phase[d].shift));
    target.extent[d] = (int32_t)(paired * phase[d].run.extent);
    target.stride[d] = block->job->dims.dim[d].stride / paired * outputs->stride[d];
    to += target.first[d] * target.stride[d] + (phase[d].run.first - outputs->origin[d]) * outputs->stride[d];
  }
  target.data = (uintptr_t)outputs->data + (uintptr_t)(to * (int64_t)sizeof(float));
  return target;
}

/* The tiles of the block that have outputs in the phase; 0 when there are none. */
static inline int tconv_find_tile_range(const tconv_tile_block *block, const tconv_tile_phase *phase,
                                        tconv_tile_range *range) {
  int d;
  for (d = 0; d < TCONV_MAX_RANK; ++d) {
    const int64_t first = tconv_max(phase[d].first - block->start[d], 0);
    range->first[d] = first;
    range->count[d] = tconv_min(phase[d].end - block->start[d], block->all.count[d]) - first;
    if (range->count[d] <= 0) return 0;
  }
  return 1;
}

/* Panel `index` of a group in phase `phase_index` of all. */
static inline int tconv_run_panel(const tconv_tile_block *block, int64_t group, int64_t phase_index, int64_t index,
                                  const tconv_outputs *outputs) {
  const tconv_job *job = block->job;
  const tconv_tiling *tiling = &job->kernel->tiling;
  const int64_t column = index * tiling->panel;
  const float *weights =
      block->weights + tconv_panel_weights(tiling, job->layer, &block->grid, group, index, phase_index);
  const float *bias = job->packed + group * tconv_round_up(tconv_group_outputs(job->layer), tiling->panel) + column;
  tconv_tile_phase phase[TCONV_MAX_RANK];
  tconv_tile_range range;
  tconv_tile_target target;
  halide_dimension_t written_dim[TCONV_TILE_DIMS];
  halide_buffer_t written;
  int status;
  tconv_split_phase(&job->dims, &block->grid, phase_index, phase);
  if (!tconv_find_tile_range(block, phase, &range)) return TCONV_OK;
  target = tconv_find_tile_target(block, &range, phase, outputs);
  written = tconv_target_buffer(block, &range, &target, written_dim);
  status = tiling->bf16x3 ? tconv_sum_panel(block, &range, weights)
                          : tconv_multiply_panel(block, &range, group, weights, &written);
  return status == TCONV_OK ? tconv_transform_panel(block, &range, bias, &target, &written) : status;
}

/* Unit `unit` of all: see tconv_tile_units(). The phases of a panel follow one another, as do the `count` kinds that a
 * task computes. */
static inline int tconv_run_unit(const tconv_tile_block *blocks, int count, int64_t unit, const int64_t *start,
                                 float *memory) {
  const tconv_job *job = blocks->job;
  const tconv_tiling *tiling = &job->kernel->tiling;
  const int64_t units = blocks->grid.phases / tconv_unit_phases(tiling, &blocks->grid);
  const int64_t panels = tconv_phase_panels(tiling, &blocks->grid), columns = tconv_group_outputs(job->layer);
  const int64_t group = unit / units / panels, panel = unit / units % panels;
  const tconv_outputs outputs = tconv_find_outputs(job, blocks->image, start, group * columns + panel * tiling->panel,
                                                   tconv_min(tiling->panel, columns - panel * tiling->panel), memory);
  int i, status = TCONV_OK;
  for (i = 0; i < count; ++i) {
    const int64_t phases = tconv_unit_phases(tiling, &blocks[i].grid), first = unit % units * phases;
    int64_t phase;
    for (phase = first; status == TCONV_OK && phase < first + phases; ++phase)
      status = tconv_run_panel(&blocks[i], group, phase, panel, &outputs);
  }
  return status == TCONV_OK ? tconv_store_outputs(job, blocks->image, &outputs) : status;
}

/* A kind's tiles of the block of positions [start, start + size). */
static inline tconv_tile_block tconv_find_tile_block(const tconv_job *job, int kind, const tconv_tile_grid *grid,
                                                     int64_t image, const int64_t *start, const int64_t *size) {
  const tconv_tiling *tiling = &job->kernel->tiling;
  tconv_tile_block block;
  int d;
  block.job = job;
  block.kind = kind;
  block.grid = *grid;
  block.image = image;
  for (d = 0; d < TCONV_MAX_RANK; ++d) {
    const int64_t outputs = block.grid.dim[d].outputs;
    block.start[d] = start[d] / outputs;
    block.all.first[d] = 0;
    block.all.count[d] = size[d] / outputs;
    block.stored[d] = tiling->bf16x3 ? tconv_split_extent(&job->blocks, d, size[d]) : block.all.count[d];
  }
  block.row_floats =
      tiling->bf16x3 ? tconv_split_row_floats(job->layer->in_channels) : tconv_tile_row_floats(tiling, job->layer);
  block.point_floats =
      tconv_point_floats(tiling, job->layer, block.all.count[0] * block.all.count[1] * block.all.count[2]);
  block.weights = job->packed + tconv_kind_weights(tiling, job->layer, &job->dims, kind);
  block.window = block.staged = block.products = block.transformed = NULL;
  return block;
}

/* Parts [part, end) of the units, of the block of positions [start, start + size); `memory` is the worker's: the
 * window, the outputs and the columns that are staged, the products, and each kind's transformed input, which all
 * share where it is split. */
static inline int tconv_run_tiles(const tconv_job *job, int64_t image, const int64_t *start, const int64_t *size,
                                  int64_t part, int64_t end, float *memory) {
  const tconv_tiling *tiling = &job->kernel->tiling;
  float *const outputs = memory + job->blocks.window_floats, *const staged = outputs + job->blocks.output_floats;
  float *const products = staged + tconv_staged_floats(&job->blocks, tiling);
  float *transformed;
  tconv_task_kinds kinds;
  tconv_tile_block blocks[TCONV_TILE_KINDS];
  int64_t unit, units;
  int i, status;
  tconv_find_task_kinds(tiling, job->layer, &job->dims, job->kind, &kinds);
  transformed = products + tconv_find_task_floats(&job->blocks, tiling, job->layer, &kinds).products;
  for (i = 0; i < kinds.count; ++i) {
    blocks[i] = tconv_find_tile_block(job, kinds.kind[i], &kinds.grid[i], image, start, size);
    blocks[i].window = memory;
    blocks[i].staged = staged;
    blocks[i].products = products;
    blocks[i].transformed = transformed;
    if (!tiling->bf16x3) transformed += tconv_transformed_floats(&job->blocks, tiling, job->layer, &kinds.grid[i]);
  }
  status = tconv_transform_windows(blocks, kinds.count);
  units = tconv_tile_units(tiling, job->layer, &blocks->grid);
  for (unit = units * part / job->blocks.parts; status == TCONV_OK && unit < units * end / job->blocks.parts; ++unit)
    status = tconv_merges_columns(tiling) ? tconv_run_merged_unit(blocks, unit, start, outputs)
                                          : tconv_run_unit(blocks, kinds.count, unit, start, outputs);
  return status;
}

#ifdef __cplusplus
}
#endif

#endif
