/* Merged phases of Winograd's tiles: a panel's columns are outputs of several phases. They are staged, all columns of a
 * position beside one another, and copied from there to the rows of the output.
 */
#ifndef TCONV_MERGED_TILES_H
#define TCONV_MERGED_TILES_H

#include "tconv/tile_block.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The outputs of a block, staged: (z, y, x, column of the panel). */
static inline tconv_tile_target tconv_find_staged_target(const tconv_tile_block *block) {
  tconv_tile_target target;
  int64_t stride = block->job->kernel->tiling.panel;
  int d;
  target.channels = stride;
  target.channel_stride = 1;
  for (d = TCONV_MAX_RANK - 1; d >= 0; --d) {
    target.first[d] = 0;
    target.extent[d] = (int32_t)(block->all.count[d] * block->grid.dim[d].outputs);
    target.stride[d] = stride;
    stride *= target.extent[d];
  }
  target.data = (uintptr_t)block->staged;
  return target;
}

/* Copies columns [begin, end) of those that each position has in one row of the output: `row` is its place in z and y
 * among the rows of a position. `staged` is the first of them, in what `from` describes. What lies outside the output
 * is left out. */
static inline int tconv_place_columns(const tconv_tile_block *block, const int64_t *row, int64_t begin, int64_t end,
                                      const tconv_tile_target *from, const float *staged,
                                      const tconv_outputs *outputs) {
  const tconv_job *job = block->job;
  const tconv_dim *dim = job->dims.dim;
  const int64_t filters = tconv_group_outputs(job->layer), step = dim[2].stride * filters;
  const int64_t start = block->start[2] * block->grid.dim[2].outputs;
  halide_dimension_t from_dim[4], to_dim[4];
  int64_t at = 0, q, whole;
  int status = TCONV_OK, d;
  for (d = 0; d < 2; ++d) {
    const int64_t first = block->start[d] * block->grid.dim[d].outputs, before = job->blocks.first_output[d] + row[d];
    const int64_t low = tconv_max(tconv_ceil_div(-before, dim[d].stride), first);
    const int64_t high = tconv_min(tconv_ceil_div(dim[d].out - before, dim[d].stride), first + from->extent[d]);
    if (high <= low) return TCONV_OK;
    tconv_set_dim(&from_dim[3 - d], high - low, from->stride[d]);
    tconv_set_dim(&to_dim[3 - d], high - low, dim[d].stride * outputs->stride[d]);
    staged += (low - first) * from->stride[d];
    at += (low * dim[d].stride + before - outputs->origin[d]) * outputs->stride[d];
  }
  for (q = start; q < start + from->extent[2] && status == TCONV_OK; q += whole) {
    const int64_t x = (q * dim[2].stride + job->blocks.first_output[2]) * filters;
    const int64_t low = tconv_max(begin, -x), high = tconv_min(end, dim[2].out * filters - x);
    whole = 1;
    if (high <= low) continue;
    if (low == begin && high == end)
      whole = tconv_min(start + from->extent[2] - q, (dim[2].out * filters - end - x) / step + 1);
    tconv_set_dim(&from_dim[0], high - low, 1);
    tconv_set_dim(&from_dim[1], whole, from->stride[2]);
    tconv_set_dim(&to_dim[0], high - low, 1);
    tconv_set_dim(&to_dim[1], whole, step);
    status = tconv_copy(job->path, staged + (q - start) * from->stride[2] + (low - begin), from_dim,
                        outputs->data + at + x + low - outputs->origin[2] * filters, to_dim);
  }
  return status;
}

/* Panel `index` of the columns of all phases. */
static inline int tconv_run_merged_panel(const tconv_tile_block *block, int64_t index, const tconv_outputs *outputs) {
  const tconv_job *job = block->job;
  const tconv_tiling *tiling = &job->kernel->tiling;
  const int64_t filters = tconv_group_outputs(job->layer), first = index * tiling->panel;
  const int64_t columns = tconv_tile_columns(tiling, job->layer, &block->grid);
  const int64_t length = job->dims.dim[2].stride * filters; /* of a row of the output */
  const tconv_tile_target staged = tconv_find_staged_target(block);
  halide_dimension_t written_dim[TCONV_TILE_DIMS];
  halide_buffer_t written = tconv_target_buffer(block, &block->all, &staged, written_dim);
  float bias[TCONV_MAX_PANEL];
  int64_t column, end;
  int status;
  for (column = 0; column < tiling->panel; ++column) bias[column] = job->packed[(first + column) % filters];
  status = tconv_multiply_panel(block, &block->all, 0,
                                block->weights + first * block->grid.points * tconv_group_inputs(job->layer), &written);
  if (status == TCONV_OK) status = tconv_transform_panel(block, &block->all, bias, &staged, &written);
  for (column = first; status == TCONV_OK && column < tconv_min(first + tiling->panel, columns); column = end) {
    const int64_t rows = column / length, height = job->dims.dim[1].stride;
    const int64_t row[2] = {rows / height, rows % height};
    end = tconv_min(tconv_min((rows + 1) * length, first + tiling->panel), columns);
    status = tconv_place_columns(block, row, column % length, column % length + end - column, &staged,
                                 block->staged + (column - first), outputs);
  }
  return status;
}

/* Unit `unit` of all: see tconv_tile_units(). */
static inline int tconv_run_merged_unit(const tconv_tile_block *block, int64_t unit, const int64_t *start,
                                        float *memory) {
  const tconv_job *job = block->job;
  const int64_t panels = tconv_unit_panels(&job->kernel->tiling, &block->grid);
  const tconv_outputs outputs = tconv_find_outputs(job, block->image, start, 0, job->layer->out_channels, memory);
  int64_t panel;
  int status = TCONV_OK;
  for (panel = unit * panels; status == TCONV_OK && panel < (unit + 1) * panels; ++panel)
    status = tconv_run_merged_panel(block, panel, &outputs);
  return status == TCONV_OK ? tconv_store_outputs(job, block->image, &outputs) : status;
}

#ifdef __cplusplus
}
#endif

#endif
