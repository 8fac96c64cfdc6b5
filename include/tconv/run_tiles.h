/* A task of Winograd's method, in one kind of phases: the window of a block is transformed once; then, panel by panel
 * of the output columns of each phase, come the products of all transform points and the transform to outputs. The
 * transformed input stays in the second-level cache over all panels, the products of one panel are no larger than that,
 * and the weights are read once a block. Where a block has several tasks, each transforms the window itself and takes a
 * share of the panels. Outputs of merged phases are staged, all columns of a panel beside one another, and copied to
 * their places from there.
 *
 * Every output is computed from its tile alone, in one order, so the bits do not depend on how tiles are cut into
 * blocks, nor blocks into tasks.
 */
#ifndef TCONV_RUN_TILES_H
#define TCONV_RUN_TILES_H

#include "tconv/arguments.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Some tiles of a block, in one phase or in all of them: [0] is the outermost dimension. */
typedef struct tconv_tile_range {
  int64_t first[TCONV_MAX_RANK]; /* from the start of the block */
  int64_t count[TCONV_MAX_RANK];
} tconv_tile_range;

/* A block as its phases and panels share it. */
typedef struct tconv_tile_block {
  const tconv_job *job;
  tconv_tile_grid grid;
  int64_t image;
  int64_t start[TCONV_MAX_RANK]; /* in tiles */
  tconv_tile_range all;
  int64_t point_floats, row_floats; /* of the transformed input */
  const float *weights;
  float *window, *staged, *products, *transformed;
} tconv_tile_block;

/* Where the outputs of a range of tiles are written: from `first`, which is the first tile's first one and may lie
 * before the output, to [0, extent). */
typedef struct tconv_tile_target {
  int32_t first[TCONV_MAX_RANK], extent[TCONV_MAX_RANK];
  int64_t stride[TCONV_MAX_RANK]; /* from one output of a phase to the next */
  int64_t channels, channel_stride;
  uintptr_t data; /* of `first`, a place that no pointer may point to where it lies before the output */
} tconv_tile_target;

enum { TCONV_TILE_DIMS = 1 + 2 * TCONV_MAX_RANK };

/* Dimensions (inside, tile x, y, z, point x, y, z) of an array [point][tile][inside], of the tiles of `range`. */
static inline void tconv_set_tile_dims(const tconv_tile_grid *grid, const tconv_tile_range *range, int64_t inside,
                                       int64_t row, const int64_t *tiles, int64_t point, halide_dimension_t *dims) {
  int i;
  tconv_set_dim(&dims[0], inside, 1);
  for (i = 0; i < TCONV_MAX_RANK; ++i) {
    const int d = TCONV_MAX_RANK - 1 - i;
    tconv_set_dim(&dims[1 + i], range->count[d], row);
    tconv_set_dim(&dims[1 + TCONV_MAX_RANK + i], grid->dim[d].points, point);
    row *= tiles[d];
    point *= grid->dim[d].points;
  }
}

/* Where the first tile of a range lies in an array of tiles. */
static inline int64_t tconv_first_tile(const int64_t *first, const int64_t *tiles) {
  return (first[0] * tiles[1] + first[1]) * tiles[2] + first[2];
}

/* Transforms the window of a range of tiles. */
static inline int tconv_transform_window(const tconv_tile_block *block, const tconv_tile_range *range) {
  const int64_t channels = block->job->layer->in_channels;
  halide_dimension_t window_dim[1 + TCONV_MAX_RANK], transformed_dim[TCONV_TILE_DIMS];
  halide_buffer_t from, to;
  tconv_window window;
  int64_t start[TCONV_MAX_RANK], size[TCONV_MAX_RANK];
  void *argv[2];
  int status, i, d;
  for (d = 0; d < TCONV_MAX_RANK; ++d) {
    start[d] = (block->start[d] + range->first[d]) * block->grid.dim[d].outputs;
    size[d] = range->count[d] * block->grid.dim[d].outputs;
  }
  status = tconv_load_window(block->job, block->image, start, size, block->window, &window);
  if (status != TCONV_OK) return status;
  tconv_set_dim(&window_dim[0], channels, window.channel_stride);
  for (i = 0; i < TCONV_MAX_RANK; ++i) {
    d = TCONV_MAX_RANK - 1 - i;
    tconv_set_dim(&window_dim[1 + i], window.extent[d], window.stride[d]);
  }
  tconv_set_tile_dims(&block->grid, range, channels, block->row_floats, block->all.count, block->point_floats,
                      transformed_dim);
  from = tconv_buffer(window.data, 1 + TCONV_MAX_RANK, window_dim);
  to = tconv_buffer(block->transformed + tconv_first_tile(range->first, block->all.count) * block->row_floats,
                    TCONV_TILE_DIMS, transformed_dim);
  argv[0] = &from;
  argv[1] = &to;
  return block->job->path->tiles[block->job->kind].transform_input(argv) == 0 ? TCONV_OK : TCONV_ERROR_KERNEL;
}

