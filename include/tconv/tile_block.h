/* A block of Winograd's tiles: its window's transform, and of one panel of columns the products and the transform to
 * outputs.
 */
#ifndef TCONV_TILE_BLOCK_H
#define TCONV_TILE_BLOCK_H

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
  int kind;
  tconv_tile_grid grid;
  int64_t image;
  int64_t start[TCONV_MAX_RANK]; /* in tiles */
  tconv_tile_range all;
  int64_t point_floats, row_floats; /* of the transformed input */
  int64_t stored[TCONV_MAX_RANK];   /* tiles that it holds; positions where it is split */
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

/* The window of a range of tiles, and of the same positions' tiles of the other kinds of a task. */
static inline int tconv_load_tiles(const tconv_tile_block *block, const tconv_tile_range *range, tconv_window *window) {
  int64_t start[TCONV_MAX_RANK], size[TCONV_MAX_RANK];
  int d;
  for (d = 0; d < TCONV_MAX_RANK; ++d) {
    start[d] = (block->start[d] + range->first[d]) * block->grid.dim[d].outputs;
    size[d] = range->count[d] * block->grid.dim[d].outputs;
  }
  return tconv_load_window(block->job, block->image, start, size, block->window, window);
}

/* Splits that window. */
static inline int tconv_split_loaded(const tconv_tile_block *block, const tconv_tile_range *range,
                                     const tconv_window *window) {
  const int64_t channels = block->job->layer->in_channels;
  halide_dimension_t window_dim[1 + TCONV_MAX_RANK], split_dim[3 + TCONV_MAX_RANK];
  halide_buffer_t from, to;
  void *argv[2];
  int64_t stride = 2 * block->row_floats;
  int i;
  tconv_set_dim(&window_dim[0], channels, window->channel_stride);
  tconv_set_dim(&split_dim[0], TCONV_SPLIT_CHUNK, 1);
  tconv_set_dim(&split_dim[1], TCONV_SPLIT_PARTS, TCONV_SPLIT_CHUNK);
  tconv_set_dim(&split_dim[2], tconv_split_chunks(channels), TCONV_SPLIT_PARTS * TCONV_SPLIT_CHUNK);
  for (i = 0; i < TCONV_MAX_RANK; ++i) {
    const int d = TCONV_MAX_RANK - 1 - i;
    tconv_set_dim(&window_dim[1 + i], window->extent[d], window->stride[d]);
    tconv_set_dim(&split_dim[3 + i], window->extent[d], stride);
    stride *= block->stored[d];
  }
  from = tconv_buffer(window->data, 1 + TCONV_MAX_RANK, window_dim);
  to = tconv_buffer(block->transformed + tconv_first_tile(range->first, block->stored) * block->row_floats,
                    3 + TCONV_MAX_RANK, split_dim);
  to.type.code = halide_type_uint;
  to.type.bits = 16;
  argv[0] = &from;
  argv[1] = &to;
  return block->job->path->tiles[block->kind].transform_input(argv) == 0 ? TCONV_OK : TCONV_ERROR_KERNEL;
}

/* Transforms that window. */
static inline int tconv_transform_loaded(const tconv_tile_block *block, const tconv_tile_range *range,
                                         const tconv_window *window) {
  const int64_t channels = block->job->layer->in_channels;
  const float *data = window->data;
  halide_dimension_t window_dim[1 + TCONV_MAX_RANK], transformed_dim[TCONV_TILE_DIMS];
  halide_buffer_t from, to;
  void *argv[2];
  int i;
  tconv_set_dim(&window_dim[0], channels, window->channel_stride);
  for (i = 0; i < TCONV_MAX_RANK; ++i) {
    const int d = TCONV_MAX_RANK - 1 - i;
    const int64_t skip = block->grid.dim[d].low - block->job->blocks.low[d];
    tconv_set_dim(&window_dim[1 + i], window->extent[d] - skip, window->stride[d]);
    data += skip * window->stride[d];
  }
  tconv_set_tile_dims(&block->grid, range, channels / tconv_channel_parts(&block->job->kernel->tiling, 0),
                      block->row_floats, block->all.count, block->point_floats, transformed_dim);
  from = tconv_buffer(data, 1 + TCONV_MAX_RANK, window_dim);
  to = tconv_buffer(block->transformed + tconv_first_tile(range->first, block->all.count) * block->row_floats,
                    TCONV_TILE_DIMS, transformed_dim);
  argv[0] = &from;
  argv[1] = &to;
  return block->job->path->tiles[block->kind].transform_input(argv) == 0 ? TCONV_OK : TCONV_ERROR_KERNEL;
}

