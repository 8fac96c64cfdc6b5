/* How the driver cuts a call into tasks, and the window of the input that a task reads.
 *
 * A task is a block of output positions of one image, in one class or in all of them; of Winograd's method, in a share
 * of the units, which are the panels of all groups and phases. A window that lies inside the
 * input is read in place; one that hangs over an edge is copied, with zeros around it, to the worker's workspace.
 */
#ifndef TCONV_BLOCKS_H
#define TCONV_BLOCKS_H

#include "tconv/packing.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Blocks of a call: [0] is the outermost of always three dimensions. */
typedef struct tconv_blocks {
  int64_t quotients[TCONV_MAX_RANK]; /* output positions of one phase, at most */
  int64_t size[TCONV_MAX_RANK];
  int64_t count[TCONV_MAX_RANK];
  int64_t low[TCONV_MAX_RANK];          /* the window of a block starts `low` before it (0 or less) ... */
  int64_t high[TCONV_MAX_RANK];         /* ... and ends `high` behind it */
  int64_t first_output[TCONV_MAX_RANK]; /* the outputs of a block start so far from its start times the stride */
  int64_t parts; /* tasks of a block: 1, or one a class; Winograd's method: shares of the units */
  int64_t tasks;
  int64_t window_floats; /* of one worker's copy of a window; 0 where every window can be read in place */
  int64_t output_floats; /* of the outputs of a block, where they are not written in place */
  int64_t worker_floats; /* workspace of one worker */
  int64_t begin, end;    /* in TCONV_COST, what the tasks of all kinds cost: where those of this one do */
  int shifts_tiles;      /* tconv_shifts_tiles() */
} tconv_blocks;

/* Where a worker's memory starts, in bytes: a cache line. */
enum { TCONV_ALIGNMENT = 64 };

/* The blocks of all kinds of phases (winograd.h), each cut on its own; kind 0 alone in other methods. */
typedef struct tconv_cuts {
  tconv_blocks blocks[TCONV_TILE_KINDS];
  int64_t workers;
  int64_t worker_floats; /* of the kind that has most */
} tconv_cuts;

/* Workspace of all workers together, 0 where none is needed. */
static inline size_t tconv_cuts_bytes(const tconv_cuts *cuts) {
  if (cuts->worker_floats == 0) return 0;
  return (size_t)(cuts->worker_floats * cuts->workers) * sizeof(float) + TCONV_ALIGNMENT;
}

/* A call with everything that its tasks share. */
typedef struct tconv_job {
  const tconv_kernel *kernel;
  const tconv_layer *layer;
  const tconv_call *call;
  const tconv_path *path;
  const float *packed;
  tconv_dims dims;
  const tconv_cuts *cuts;
  int kind;            /* of phases, in Winograd's method: whose tasks these are */
  tconv_blocks blocks; /* of the kind */
} tconv_job;

/* Whether register tiles of united phases stay inside the output, the last of a row shifted to its end. */
static inline int tconv_shifts_tiles(const tconv_tiling *tiling, const tconv_path *path, const tconv_layer *layer,
                                     const tconv_dims *dims) {
  int d;
  if (!tconv_unites_phases(tiling)) return 0;
  for (d = 0; d < layer->rank; ++d)
    if (layer->size[d] == TCONV_UNSET) return 0;
  for (d = 0; d < TCONV_MAX_RANK; ++d)
    if (dims->dim[d].out % dims->dim[d].stride != 0 || dims->dim[d].out / dims->dim[d].stride < path->tile[d]) return 0;
  return 1;
}

/* Positions of so many that register tiles cover. */
static inline int64_t tconv_tiled(const tconv_blocks *blocks, const tconv_path *path, int d, int64_t size) {
  return blocks->shifts_tiles ? size : tconv_round_up(size, path->tile[d]);
}

static inline int64_t tconv_window_extent(const tconv_blocks *blocks, const tconv_path *path, int d, int64_t size) {
  return tconv_tiled(blocks, path, d, size) + blocks->high[d] - blocks->low[d];
}

/* A window has to be addressed with 32 bits. */
#define TCONV_WINDOW_TOO_LARGE ((int64_t)1 << 31)

