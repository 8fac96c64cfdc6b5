/* From a framework's weights to the packed ones: class after class, or transformed for Winograd's tiles. Sizes and
 * contents depend on the kernel's tiling alone, not on the processor; the compiler bakes with the same functions.
 */
#ifndef TCONV_PACKING_H
#define TCONV_PACKING_H

#include "tconv/winograd.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Floats of the packed weights: bias, then all classes, or all kinds' phases. */
static inline int64_t tconv_packed_floats(const tconv_tiling *tiling, const tconv_layer *layer,
                                          const tconv_dims *dims) {
  tconv_class one;
  if (tconv_is_winograd(tiling)) return tconv_kind_weights(tiling, layer, dims, TCONV_TILE_KINDS);
  tconv_first_class(tiling, layer, dims, &one);
  while (tconv_next_class(tiling, layer, dims, &one)) continue;
  return one.weights;
}

/* Where the column's weights start, in elements of the framework's array, not counting the tap's share; -1 for a column
 * that only fills up a panel. */
static inline int64_t tconv_column_source(const tconv_tiling *tiling, const tconv_layer *layer, const tconv_class *one,
                                          const tconv_weight_strides *strides, int64_t column) {
  const int64_t phase_columns = tconv_phase_columns(tiling, layer);
  const int64_t out = column % phase_columns;
  const int lead = TCONV_MAX_RANK - layer->rank;
  int64_t phase = column / phase_columns;
  int64_t source = out * (tiling->group_columns ? strides->group : strides->out);
  int d;
  for (d = TCONV_MAX_RANK - 1; d >= lead; --d) {
    source += phase % one->run[d].count * strides->tap[d - lead];
    phase /= one->run[d].count;
  }
  return out < tconv_column_outputs(tiling, layer) && phase == 0 ? source : -1;
}

/* Of united phases, for the column and the tap; -1 also where the phase has no such tap. */
static inline int64_t tconv_united_source(const tconv_layer *layer, const tconv_dims *dims, const tconv_class *one,
                                          const tconv_weight_strides *strides, int64_t column, int64_t tap) {
  const int64_t phases = one->run[0].count * one->run[1].count * one->run[2].count, out = column / phases;
  const int lead = TCONV_MAX_RANK - layer->rank;
  int64_t phase = column % phases, source = out * strides->out;
  int d;
  if (out >= layer->out_channels) return -1;
  for (d = TCONV_MAX_RANK - 1; d >= lead; --d) {
    const tconv_run *run = &one->run[d];
    const int64_t of_kernel = run->first_tap + phase % run->count - tap % run->taps * run->tap_step;
    if (of_kernel < 0 || of_kernel >= dims->dim[d].kernel) return -1;
    source += of_kernel * strides->tap[d - lead];
    phase /= run->count;
    tap /= run->taps;
  }
  return source;
}

/* What the tap adds to it. */
static inline int64_t tconv_tap_source(const tconv_layer *layer, const tconv_class *one,
                                       const tconv_weight_strides *strides, int64_t tap) {
  const int lead = TCONV_MAX_RANK - layer->rank;
  int64_t source = 0;
  int d;
  for (d = TCONV_MAX_RANK - 1; d >= lead; --d) {
    const tconv_run *run = &one->run[d];
    source += (run->first_tap - tap % run->taps * run->tap_step) * strides->tap[d - lead];
    tap /= run->taps;
  }
  return source;
}

/* Where the weight of a column and a tap lies, but for the input channel's share; -1 where there is none. */
static inline int64_t tconv_source(const tconv_tiling *tiling, const tconv_layer *layer, const tconv_dims *dims,
                                   const tconv_class *one, const tconv_weight_strides *strides, int64_t column,
                                   int64_t tap) {
  int64_t source;
  if (tconv_unites_phases(tiling)) return tconv_united_source(layer, dims, one, strides, column, tap);
  source = tconv_column_source(tiling, layer, one, strides, column);
  return source < 0 ? source : source + tconv_tap_source(layer, one, strides, tap);
}

/* Packs one class; `weights` is in the framework's order. Columns that only fill up a panel become zero. */
static inline void tconv_pack_class(const tconv_tiling *tiling, const tconv_layer *layer, const tconv_dims *dims,
                                    const tconv_class *one, const float *weights, const tconv_weight_strides *strides,
                                    float *packed) {
  const int64_t inputs = tconv_group_inputs(layer), panel = tiling->panel, depth = one->taps * inputs;
  const int64_t column_stride = tiling->lane_sums ? depth : 1, depth_stride = tiling->lane_sums ? 1 : panel;
  float *to = packed + one->weights;
  int64_t source[TCONV_MAX_PANEL];
  int64_t group, first, tap, in, c;
  for (group = 0; group < tconv_column_groups(tiling, layer); ++group)
    for (first = 0; first < one->columns; first += panel) {
      for (tap = 0; tap < one->taps; ++tap) {
        for (c = 0; c < panel; ++c) source[c] = tconv_source(tiling, layer, dims, one, strides, first + c, tap);
        for (in = 0; in < inputs; ++in) {
          const float *from = weights + group * strides->group + in * strides->in;
          float *row = to + (tap * inputs + in) * depth_stride;
          for (c = 0; c < panel; ++c) row[c * column_stride] = source[c] < 0 ? 0.0f : from[source[c]];
        }
      }
      to += panel * depth;
    }
}