/* Transforms the windows of all tiles: slab by slab those that hang over an edge of the input, which are copied, then
 * the rest in place; all together where they are transposed. */
static inline int tconv_transform_windows(const tconv_tile_block *block) {
  tconv_tile_range rest = block->all;
  int d, behind;
  if (block->job->kernel->tiling.transpose_input) return tconv_transform_window(block, &rest);
  for (d = 0; d < TCONV_MAX_RANK; ++d)
    for (behind = 0; behind < 2; ++behind) {
      const tconv_tiles *tiles = &block->grid.dim[d];
      const int64_t start = block->start[d] + rest.first[d];
      const int64_t first = tconv_ceil_div(tconv_max(-tiles->low, 0), tiles->outputs);
      const int64_t room = block->job->dims.dim[d].in - tiles->low - tiles->points;
      const int64_t end = room < 0 ? 0 : room / tiles->outputs + 1;
      const int64_t over = behind ? start + rest.count[d] - end : first - start;
      tconv_tile_range slab = rest;
      int status;
      if (over <= 0) continue;
      slab.count[d] = tconv_min(over, rest.count[d]);
      rest.count[d] -= slab.count[d];
      if (behind)
        slab.first[d] += rest.count[d];
      else
        rest.first[d] += slab.count[d];
      status = tconv_transform_window(block, &slab);
      if (status != TCONV_OK || rest.count[d] == 0) return status;
    }
  return tconv_transform_window(block, &rest);
}

/* The products function whose register tiles waste least of such a row. */
static inline int tconv_find_products(const tconv_tile_functions *functions, int64_t row) {
  int i, best = 0;
  for (i = 1; i < functions->products_count; ++i)
    if (tconv_round_up(row, functions->rows[i]) < tconv_round_up(row, functions->rows[best])) best = i;
  return best;
}

/* One panel's products of the tiles of a range. */
static inline int tconv_multiply_panel(const tconv_tile_block *block, const tconv_tile_range *range, int64_t group,
                                       const float *weights) {
  const tconv_tile_functions *functions = &block->job->path->tiles[block->job->kind];
  const int64_t inputs = tconv_group_inputs(block->job->layer), panel = block->job->kernel->tiling.panel;
  const int64_t tiles = range->count[0] * range->count[1] * range->count[2], *stored = block->all.count;
  halide_dimension_t from_dim[2 + TCONV_MAX_RANK], weights_dim[3], to_dim[2 + TCONV_MAX_RANK];
  halide_buffer_t from, by, to;
  void *argv[3];
  int64_t from_stride = block->row_floats, to_stride = panel, joined[TCONV_MAX_RANK];
  int i, chosen;
  tconv_join_tile_rows(stored, range->count, joined);
  chosen = tconv_find_products(functions, joined[TCONV_MAX_RANK - 1]);
  tconv_set_dim(&from_dim[0], inputs, 1);
  tconv_set_dim(&to_dim[0], panel, 1);
  for (i = 0; i < TCONV_MAX_RANK; ++i) {
    const int d = TCONV_MAX_RANK - 1 - i;
    const int64_t count = joined[d];
    tconv_set_dim(&from_dim[1 + i], i == 0 ? tconv_round_up(count, functions->rows[chosen]) : count, from_stride);
    tconv_set_dim(&to_dim[1 + i], count, to_stride);
    from_stride *= stored[d];
    to_stride *= count;
  }
  tconv_set_dim(&from_dim[1 + TCONV_MAX_RANK], block->grid.points, block->point_floats);
  tconv_set_dim(&to_dim[1 + TCONV_MAX_RANK], block->grid.points, tiles * panel);
  tconv_set_dim(&weights_dim[0], panel, 1);
  tconv_set_dim(&weights_dim[1], inputs, panel);
  tconv_set_dim(&weights_dim[2], block->grid.points, panel * inputs);
  from = tconv_buffer(block->transformed + tconv_first_tile(range->first, stored) * block->row_floats + group * inputs,
                      2 + TCONV_MAX_RANK, from_dim);
  by = tconv_buffer(weights, 3, weights_dim);
  to = tconv_buffer(block->products, 2 + TCONV_MAX_RANK, to_dim);
  argv[0] = &from;
  argv[1] = &by;
  argv[2] = &to;
  return functions->products[chosen](argv) == 0 ? TCONV_OK : TCONV_ERROR_KERNEL;
}