static inline int64_t tconv_block_floats(const tconv_blocks *blocks, const tconv_path *path, const tconv_layer *layer) {
  int64_t floats = layer->in_channels;
  int d;
  for (d = 0; d < TCONV_MAX_RANK; ++d) {
    const int64_t extent = tconv_window_extent(blocks, path, d, blocks->size[d]);
    if (floats > INT32_MAX / extent) return TCONV_WINDOW_TOO_LARGE;
    floats *= extent;
  }
  return floats;
}

/* Whether outputs are written beside their places first. */
static inline int tconv_stages_outputs(const tconv_blocks *blocks, const tconv_tiling *tiling) {
  return tiling->transpose_output || (tconv_unites_phases(tiling) && !blocks->shifts_tiles);
}

/* Floats of the outputs that are written so, to be transposed or copied: those of a block, of one panel
 * of it by Winograd's method unless phases are merged; 0 where outputs are written in place. */
static inline int64_t tconv_block_output_floats(const tconv_blocks *blocks, const tconv_tiling *tiling,
                                                const tconv_layer *layer, const tconv_dims *dims) {
  const int panels = tconv_is_winograd(tiling) && !tconv_merges_columns(tiling);
  const int64_t channels = panels ? tiling->panel : layer->out_channels;
  int64_t floats = tconv_stages_outputs(blocks, tiling) ? channels : 0;
  int d;
  for (d = 0; d < TCONV_MAX_RANK; ++d) {
    const int64_t extent = blocks->size[d] * dims->dim[d].stride;
    if (floats > INT32_MAX / tconv_max(extent, 1)) return TCONV_WINDOW_TOO_LARGE;
    floats *= extent;
  }
  return floats;
}

/* Whether the last block of a dimension is large enough for tiles that are shifted. */
static inline int tconv_holds_tiles(const tconv_blocks *blocks, const tconv_path *path, int d, int64_t size) {
  const int64_t rest = blocks->quotients[d] % size;
  return !blocks->shifts_tiles || rest == 0 || rest >= path->tile[d];
}

/* Halves the outermost dimension that still can be; 0 when none can. */
static inline int tconv_halve_block(tconv_blocks *blocks, const tconv_path *path) {
  int d;
  for (d = 0; d < TCONV_MAX_RANK; ++d) {
    int64_t size = tconv_round_up(tconv_ceil_div(blocks->size[d], 2), path->tile[d]);
    while (size < blocks->size[d] && !tconv_holds_tiles(blocks, path, d, size)) size += path->tile[d];
    if (size < blocks->size[d]) {
      blocks->size[d] = size;
      return 1;
    }
  }
  return 0;
}

static inline int64_t tconv_count_blocks(tconv_blocks *blocks) {
  int64_t all = 1;
  int d;
  for (d = 0; d < TCONV_MAX_RANK; ++d) {
    blocks->count[d] = tconv_ceil_div(blocks->quotients[d], blocks->size[d]);
    all *= blocks->count[d];
  }
  return all;
}

/* How far the windows of a dimension reach before and behind a block, over all its phases. Returns their runs. */
static inline int64_t tconv_reach(const tconv_tiling *tiling, const tconv_dims *dims, int d, int64_t *low,
                                  int64_t *high) {
  int64_t r, runs = 0;
  tconv_run run;
  *low = *high = 0;
  for (r = 0; r < dims->dim[d].stride; r += run.count, ++runs) {
    run = tconv_class_run(tiling, dims, d, r);
    if (run.taps == 0 || r >= dims->dim[d].out) continue;
    *low = tconv_min(*low, run.offset);
    *high = tconv_max(*high, run.offset + (run.taps - 1) * run.step);
  }
  return runs;
}

/* Whether windows are copied wherever they lie. Each panel of united phases reads its window again, of which rows in
 * planes that are a power of two apart would not stay in the cache. */
static inline int tconv_copies_windows(const tconv_tiling *tiling, const tconv_layer *layer, const tconv_dims *dims) {
  return tiling->transpose_input ||
         (tconv_unites_phases(tiling) && layer->out_channels > tconv_united_filters(tiling, dims));
}

/* 1 when no window of any block leaves the input, so that none is copied. */
static inline int tconv_reads_in_place(const tconv_blocks *blocks, const tconv_path *path, const tconv_dims *dims) {
  int d;
  for (d = 0; d < TCONV_MAX_RANK; ++d) {
    const int64_t last = tconv_max(blocks->count[d] - 1, 0) * blocks->size[d];
    const int64_t rest = tconv_tiled(blocks, path, d, blocks->quotients[d] - last);
    if (blocks->low[d] < 0 || last + rest + blocks->high[d] > dims->dim[d].in) return 0;
  }
  return 1;
}

