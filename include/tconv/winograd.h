/* Winograd's minimal filtering (minimal_filter.h) for the phases of a transposed convolution: the tiles that all phases
 * of a layer share.
 *
 * F(m, r), nested, once for each dimension, computes tiles of outputs. The phases of a layer have kernels of equal
 * length over inputs that lie one apart at most; with each phase's tiles shifted by that distance, tile t of every
 * phase reads the same window, in[low + m * t] and on. So the input is transformed once for all phases.
 *
 * A dimension has two sorts of phases: those with as many taps as the longest and those with one fewer; where all have
 * as many, those whose windows start first and those whose windows start one position behind. The second sort either
 * shares the tiles of the first, shorter kernels filled up with zeros, or has tiles of its own, so that no tile hangs
 * over an end of the output for another phase's sake: a kind of phases is a set of dimensions in which they are of the
 * second sort, and each kind has its tiles and its packed weights. Each kind has tasks of its own, too, but for outputs
 * that are transposed: there every task computes all kinds from one window, whose blocks are cut alike, so that tiles
 * of the second sort have as many outputs as those of the first or a divisor of that.
 *
 * Phases with few filters would fill neither vectors nor panels. Where they are merged, one product has the columns of
 * all of them, in the order in which the outputs of one position follow one another.
 *
 * Rounding: an output's error depends on its whole tile, so it is stated relative to the largest sum of the products'
 * magnitudes that any output of the layer has. In these terms it is bounded by what the direct sum may have, times
 * tconv_filter_error() of each dimension; the tests hold kernels to it. Beside sums over vectors of input
 * channels, which are shorter than direct's (lane_sums), F(4, 3) in two dimensions had 8 times the error.
 */
#ifndef TCONV_WINOGRAD_H
#define TCONV_WINOGRAD_H

#include "tconv/bf16x3.h"
#include "tconv/classes.h"
#include "tconv/minimal_filter.h"
#include "tconv/strassen.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The kinds of phases: bit d is set where they are of the second sort in dimension d. */
enum { TCONV_TILE_KINDS = 1 << TCONV_MAX_RANK };

/* The tiles of one dimension, those of all its phases of a kind. */
typedef struct tconv_tiles {
  int64_t outputs, taps, points; /* of a tile, in one phase */
  int64_t first, phases;         /* tconv_nth_phase() */
  int64_t paired;                /* phases that are computed together: 1, or 2 half a stride apart (strassen.h) */
  int64_t low;                   /* where the window of tile 0 starts in the input */
  int64_t count;
} tconv_tiles;

/* A phase among these tiles: output j of tile t is the phase's output outputs * t + j - shift. Of the tile's taps,
 * the kernel's own start behind `lead` zeros. */
typedef struct tconv_tile_phase {
  tconv_run run;
  int64_t shift, lead;
  int64_t first, end; /* tiles that have outputs */
} tconv_tile_phase;

static inline int tconv_is_winograd(const tconv_tiling *tiling) {
  return tiling->tile_outputs[0][TCONV_MAX_RANK - 1] > 0;
}

/* Whether the columns of all phases are one matrix. */
static inline int tconv_merges_columns(const tconv_tiling *tiling) {
  return tconv_is_winograd(tiling) && tiling->merge_phases;
}

/* Whether the functions need tconv_path.copy: for windows or outputs of their own layout, or for what is staged. */
static inline int tconv_copies(const tconv_tiling *tiling) {
  return !tiling->transpose_input || !tiling->transpose_output || tconv_merges_columns(tiling);
}

/* Kind 0 is always there, also for other methods. */
static inline int tconv_has_kind(const tconv_tiling *tiling, int kind) {
  int d;
  for (d = 0; d < TCONV_MAX_RANK; ++d)
    if ((kind >> d & 1) && tiling->tile_outputs[1][d] == 0) return 0;
  return 1;
}

/* Outputs of all phases are transposed together, and numbers are split once for all of them: so are all kinds computed,
 * in the tasks of kind 0. */
static inline int tconv_joins_kinds(const tconv_tiling *tiling) { return tiling->transpose_output || tiling->bf16x3; }

/* Whether a kind has tasks of its own. */
static inline int tconv_has_tasks(const tconv_tiling *tiling, int kind) {
  return tconv_has_kind(tiling, kind) && (kind == 0 || !tconv_joins_kinds(tiling));
}

/* Whether Strassen's blocks pair the positions and phases of a dimension, and halve the channels. */
static inline int tconv_is_paired(const tconv_tiling *tiling, int d) {
  return tiling->strassen && tiling->tile_outputs[0][d] == TCONV_STRASSEN_SIDE;
}