/* A range's outputs in one phase. */
static inline tconv_tile_target tconv_find_tile_target(const tconv_tile_block *block, const tconv_tile_range *range,
                                                       const tconv_tile_phase *phase, const tconv_outputs *outputs) {
  tconv_tile_target target;
  int64_t to = 0;
  int d;
  target.channels = outputs->channels;
  target.channel_stride = outputs->channel_stride;
  for (d = 0; d < TCONV_MAX_RANK; ++d) {
    const int64_t tile = block->start[d] + range->first[d];
    target.first[d] = (int32_t)(tile * block->grid.dim[d].outputs - phase[d].shift);
    target.extent[d] = (int32_t)phase[d].run.extent;
    target.stride[d] = block->job->dims.dim[d].stride * outputs->stride[d];
    to += target.first[d] * target.stride[d] + (phase[d].run.first - outputs->origin[d]) * outputs->stride[d];
  }
  target.data = (uintptr_t)outputs->data + (uintptr_t)(to * (int64_t)sizeof(float));
  return target;
}

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

/* Writes the outputs of one panel. */
static inline int tconv_transform_panel(const tconv_tile_block *block, const tconv_tile_range *range, const float *bias,
                                        tconv_tile_target target) {
  const tconv_job *job = block->job;
  const int64_t panel = job->kernel->tiling.panel;
  const int64_t tiles = range->count[0] * range->count[1] * range->count[2];
  halide_dimension_t from_dim[TCONV_TILE_DIMS], bias_dim, to_dim[TCONV_TILE_DIMS];
  halide_buffer_t products, biases, output;
  void *argv[3 + 2 * TCONV_MAX_RANK];
  int i;
  tconv_set_tile_dims(&block->grid, range, panel, panel, range->count, tiles * panel, from_dim);
  tconv_set_dim(&bias_dim, panel, 1);
  tconv_set_dim(&to_dim[0], target.channels, target.channel_stride);
  for (i = 0; i < TCONV_MAX_RANK; ++i) {
    const int d = TCONV_MAX_RANK - 1 - i;
    const int64_t inside = block->grid.dim[d].outputs;
    tconv_set_dim(&to_dim[1 + i], inside, target.stride[d]);
    tconv_set_dim(&to_dim[1 + TCONV_MAX_RANK + i], range->count[d], inside * target.stride[d]);
    argv[2 + i] = &target.first[d];
    argv[2 + TCONV_MAX_RANK + i] = &target.extent[d];
  }
  products = tconv_buffer(block->products, TCONV_TILE_DIMS, from_dim);
  biases = tconv_buffer(bias, 1, &bias_dim);
  output = tconv_buffer(NULL, TCONV_TILE_DIMS, to_dim);
  output.host = (uint8_t *)target.data;
  argv[0] = &products;
  argv[1] = &biases;
  argv[2 + 2 * TCONV_MAX_RANK] = &output;
  return job->path->tiles[job->kind].transform_output(argv) == 0 ? TCONV_OK : TCONV_ERROR_KERNEL;
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
  const float *weights = block->weights + (group * block->grid.phases + phase_index) * block->grid.phase_floats +
                         column * block->grid.points * tconv_group_inputs(job->layer);
  const float *bias = job->packed + group * tconv_round_up(tconv_group_outputs(job->layer), tiling->panel) + column;
  tconv_tile_phase phase[TCONV_MAX_RANK];
  tconv_tile_range range;
  int status;
  tconv_split_phase(&job->dims, &block->grid, phase_index, phase);
  if (!tconv_find_tile_range(block, phase, &range)) return TCONV_OK;
  status = tconv_multiply_panel(block, &range, group, weights);
  if (status != TCONV_OK) return status;
  return tconv_transform_panel(block, &range, bias, tconv_find_tile_target(block, &range, phase, outputs));
}