static inline int tconv_transform_window(const tconv_tile_block *block, const tconv_tile_range *range) {
  tconv_window window;
  const int status = tconv_load_tiles(block, range, &window);
  if (status != TCONV_OK) return status;
  return block->job->kernel->tiling.bf16x3 ? tconv_split_loaded(block, range, &window)
                                           : tconv_transform_loaded(block, range, &window);
}

/* Transforms the windows of all tiles: slab by slab those that hang over an edge of the input, which are copied, then
 * the rest in place. */
static inline int tconv_transform_in_place(const tconv_tile_block *block) {
  const tconv_blocks *blocks = &block->job->blocks;
  const int split = block->job->kernel->tiling.bf16x3;
  tconv_tile_range rest = block->all;
  int d, behind;
  for (d = 0; d < TCONV_MAX_RANK; ++d)
    for (behind = 0; behind < 2; ++behind) {
      const tconv_tiles *tiles = &block->grid.dim[d];
      const int64_t start = block->start[d] + rest.first[d];
      const int64_t first = tconv_ceil_div(tconv_max(-tiles->low, 0), tiles->outputs);
      const int64_t window = split ? tconv_split_extent(blocks, d, 1) : tiles->outputs + tiles->taps - 1;
      const int64_t room = block->job->dims.dim[d].in - tiles->low - window;
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

/* Transforms the windows of all kinds of a task from one, where they are several; what is split serves all kinds. */
static inline int tconv_transform_windows(const tconv_tile_block *blocks, int count) {
  tconv_window window;
  int i, status;
  if (!blocks->job->kernel->tiling.transpose_input) return tconv_transform_in_place(blocks);
  if (blocks->job->kernel->tiling.bf16x3) return tconv_transform_window(blocks, &blocks->all);
  status = tconv_load_tiles(blocks, &blocks->all, &window);
  for (i = 0; status == TCONV_OK && i < count; ++i)
    status = tconv_transform_loaded(&blocks[i], &blocks[i].all, &window);
  return status;
}

/* The products function whose register tiles waste least of such a row. */
static inline int tconv_find_products(const tconv_tile_functions *functions, int64_t row) {
  int i, best = 0;
  for (i = 1; i < functions->products_count; ++i)
    if (tconv_round_up(row, functions->rows[i]) < tconv_round_up(row, functions->rows[best])) best = i;
  return best;
}

/* The outputs of a range of tiles, (column, in the tile x, y, z, tile x, y, z). */
static inline halide_buffer_t tconv_target_buffer(const tconv_tile_block *block, const tconv_tile_range *range,
                                                  const tconv_tile_target *target, halide_dimension_t *dims) {
  halide_buffer_t output;
  int i;
  tconv_set_dim(&dims[0], target->channels, target->channel_stride);
  for (i = 0; i < TCONV_MAX_RANK; ++i) {
    const int d = TCONV_MAX_RANK - 1 - i;
    const int64_t inside = block->grid.dim[d].outputs * block->grid.dim[d].paired;
    tconv_set_dim(&dims[1 + i], inside, target->stride[d]);
    tconv_set_dim(&dims[1 + TCONV_MAX_RANK + i], range->count[d], inside * target->stride[d]);
  }
  output = tconv_buffer(NULL, TCONV_TILE_DIMS, dims);
  output.host = (uint8_t *)target->data;
  return output;
}

/* One panel's products of the tiles of a range, whose outputs then go to `written`. */
static inline int tconv_multiply_panel(const tconv_tile_block *block, const tconv_tile_range *range, int64_t group,
                                       const float *weights, halide_buffer_t *written) {
  const tconv_tile_functions *functions = &block->job->path->tiles[block->kind];
  const tconv_tiling *tiling = &block->job->kernel->tiling;
  const int64_t inputs = tconv_tile_inputs(tiling, block->job->layer), panel = tiling->panel;
  const int64_t tiles = range->count[0] * range->count[1] * range->count[2], *stored = block->all.count;
  halide_dimension_t from_dim[2 + TCONV_MAX_RANK], weights_dim[3], to_dim[2 + TCONV_MAX_RANK];
  halide_buffer_t from, by, to;
  void *argv[4];
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
  argv[2] = written;
  argv[3] = &to;
  return functions->products[chosen](argv) == 0 ? TCONV_OK : TCONV_ERROR_KERNEL;
}

/* One panel's sums of a range of tiles, in the order of the window's positions, of which those between the rows of
 * tiles are computed along with them. */
static inline int tconv_sum_panel(const tconv_tile_block *block, const tconv_tile_range *range, const float *weights) {
  const tconv_blocks *blocks = &block->job->blocks;
  const int64_t *stored = block->stored, panel = block->job->kernel->tiling.panel;
  int64_t first[TCONV_MAX_RANK], last[TCONV_MAX_RANK], positions, stride = block->row_floats;
  halide_dimension_t from_dim[2 + TCONV_MAX_RANK], weights_dim, to_dim[2];
  halide_buffer_t from, by, to;
  void *argv[3];
  int i;
  for (i = 0; i < TCONV_MAX_RANK; ++i) {
    const int d = TCONV_MAX_RANK - 1 - i;
    first[d] = range->first[d] + block->grid.dim[d].low - blocks->low[d];
    last[d] = range->count[d] - 1;
    tconv_set_dim(&from_dim[2 + i], block->grid.dim[d].points, stride);
    stride *= stored[d];
  }
  positions = tconv_first_tile(last, stored) + 1;
  tconv_set_dim(&from_dim[0], block->row_floats, 1);
  tconv_set_dim(&from_dim[1], positions, block->row_floats);
  tconv_set_dim(&weights_dim, block->grid.points * panel * tconv_split_floats(block->job->layer->in_channels), 1);
  tconv_set_dim(&to_dim[0], panel, 1);
  tconv_set_dim(&to_dim[1], positions, panel);
  from = tconv_buffer(block->transformed + tconv_first_tile(first, stored) * block->row_floats, 2 + TCONV_MAX_RANK,
                      from_dim);
  by = tconv_buffer(weights, 1, &weights_dim);
  to = tconv_buffer(block->products, 2, to_dim);
  argv[0] = &from;
  argv[1] = &by;
  argv[2] = &to;
  return block->job->path->tiles[block->kind].products[0](argv) == 0 ? TCONV_OK : TCONV_ERROR_KERNEL;
}

/* Writes the outputs of one panel to `output`, the target's. */
static inline int tconv_transform_panel(const tconv_tile_block *block, const tconv_tile_range *range, const float *bias,
                                        const tconv_tile_target *target, halide_buffer_t *output) {
  const tconv_job *job = block->job;
  const int64_t panel = job->kernel->tiling.panel;
  const int64_t *stored = job->kernel->tiling.bf16x3 ? block->stored : range->count;
  const int64_t tiles = stored[0] * stored[1] * stored[2];
  halide_dimension_t from_dim[TCONV_TILE_DIMS], bias_dim;
  halide_buffer_t products, biases;
  void *argv[3 + 2 * TCONV_MAX_RANK];
  int i;
  tconv_set_tile_dims(&block->grid, range, panel, panel, stored, tiles * panel, from_dim);
  for (i = 0; job->kernel->tiling.bf16x3 && i < TCONV_MAX_RANK; ++i)
    tconv_set_dim(&from_dim[1 + TCONV_MAX_RANK + i], 1, tiles * panel);
  tconv_set_dim(&bias_dim, panel, 1);
  for (i = 0; i < TCONV_MAX_RANK; ++i) {
    argv[2 + i] = (void *)&target->first[TCONV_MAX_RANK - 1 - i];
    argv[2 + TCONV_MAX_RANK + i] = (void *)&target->extent[TCONV_MAX_RANK - 1 - i];
  }
  products = tconv_buffer(block->products, TCONV_TILE_DIMS, from_dim);
  biases = tconv_buffer(bias, 1, &bias_dim);
  argv[0] = &products;
  argv[1] = &biases;
  argv[2 + 2 * TCONV_MAX_RANK] = output;
  return job->path->tiles[block->kind].transform_output(argv) == 0 ? TCONV_OK : TCONV_ERROR_KERNEL;
}

#ifdef __cplusplus
}
#endif

#endif