/* The parts of the input channels that the paired dimensions from `first` on make. */
static inline int64_t tconv_channel_parts(const tconv_tiling *tiling, int first) {
  int64_t parts = 1;
  int d;
  for (d = first; d < TCONV_MAX_RANK; ++d)
    if (tconv_is_paired(tiling, d)) parts *= TCONV_STRASSEN_SIDE;
  return parts;
}

/* Input channels of a group in one product, and how far apart the halves of a paired dimension lie. */
static inline int64_t tconv_tile_inputs(const tconv_tiling *tiling, const tconv_layer *layer) {
  return tconv_group_inputs(layer) / tconv_channel_parts(tiling, 0);
}
static inline int64_t tconv_half_distance(const tconv_tiling *tiling, const tconv_layer *layer, int d) {
  return tconv_tile_inputs(tiling, layer) * tconv_channel_parts(tiling, d + 1);
}

/* The longest kernel among the phases. */
static inline int64_t tconv_most_taps(const tconv_dim *dim) {
  return tconv_ceil_div(dim->kernel, dim->stride / tconv_gcd(dim->stride, dim->dilation));
}

/* Phase `index` of those that the tiles have, which follow each other round the stride: the longest first. */
static inline int64_t tconv_nth_phase(const tconv_dim *dim, const tconv_tiles *tiles, int64_t index) {
  return tconv_mod(tiles->first + index - dim->crop, dim->stride);
}

/* Whether phases differ in their number of taps. */
static inline int tconv_has_shorter_phases(const tconv_dim *dim) { return dim->kernel % dim->stride != 0; }

static inline tconv_tile_phase tconv_find_tile_phase(const tconv_dim *dim, const tconv_tiles *tiles, int64_t phase) {
  tconv_tile_phase found;
  int64_t start;
  found.run = tconv_phase(dim, phase);
  start = found.run.taps == 0 ? tiles->low : tconv_max(tiles->low, found.run.offset - (tiles->taps - found.run.taps));
  found.shift = start - tiles->low;
  found.lead = found.run.taps == 0 ? tiles->taps : found.run.offset - start;
  found.first = found.shift / tiles->outputs;
  found.end = found.run.extent > 0 ? tconv_ceil_div(found.run.extent + found.shift, tiles->outputs) : found.first;
  return found;
}

/* The tiles of a dimension whose dilation is 1, of the first sort of its phases or of the second. `outputs` is of the
 * first, `own` of the second, 0 where it shares the tiles of the first. In the order of tconv_nth_phase(), the phases
 * before `split` are those with a tap more or, where all have as many, those whose windows start one position behind.
 */
static inline tconv_tiles tconv_find_tiles(const tconv_dim *dim, int64_t outputs, int64_t own, int second) {
  tconv_tiles tiles;
  const int shorter = tconv_has_shorter_phases(dim);
  const int64_t split = tconv_mod(shorter ? dim->kernel : dim->crop, dim->stride);
  const int below = shorter != second;
  int64_t i;
  tiles.outputs = second ? own : outputs;
  tiles.taps = tconv_most_taps(dim) - (second && shorter);
  tiles.points = tiles.outputs + tiles.taps - 1;
  tiles.first = own > 0 && !below ? split : 0;
  tiles.paired = 1;
  tiles.phases = (own > 0 && below ? split : dim->stride) - tiles.first;
  tiles.low = TCONV_MAX_EXTENT;
  tiles.count = 0;
  for (i = 0; i < tiles.phases; ++i) {
    const tconv_run run = tconv_phase(dim, tconv_nth_phase(dim, &tiles, i));
    if (run.taps > 0) tiles.low = tconv_min(tiles.low, run.offset);
  }
  for (i = 0; i < tiles.phases; ++i)
    tiles.count = tconv_max(tiles.count, tconv_find_tile_phase(dim, &tiles, tconv_nth_phase(dim, &tiles, i)).end);
  return tiles;
}

/* Makes the tiles of phases half a stride apart one another's: both have the same shift and extent. */
static inline void tconv_pair_phases(tconv_tiles *tiles) {
  tiles->points = TCONV_STRASSEN_POINTS;
  tiles->paired = TCONV_STRASSEN_SIDE;
  tiles->phases /= TCONV_STRASSEN_SIDE;
}

/* Whether the second sort's tiles are those of the first, read elsewhere. */
static inline int tconv_sorts_are_alike(const tconv_dim *dim, int64_t outputs, int64_t own) {
  return outputs == own && !tconv_has_shorter_phases(dim);
}

/* Packed weights of one column and one point, in floats. */
static inline int64_t tconv_weight_floats(const tconv_tiling *tiling, const tconv_layer *layer) {
  return tiling->bf16x3 ? tconv_split_floats(tconv_group_inputs(layer)) : tconv_tile_inputs(tiling, layer);
}