/* What one filter has in one phase, for one input channel, in a dimension: taps that become points; of Strassen's pairs
 * (half of the channels, phase). */
typedef struct tconv_weight_transform {
  int64_t count, points;
  double factor[TCONV_MOST_POINTS][TCONV_MOST_TILE_TAPS];
} tconv_weight_transform;

static inline tconv_weight_transform tconv_find_weight_transform(const tconv_tiling *tiling, const tconv_tiles *tiles) {
  const tconv_interpolation *points = tconv_find_interpolation(tiles->outputs, tiles->taps);
  tconv_weight_transform transform;
  int64_t p, t;
  transform.count = tiles->paired > 1 ? (int64_t)TCONV_STRASSEN_BLOCKS : tiles->taps;
  transform.points = tiles->points;
  for (p = 0; p < transform.points; ++p)
    for (t = 0; t < transform.count; ++t)
      transform.factor[p][t] = tiles->paired > 1 ? tconv_strassen_points()[p].weights[t]
                               : tiling->bf16x3  ? p == t
                                                 : tconv_weight_factor(points, p, t, tiles->taps);
  return transform;
}

/* `from` is (before, count, after), `to` is (before, points, after). */
static inline void tconv_transform_weights(const tconv_weight_transform *transform, int64_t before, int64_t after,
                                           const double *from, double *to) {
  int64_t b, p, a, t;
  for (b = 0; b < before; ++b)
    for (p = 0; p < transform->points; ++p)
      for (a = 0; a < after; ++a) {
        double sum = 0;
        for (t = 0; t < transform->count; ++t)
          sum += transform->factor[p][t] * from[(b * transform->count + t) * after + a];
        to[(b * transform->points + p) * after + a] = sum;
      }
}

/* The weights of one filter and one input channel that `phase` has, (taps of the tile...), with zeros where the phase
 * has none. `from` is the filter's first one. */
static inline void tconv_gather_taps(const tconv_layer *layer, const tconv_tile_phase *phase,
                                     const tconv_tile_grid *grid, const tconv_weight_strides *strides,
                                     const float *from, double *taps) {
  const int lead = TCONV_MAX_RANK - layer->rank;
  int64_t tap;
  for (tap = 0; tap < grid->taps; ++tap) {
    int64_t rest = tap, source = 0;
    int inside = 1, d;
    for (d = TCONV_MAX_RANK - 1; d >= 0; --d) {
      const int64_t t = rest % grid->dim[d].taps - phase[d].lead;
      rest /= grid->dim[d].taps;
      inside = inside && t >= 0 && t < phase[d].run.taps;
      if (d >= lead) source += (phase[d].run.first_tap - t * phase[d].run.tap_step) * strides->tap[d - lead];
    }
    taps[tap] = inside ? (double)from[source] : 0.0;
  }
}

/* The same of Strassen's blocks, (half, phase) in each paired dimension. */
static inline void tconv_gather_blocks(const tconv_tiling *tiling, const tconv_layer *layer, const tconv_dims *dims,
                                       const tconv_tile_phase *phase, const tconv_weight_transform *transform,
                                       const tconv_weight_strides *strides, const float *from, double *blocks) {
  const int lead = TCONV_MAX_RANK - layer->rank;
  const int64_t all = transform[0].count * transform[1].count * transform[2].count;
  int64_t block;
  for (block = 0; block < all; ++block) {
    int64_t rest = block, source = 0;
    int d;
    for (d = TCONV_MAX_RANK - 1; d >= 0; --d) {
      const int64_t own = rest % transform[d].count;
      const int64_t half = own / TCONV_STRASSEN_SIDE, second = own % TCONV_STRASSEN_SIDE;
      rest /= transform[d].count;
      source += half * tconv_half_distance(tiling, layer, d) * strides->in;
      if (d >= lead)
        source +=
            (phase[d].run.first_tap + second * dims->dim[d].stride / TCONV_STRASSEN_SIDE) * strides->tap[d - lead];
    }
    blocks[block] = (double)from[source];
  }
}

/* Packs one phase of one group, from column `first_column` on: each panel [point][input channel][column], where
 * tconv_panel_weights() puts it behind `packed`, the first one. */