/* What follows from the blocks and their parts. */
static inline void tconv_set_tasks(const tconv_tiling *tiling, const tconv_path *path, const tconv_layer *layer,
                                   const tconv_dims *dims, int64_t images, tconv_blocks *blocks) {
  const int in_place = !tconv_copies_windows(tiling, layer, dims) && tconv_reads_in_place(blocks, path, dims);
  blocks->tasks = blocks->parts * images;
  blocks->window_floats = in_place ? 0 : tconv_round_up(tconv_block_floats(blocks, path, layer), 16);
  blocks->output_floats = tconv_round_up(tconv_block_output_floats(blocks, tiling, layer, dims), 16);
}

static inline void tconv_cut_classes(const tconv_kernel *kernel, const tconv_path *path, const tconv_layer *layer,
                                     const tconv_dims *dims, int64_t batch, int64_t threads, tconv_blocks *blocks) {
  const tconv_tiling *tiling = &kernel->tiling;
  const int64_t budget = tiling->block_bytes / (int64_t)sizeof(float);
  int64_t classes = 1, per_image;
  int d;
  blocks->shifts_tiles = tconv_shifts_tiles(tiling, path, layer, dims);
  for (d = 0; d < TCONV_MAX_RANK; ++d) {
    const tconv_dim *dim = &dims->dim[d];
    blocks->quotients[d] = tconv_ceil_div(dim->out, dim->stride);
    blocks->size[d] = tconv_max(tconv_round_up(blocks->quotients[d], path->tile[d]), 1);
    classes *= tconv_reach(tiling, dims, d, &blocks->low[d], &blocks->high[d]);
    blocks->first_output[d] = 0;
  }
  while ((tconv_block_floats(blocks, path, layer) > budget ||
          tconv_block_output_floats(blocks, tiling, layer, dims) > 2 * budget) &&
         tconv_halve_block(blocks, path))
    continue;
  /* All classes in one task read a window once; a task each keeps a class's weights in the cache. */
  blocks->parts = !tiling->transpose_output && tconv_packed_floats(tiling, layer, dims) > budget ? classes : 1;
  per_image = tconv_count_blocks(blocks);
  while (threads > 1 && blocks->parts * batch * per_image < 2 * threads && tconv_halve_block(blocks, path))
    per_image = tconv_count_blocks(blocks);
  tconv_set_tasks(tiling, path, layer, dims, batch * per_image, blocks);
  blocks->worker_floats = blocks->window_floats + blocks->output_floats;
}

static inline int64_t tconv_block_tiles(const tconv_blocks *blocks, const tconv_tile_grid *grid) {
  int64_t tiles = 1;
  int d;
  for (d = 0; d < TCONV_MAX_RANK; ++d) tiles *= blocks->size[d] / grid->dim[d].outputs;
  return tiles;
}

/* Floats of the transformed input of a block, and of the products of one panel behind it. */
static inline int64_t tconv_transformed_floats(const tconv_blocks *blocks, const tconv_tiling *tiling,
                                               const tconv_layer *layer, const tconv_tile_grid *grid) {
  return tconv_round_up(grid->points * tconv_point_floats(tiling, layer, tconv_block_tiles(blocks, grid)), 16);
}
static inline int64_t tconv_products_floats(const tconv_blocks *blocks, const tconv_tiling *tiling,
                                            const tconv_tile_grid *grid) {
  return tconv_round_up(grid->points * tiling->panel * tconv_block_tiles(blocks, grid), 16);
}

/* Of merged phases: floats of the outputs of one panel, all positions of a block, before they are put in their places.
 */
static inline int64_t tconv_staged_floats(const tconv_blocks *blocks, const tconv_tiling *tiling) {
  const int64_t positions = blocks->size[0] * blocks->size[1] * blocks->size[2];
  return tconv_merges_columns(tiling) ? tconv_round_up(positions * tiling->panel, 16) : 0;
}