/* Numbers of one kind of phases. */
typedef struct tconv_tile_grid {
  tconv_tiles dim[TCONV_MAX_RANK];
  int64_t points, taps, all_phases;
  int64_t phases;       /* that are computed apart: where they are merged 1, of which the following then is */
  int64_t columns;      /* of one phase of one group, in whole panels */
  int64_t phase_floats; /* packed weights of one phase of one group */
} tconv_tile_grid;

/* Columns of one phase that are outputs: the rest fills up the last panel. */
static inline int64_t tconv_tile_columns(const tconv_tiling *tiling, const tconv_layer *layer,
                                         const tconv_tile_grid *grid) {
  return tconv_group_outputs(layer) * (tconv_merges_columns(tiling) ? grid->all_phases : 1);
}

static inline tconv_tile_grid tconv_find_tile_grid(const tconv_tiling *tiling, const tconv_layer *layer,
                                                   const tconv_dims *dims, int kind) {
  tconv_tile_grid grid;
  int d;
  grid.points = grid.taps = grid.all_phases = 1;
  for (d = 0; d < TCONV_MAX_RANK; ++d) {
    grid.dim[d] =
        tconv_find_tiles(&dims->dim[d], tiling->tile_outputs[0][d], tiling->tile_outputs[1][d], kind >> d & 1);
    if (tconv_is_paired(tiling, d)) tconv_pair_phases(&grid.dim[d]);
    grid.points *= grid.dim[d].points;
    grid.taps *= grid.dim[d].taps;
    grid.all_phases *= grid.dim[d].phases;
  }
  grid.phases = tconv_merges_columns(tiling) ? 1 : grid.all_phases;
  grid.columns = tconv_round_up(tconv_tile_columns(tiling, layer, &grid), tiling->panel);
  grid.phase_floats = grid.columns * grid.points * tconv_weight_floats(tiling, layer);
  return grid;
}

/* The kinds that the tasks of one compute: itself, and those joined to it that have phases. */
typedef struct tconv_task_kinds {
  int count;
  int kind[TCONV_TILE_KINDS];
  tconv_tile_grid grid[TCONV_TILE_KINDS];
} tconv_task_kinds;

static inline void tconv_find_task_kinds(const tconv_tiling *tiling, const tconv_layer *layer, const tconv_dims *dims,
                                         int kind, tconv_task_kinds *kinds) {
  const int end = tconv_joins_kinds(tiling) ? TCONV_TILE_KINDS : kind + 1;
  int next;
  kinds->count = 1;
  kinds->kind[0] = kind;
  kinds->grid[0] = tconv_find_tile_grid(tiling, layer, dims, kind);
  for (next = kind + 1; next < end; ++next) {
    if (!tconv_has_kind(tiling, next)) continue;
    kinds->kind[kinds->count] = next;
    kinds->grid[kinds->count] = tconv_find_tile_grid(tiling, layer, dims, next);
    if (kinds->grid[kinds->count].phases > 0) ++kinds->count;
  }
}

/* Where the packed weights of a kind start, in floats; of TCONV_TILE_KINDS: where all end. */
static inline int64_t tconv_kind_weights(const tconv_tiling *tiling, const tconv_layer *layer, const tconv_dims *dims,
                                         int kind) {
  int64_t floats = tconv_bias_floats(tiling, layer, dims);
  int k;
  for (k = 0; k < kind; ++k)
    if (tconv_has_kind(tiling, k)) {
      const tconv_tile_grid grid = tconv_find_tile_grid(tiling, layer, dims, k);
      floats += layer->groups * grid.phases * grid.phase_floats;
    }
  return floats;
}

/* The panels of a phase. */
static inline int64_t tconv_phase_panels(const tconv_tiling *tiling, const tconv_tile_grid *grid) {
  return grid->columns / tiling->panel;
}

/* Where the weights of a panel of a group in one phase start among the kind's, in floats. Their order, [group][panel]
 * [phase], is that in which they are used. */
static inline int64_t tconv_panel_weights(const tconv_tiling *tiling, const tconv_layer *layer,
                                          const tconv_tile_grid *grid, int64_t group, int64_t panel, int64_t phase) {
  const int64_t before = (group * tconv_phase_panels(tiling, grid) + panel) * grid->phases + phase;
  return before * tiling->panel * grid->points * tconv_weight_floats(tiling, layer);
}

/* What is computed by one task: a panel of a group in one phase or, where their outputs are transposed together, in all
 * of them; of merged phases then all panels. */