static inline void tconv_pack_phase(const tconv_tiling *tiling, const tconv_layer *layer, const tconv_dims *dims,
                                    const tconv_tile_phase *phase, const tconv_tile_grid *grid,
                                    const tconv_weight_strides *strides, const float *weights, int64_t first_column,
                                    float *packed) {
  const int64_t inputs = tconv_tile_inputs(tiling, layer), panel = tiling->panel;
  double a[TCONV_MOST_POINTS * TCONV_MOST_POINTS * TCONV_MOST_POINTS];
  double b[TCONV_MOST_POINTS * TCONV_MOST_POINTS * TCONV_MOST_POINTS];
  tconv_weight_transform transform[TCONV_MAX_RANK];
  int64_t out, in, point;
  int d;
  for (d = 0; d < TCONV_MAX_RANK; ++d) transform[d] = tconv_find_weight_transform(tiling, &grid->dim[d]);
  for (out = 0; out < tconv_group_outputs(layer); ++out)
    for (in = 0; in < inputs; ++in) {
      const int64_t column = first_column + out;
      const float *const from = weights + out * strides->out + in * strides->in;
      float *to = packed + tconv_panel_weights(tiling, layer, grid, 0, column / panel, 0);
      if (tiling->strassen)
        tconv_gather_blocks(tiling, layer, dims, phase, transform, strides, from, a);
      else
        tconv_gather_taps(layer, phase, grid, strides, from, a);
      tconv_transform_weights(&transform[0], 1, transform[1].count * transform[2].count, a, b);
      tconv_transform_weights(&transform[1], transform[0].points, transform[2].count, b, a);
      tconv_transform_weights(&transform[2], transform[0].points * transform[1].points, 1, a, b);
      for (point = 0; point < grid->points; ++point) {
        if (tiling->bf16x3)
          tconv_pack_split(to + point * panel * tconv_split_floats(inputs), panel, in, column % panel, (float)b[point]);
        else
          to[(point * inputs + in) * panel + column % panel] = (float)b[point];
      }
    }
}

/* Packs all groups and phases of a kind for Winograd's tiles; `packed` holds zeros. */
static inline void tconv_pack_tiles(const tconv_tiling *tiling, const tconv_layer *layer, const tconv_dims *dims,
                                    int kind, const float *weights, const tconv_weight_strides *strides,
                                    float *packed) {
  const tconv_tile_grid grid = tconv_find_tile_grid(tiling, layer, dims, kind);
  const int merged = tconv_merges_columns(tiling);
  int64_t group, index;
  for (group = 0; group < layer->groups; ++group)
    for (index = 0; index < grid.all_phases; ++index) {
      const int64_t first = merged ? tconv_phase_order(dims, &grid, index) * tconv_group_outputs(layer) : 0;
      tconv_tile_phase phase[TCONV_MAX_RANK];
      tconv_split_phase(dims, &grid, index, phase);
      tconv_pack_phase(tiling, layer, dims, phase, &grid, strides, weights + group * strides->group, first,
                       packed + tconv_panel_weights(tiling, layer, &grid, group, 0, merged ? 0 : index));
    }
}

/* Packs bias (NULL: none) and weights into `packed`, tconv_packed_floats() long. */
static inline void tconv_pack_all(const tconv_tiling *tiling, const tconv_layer *layer, const tconv_dims *dims,
                                  const float *weights, const tconv_weight_strides *strides, const float *bias,
                                  float *packed) {
  const int64_t outputs = tconv_column_outputs(tiling, layer), padded = tconv_bias_columns(tiling, layer, dims);
  const int64_t row = tconv_row_outputs(tiling, layer, dims->dim[TCONV_MAX_RANK - 1].stride);
  const int64_t floats = tconv_packed_floats(tiling, layer, dims), groups = tconv_column_groups(tiling, layer);
  tconv_class one;
  int64_t i;
  int kind;
  for (i = 0; i < floats; ++i) packed[i] = 0.0f;
  for (i = 0; bias && i < groups * row; ++i)
    packed[i / row * padded + i % row] = bias[i / row * outputs + i % row % outputs];
  if (tconv_is_winograd(tiling)) {
    for (kind = 0; kind < TCONV_TILE_KINDS; ++kind)
      if (tconv_has_kind(tiling, kind))
        tconv_pack_tiles(tiling, layer, dims, kind, weights, strides,
                         packed + tconv_kind_weights(tiling, layer, dims, kind));
    return;
  }
  tconv_first_class(tiling, layer, dims, &one);
  do {
    tconv_pack_class(tiling, layer, dims, &one, weights, strides, packed);
  } while (tconv_next_class(tiling, layer, dims, &one));
}

#ifdef __cplusplus
}
#endif

#endif