/* Copies columns [begin, end) of those that each position has in one row of the output: `row` is its place in z and y
 * among the rows of a position. What lies outside the output is left out. */
static inline int tconv_place_columns(const tconv_tile_block *block, const int64_t *row, int64_t begin, int64_t end,
                                      const float *staged, const tconv_outputs *outputs) {
  const tconv_job *job = block->job;
  const tconv_dim *dim = job->dims.dim;
  const tconv_tile_target from = tconv_find_staged_target(block);
  const int64_t filters = tconv_group_outputs(job->layer), step = dim[2].stride * filters;
  const int64_t start = block->start[2] * block->grid.dim[2].outputs;
  halide_dimension_t from_dim[4], to_dim[4];
  halide_buffer_t source, target;
  void *argv[2];
  int64_t at = 0, q, whole;
  int d;
  for (d = 0; d < 2; ++d) {
    const int64_t first = block->start[d] * block->grid.dim[d].outputs, before = job->blocks.first_output[d] + row[d];
    const int64_t low = tconv_max(tconv_ceil_div(-before, dim[d].stride), first);
    const int64_t high = tconv_min(tconv_ceil_div(dim[d].out - before, dim[d].stride), first + from.extent[d]);
    if (high <= low) return TCONV_OK;
    tconv_set_dim(&from_dim[3 - d], high - low, from.stride[d]);
    tconv_set_dim(&to_dim[3 - d], high - low, dim[d].stride * outputs->stride[d]);
    staged += (low - first) * from.stride[d];
    at += (low * dim[d].stride + before - outputs->origin[d]) * outputs->stride[d];
  }
  for (q = start; q < start + from.extent[2]; q += whole) {
    const int64_t x = (q * dim[2].stride + job->blocks.first_output[2]) * filters;
    const int64_t low = tconv_max(begin, -x), high = tconv_min(end, dim[2].out * filters - x);
    whole = 1;
    if (high <= low) continue;
    if (low == begin && high == end)
      whole = tconv_min(start + from.extent[2] - q, (dim[2].out * filters - end - x) / step + 1);
    tconv_set_dim(&from_dim[0], high - low, 1);
    tconv_set_dim(&from_dim[1], whole, from.stride[2]);
    tconv_set_dim(&to_dim[0], high - low, 1);
    tconv_set_dim(&to_dim[1], whole, step);
    source = tconv_buffer(staged + (q - start) * from.stride[2] + (low - begin), 4, from_dim);
    target = tconv_buffer(outputs->data + at + x + low - outputs->origin[2] * filters, 4, to_dim);
    argv[0] = &source;
    argv[1] = &target;
    if (job->path->tiles[job->kind].copy(argv) != 0) return TCONV_ERROR_KERNEL;
  }
  return TCONV_OK;
}