/* Positions of the window of a block that is split (bf16x3.h), in one dimension. */
static inline int64_t tconv_split_extent(const tconv_blocks *blocks, int d, int64_t size) {
  return size + blocks->high[d] - blocks->low[d];
}
static inline int64_t tconv_split_positions(const tconv_blocks *blocks) {
  int64_t positions = 1;
  int d;
  for (d = 0; d < TCONV_MAX_RANK; ++d) positions *= tconv_split_extent(blocks, d, blocks->size[d]);
  return positions;
}

/* Floats of all kinds of a task: a block's transformed input, and its products of one panel, which the kinds compute in
 * turn. A window that is split serves all kinds; sums are there for all its positions. */
typedef struct tconv_task_floats {
  int64_t transformed, products;
} tconv_task_floats;

static inline tconv_task_floats tconv_find_task_floats(const tconv_blocks *blocks, const tconv_tiling *tiling,
                                                       const tconv_layer *layer, const tconv_task_kinds *kinds) {
  tconv_task_floats floats = {0, 0};
  int i;
  if (tiling->bf16x3) {
    const int64_t positions = tconv_split_positions(blocks);
    floats.transformed = (positions + TCONV_SPLIT_ROWS) * tconv_split_row_floats(layer->in_channels);
    floats.products = (positions + TCONV_SPLIT_ROWS) * tiling->panel;
    return floats;
  }
  for (i = 0; i < kinds->count; ++i) {
    floats.transformed += tconv_transformed_floats(blocks, tiling, layer, &kinds->grid[i]);
    floats.products = tconv_max(floats.products, tconv_products_floats(blocks, tiling, &kinds->grid[i]));
  }
  return floats;
}

/* What should stay in the second-level cache. With many columns for few input channels, what one panel writes is more
 * than what it reads. */
static inline int64_t tconv_held_floats(const tconv_blocks *blocks, const tconv_tiling *tiling,
                                        const tconv_layer *layer, const tconv_task_kinds *kinds) {
  const tconv_task_floats floats = tconv_find_task_floats(blocks, tiling, layer, kinds);
  if (!tconv_merges_columns(tiling)) return floats.transformed;
  return floats.transformed + floats.products + tconv_staged_floats(blocks, tiling);
}

/* Cuts the outermost dimension that still can be into one block more, all of about one size; 0 when none can. Whole
 * rows of tiles are kept as long as may be, and cut where a register tile ends. */
static inline int tconv_cut_tiles_once(tconv_blocks *blocks, int64_t rows, const tconv_tile_grid *grid) {
  int d;
  for (d = 0; d < TCONV_MAX_RANK; ++d) {
    const tconv_tiles *tiles = &grid->dim[d];
    const int64_t size = blocks->size[d] / tiles->outputs;
    const int64_t step = d == TCONV_MAX_RANK - 1 && size > rows ? rows : 1;
    /* Few tiles to a block are many blocks: the next count that changes the size. */
    const int64_t most = (size - 1) / step * step;
    const int64_t even = tconv_ceil_div(tiles->count, tconv_ceil_div(tiles->count, size) + 1);
    if (size <= 1) continue;
    blocks->size[d] = tconv_min(tconv_round_up(even, step), most) * tiles->outputs;
    return 1;
  }
  return 0;
}

/* What the blocks of dimension `d` take from all kinds of a task. Their size is a multiple of `unit`; no window starts
 * before those of the first kind. */
static inline void tconv_span_kinds(const tconv_tiling *tiling, const tconv_dim *dim, const tconv_task_kinds *kinds,
                                    int d, tconv_blocks *blocks) {
  const int64_t unit = kinds->grid[0].dim[d].outputs;
  int i;
  blocks->quotients[d] = blocks->first_output[d] = 0;
  blocks->low[d] = blocks->high[d] = kinds->grid[0].dim[d].low;
  for (i = 0; i < kinds->count; ++i) {
    const tconv_tiles *tiles = &kinds->grid[i].dim[d];
    blocks->quotients[d] = tconv_max(blocks->quotients[d], tconv_round_up(tiles->count * tiles->outputs, unit));
    blocks->high[d] = tconv_max(blocks->high[d], tiles->low + tiles->taps - 1);
    if (tiling->transpose_output || tconv_merges_columns(tiling))
      blocks->first_output[d] = tconv_min(blocks->first_output[d], tconv_first_tile_output(dim, tiles));
  }
  blocks->size[d] = tconv_max(blocks->quotients[d], unit);
}