static inline int64_t tconv_unit_phases(const tconv_tiling *tiling, const tconv_tile_grid *grid) {
  return tconv_joins_kinds(tiling) ? grid->phases : 1;
}
static inline int64_t tconv_unit_panels(const tconv_tiling *tiling, const tconv_tile_grid *grid) {
  return tiling->transpose_output && tconv_merges_columns(tiling) ? tconv_phase_panels(tiling, grid) : 1;
}
static inline int64_t tconv_tile_units(const tconv_tiling *tiling, const tconv_layer *layer,
                                       const tconv_tile_grid *grid) {
  return layer->groups * grid->phases * tconv_phase_panels(tiling, grid) /
         (tconv_unit_phases(tiling, grid) * tconv_unit_panels(tiling, grid));
}

/* Where the outputs of tile 0 start, those of all its phases taken together: 0 or less. The shifts of the phases leave
 * no gap between them, nor between those of the two sorts. */
static inline int64_t tconv_first_tile_output(const tconv_dim *dim, const tconv_tiles *tiles) {
  int64_t first = 0, i;
  for (i = 0; i < tiles->phases; ++i) {
    const int64_t phase = tconv_nth_phase(dim, tiles, i);
    first = tconv_min(first, phase - dim->stride * tconv_find_tile_phase(dim, tiles, phase).shift);
  }
  return first;
}

/* How many times direct's error the layer may have: see the top of this file. */
static inline double tconv_winograd_error(const tconv_tiling *tiling, const tconv_layer *layer,
                                          const tconv_dims *dims) {
  double most = 0;
  int kind, d;
  for (kind = 0; kind < TCONV_TILE_KINDS; ++kind)
    if (tconv_has_kind(tiling, kind)) {
      const tconv_tile_grid grid = tconv_find_tile_grid(tiling, layer, dims, kind);
      double error = 1;
      for (d = 0; d < TCONV_MAX_RANK; ++d)
        if (tconv_is_paired(tiling, d))
          error *= TCONV_STRASSEN_ERROR;
        else if (!tiling->bf16x3)
          error *= tconv_filter_error(grid.dim[d].outputs, grid.dim[d].taps);
      most = error > most ? error : most;
    }
  return most;
}

/* The phase of each dimension, of phase `index` of the grid: the innermost dimension runs fastest. */
static inline void tconv_split_phase(const tconv_dims *dims, const tconv_tile_grid *grid, int64_t index,
                                     tconv_tile_phase *phase) {
  int d;
  for (d = TCONV_MAX_RANK - 1; d >= 0; --d) {
    const tconv_tiles *tiles = &grid->dim[d];
    phase[d] =
        tconv_find_tile_phase(&dims->dim[d], tiles, tconv_nth_phase(&dims->dim[d], tiles, index % tiles->phases));
    index /= tiles->phases;
  }
}

/* Where the outputs of phase `index` come among those of all phases of a position, whose order is that of the output:
 * row by row of a block of stride x stride x stride. */
static inline int64_t tconv_phase_order(const tconv_dims *dims, const tconv_tile_grid *grid, int64_t index) {
  int64_t order = 0, scale = 1;
  int d;
  for (d = TCONV_MAX_RANK - 1; d >= 0; --d) {
    const tconv_dim *dim = &dims->dim[d];
    const tconv_tiles *tiles = &grid->dim[d];
    const int64_t phase = tconv_nth_phase(dim, tiles, index % tiles->phases);
    order += tconv_mod(phase - tconv_first_tile_output(dim, tiles), dim->stride) * scale;
    scale *= dim->stride;
    index /= tiles->phases;
  }
  return order;
}

/* Tiles of a range of `count` among `stored` ones as rows of a matrix, [2] the length of a row: rows that follow one
 * another in memory are one. */
static inline void tconv_join_tile_rows(const int64_t *stored, const int64_t *count, int64_t *joined) {
  int64_t row = 1;
  int d, whole = 1;
  for (d = TCONV_MAX_RANK - 1; d >= 0; --d) {
    joined[d] = whole ? 1 : count[d];
    if (whole) row *= count[d];
    whole = whole && count[d] == stored[d];
  }
  joined[TCONV_MAX_RANK - 1] = row;
}

/* Floats between the tiles of one transform point, and between the points. Neither is a large power of two, which
 * would put all rows of a register tile, or all points of a tile, into a few sets of the first-level cache. */
static inline int64_t tconv_tile_row_floats(const tconv_tiling *tiling, const tconv_layer *layer) {
  const int64_t floats = tconv_round_up(layer->in_channels / tconv_channel_parts(tiling, 0), 16);
  return floats % 512 == 0 ? floats + 16 : floats;
}
static inline int64_t tconv_point_floats(const tconv_tiling *tiling, const tconv_layer *layer, int64_t tiles) {
  return tiles * tconv_tile_row_floats(tiling, layer) + 16;
}

#ifdef __cplusplus
}
#endif

#endif