/* Panel `index` of the columns of all phases. */
static inline int tconv_run_merged_panel(const tconv_tile_block *block, int64_t index, const tconv_outputs *outputs) {
  const tconv_job *job = block->job;
  const tconv_tiling *tiling = &job->kernel->tiling;
  const int64_t filters = tconv_group_outputs(job->layer), first = index * tiling->panel;
  const int64_t columns = tconv_tile_columns(tiling, job->layer, &block->grid);
  const int64_t length = job->dims.dim[2].stride * filters; /* of a row of the output */
  float bias[TCONV_MAX_PANEL];
  int64_t column, end;
  int status;
  for (column = 0; column < tiling->panel; ++column) bias[column] = job->packed[(first + column) % filters];
  status = tconv_multiply_panel(block, &block->all, 0,
                                block->weights + first * block->grid.points * tconv_group_inputs(job->layer));
  if (status == TCONV_OK) status = tconv_transform_panel(block, &block->all, bias, tconv_find_staged_target(block));
  for (column = first; status == TCONV_OK && column < tconv_min(first + tiling->panel, columns); column = end) {
    const int64_t rows = column / length, height = job->dims.dim[1].stride;
    const int64_t row[2] = {rows / height, rows % height};
    end = tconv_min(tconv_min((rows + 1) * length, first + tiling->panel), columns);
    status = tconv_place_columns(block, row, column % length, column % length + end - column,
                                 block->staged + (column - first), outputs);
  }
  return status;
}

/* Unit `unit` of all: see tconv_tile_units(). The phases of a panel follow one another. */
static inline int tconv_run_unit(const tconv_tile_block *block, int64_t unit, const int64_t *start, float *memory) {
  const tconv_job *job = block->job;
  const tconv_tiling *tiling = &job->kernel->tiling;
  const int64_t phases = tconv_unit_phases(tiling, &block->grid), units = block->grid.phases / phases;
  const int64_t panels = tconv_phase_panels(tiling, &block->grid), columns = tconv_group_outputs(job->layer);
  const int64_t group = unit / units / panels, panel = unit / units % panels, first = unit % units * phases;
  const tconv_outputs outputs = tconv_find_outputs(job, block->image, start, group * columns + panel * tiling->panel,
                                                   tconv_min(tiling->panel, columns - panel * tiling->panel), memory);
  int64_t phase;
  int status = TCONV_OK;
  for (phase = first; status == TCONV_OK && phase < first + phases; ++phase)
    status = tconv_run_panel(block, group, phase, panel, &outputs);
  return status == TCONV_OK ? tconv_store_outputs(job, block->image, &outputs) : status;
}

/* The same of merged phases. */
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

/* Part `part` of the units, of the block of positions [start, start + size); `memory` is the worker's. */
static inline int tconv_run_tiles(const tconv_job *job, int64_t image, const int64_t *start, const int64_t *size,
                                  int64_t part, float *memory) {
  const tconv_tiling *tiling = &job->kernel->tiling;
  tconv_tile_block block;
  int64_t unit, units;
  int d, status;
  block.job = job;
  block.grid = tconv_find_tile_grid(tiling, job->layer, &job->dims, job->kind);
  block.image = image;
  for (d = 0; d < TCONV_MAX_RANK; ++d) {
    const int64_t outputs = block.grid.dim[d].outputs;
    block.start[d] = start[d] / outputs;
    block.all.first[d] = 0;
    block.all.count[d] = size[d] / outputs;
  }
  block.row_floats = tconv_tile_row_floats(job->layer);
  block.point_floats = tconv_point_floats(job->layer, block.all.count[0] * block.all.count[1] * block.all.count[2]);
  block.weights = job->packed + tconv_kind_weights(tiling, job->layer, &job->dims, job->kind);
  block.window = memory;
  memory += job->blocks.window_floats;
  block.staged = memory + job->blocks.output_floats;
  block.products = block.staged + tconv_staged_floats(&job->blocks, tiling);
  block.transformed = block.products + tconv_products_floats(&job->blocks, tiling, &block.grid);
  status = tconv_transform_windows(&block);
  units = tconv_tile_units(tiling, job->layer, &block.grid);
  for (unit = units * part / job->blocks.parts; status == TCONV_OK && unit < units * (part + 1) / job->blocks.parts;
       ++unit)
    status = tconv_merges_columns(tiling) ? tconv_run_merged_unit(&block, unit, start, memory)
                                          : tconv_run_unit(&block, unit, start, memory);
  return status;
}

#ifdef __cplusplus
}
#endif

#endif