/* Whether no thread has a tenth more than its share of the positions, in tasks of which a block has `each`: the last
 * block of an image may be smaller than the others. */
static inline int tconv_is_even(const tconv_blocks *blocks, int64_t each, int64_t threads) {
  const int64_t tasks = each * blocks->count[0] * blocks->count[1] * blocks->count[2];
  double all = (double)each, missing;
  int64_t i;
  int d;
  for (d = 0; d < TCONV_MAX_RANK; ++d) all *= (double)blocks->quotients[d] / (double)blocks->size[d];
  missing = (double)tasks - all < 1 ? (double)tasks - all : 1;
  for (i = 0; i < threads; ++i) {
    double share = (double)(tasks * (i + 1) / threads - tasks * i / threads);
    if (i == threads - 1) share -= missing;
    if (share > 1.1 * all / (double)threads) return 0;
  }
  return 1;
}

/* Cuts no row of tiles, and nothing unless that makes the shares even. */
static inline void tconv_even_out(tconv_blocks *blocks, int64_t rows, const tconv_tile_grid *grid, int64_t each,
                                  int64_t threads) {
  tconv_blocks cut = *blocks;
  while (!tconv_is_even(&cut, each, threads)) {
    if (!tconv_cut_tiles_once(&cut, rows, grid)) return;
    if (cut.size[TCONV_MAX_RANK - 1] != blocks->size[TCONV_MAX_RANK - 1]) return;
    tconv_count_blocks(&cut);
  }
  *blocks = cut;
}

/* Blocks of whole tiles, in positions of the shared window. A task of a part of the units reads all of the window and
 * its share of the weights, a task of a part of the tiles the reverse: the smaller of the two is read more than once.
 */
static inline void tconv_cut_tiles(const tconv_kernel *kernel, const tconv_path *path, const tconv_layer *layer,
                                   const tconv_dims *dims, int kind, int64_t batch, int64_t threads,
                                   tconv_blocks *blocks) {
  const tconv_tiling *tiling = &kernel->tiling;
  const tconv_tile_functions *functions = &path->tiles[kind];
  const int64_t budget = tiling->block_bytes / (int64_t)sizeof(float);
  tconv_task_kinds kinds;
  const tconv_tile_grid *const grid = kinds.grid;
  tconv_task_floats floats;
  int64_t per_image, weights = 0, slack = 0;
  int i, d;
  tconv_find_task_kinds(tiling, layer, dims, kind, &kinds);
  for (i = 0; i < kinds.count; ++i) weights += layer->groups * kinds.grid[i].phases * kinds.grid[i].phase_floats;
  blocks->shifts_tiles = 0;
  for (d = 0; d < TCONV_MAX_RANK; ++d) tconv_span_kinds(tiling, &dims->dim[d], &kinds, d, blocks);
  while (tconv_held_floats(blocks, tiling, layer, &kinds) > budget &&
         tconv_cut_tiles_once(blocks, functions->rows[0], grid))
    continue;
  per_image = tconv_count_blocks(blocks);
  blocks->parts = 1;
  floats = tconv_find_task_floats(blocks, tiling, layer, &kinds);
  if (batch * per_image < 2 * threads && weights > floats.transformed)
    blocks->parts = tconv_min(threads, tconv_tile_units(tiling, layer, grid));
  while (blocks->parts < threads && batch * per_image * blocks->parts < 2 * threads &&
         tconv_cut_tiles_once(blocks, functions->rows[0], grid))
    per_image = tconv_count_blocks(blocks);
  if (blocks->parts < threads) tconv_even_out(blocks, functions->rows[0], grid, batch * blocks->parts, threads);
  per_image = tconv_count_blocks(blocks);
  tconv_set_tasks(tiling, path, layer, dims, batch * per_image, blocks);
  for (i = 0; !tiling->bf16x3 && i < functions->products_count; ++i) slack = tconv_max(slack, functions->rows[i]);
  floats = tconv_find_task_floats(blocks, tiling, layer, &kinds);
  blocks->worker_floats = blocks->window_floats + blocks->output_floats + floats.transformed +
                          slack * tconv_tile_row_floats(tiling, layer) + floats.products +
                          tconv_staged_floats(blocks, tiling);
}

#ifdef __cplusplus
}
#endif

#endif
