/* How a layer's output falls apart into classes, and where each class's weights lie; tconv/packing.h puts them there.
 *
 * A class is a product of phase runs, one a dimension (tconv_run): a small dense convolution over one input window,
 * whose outputs interleave with those of the other classes. The packed weights are the bias, then class after class,
 *     [group][panel of columns][tap, input channel][column in the panel],
 * so that a register tile reads them in one stream; with lane sums
 *     [group][panel of columns][column in the panel][tap, input channel]. Compiler and driver both walk the classes
 * with this file.
 */
#ifndef TCONV_CLASSES_H
#define TCONV_CLASSES_H

#include "tconv/kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Always three dimensions, the missing ones in front and trivial. */
typedef struct tconv_dims {
  tconv_dim dim[TCONV_MAX_RANK];
} tconv_dims;

typedef struct tconv_class {
  tconv_run run[TCONV_MAX_RANK];
  int64_t taps;    /* of all dimensions together */
  int64_t columns; /* of one group: phases x output channels, in whole panels */
  int64_t weights; /* where they start, in floats from the start of the packed weights */
} tconv_class;

/* The dimensions for `size` (outermost first); those that the layer fixes decide on the phases. Returns 0 when a rule
 * refuses its extent. */
static inline int tconv_resolve_layer(const tconv_layer *layer, const int64_t *size, tconv_dims *dims) {
  const int lead = TCONV_MAX_RANK - layer->rank;
  const tconv_dim trivial = {1, 1, 1, 1, 0, 1};
  int d;
  for (d = 0; d < lead; ++d) dims->dim[d] = trivial;
  for (d = 0; d < layer->rank; ++d) {
    const tconv_rule *rule = &layer->rule[d];
    tconv_dim *dim = &dims->dim[lead + d];
    if (!tconv_resolve(rule, size[d], dim)) return 0;
    if (tconv_taps_are_phases(rule, layer->size[d])) dim->stride = rule->kernel;
  }
  return 1;
}

/* Sizes that stand for any, where the packed weights are asked for: every extent gives the same. */
static inline int tconv_resolve_any(const tconv_layer *layer, tconv_dims *dims) {
  int64_t size[TCONV_MAX_RANK];
  int d;
  for (d = 0; d < layer->rank; ++d) {
    tconv_dim dim;
    size[d] = layer->size[d];
    if (size[d] != TCONV_UNSET) continue;
    /* Large pads leave small inputs no output, large strides large ones. */
    for (size[d] = 1; size[d] < TCONV_MAX_EXTENT && !tconv_resolve(&layer->rule[d], size[d], &dim);) size[d] *= 2;
  }
  return tconv_resolve_layer(layer, size, dims);
}

static inline int64_t tconv_group_outputs(const tconv_layer *layer) { return layer->out_channels / layer->groups; }
static inline int64_t tconv_group_inputs(const tconv_layer *layer) { return layer->in_channels / layer->groups; }

/* The layout of the compiled functions' windows, and of their outputs. */
static inline int tconv_reads_channels_last(const tconv_tiling *tiling, const tconv_layer *layer) {
  return layer->channels_last != tiling->transpose_input;
}
static inline int tconv_writes_channels_last(const tconv_tiling *tiling, const tconv_layer *layer) {
  return layer->channels_last != tiling->transpose_output;
}

/* Whether phases of the dimension may be of one class. */
static inline int tconv_merges(const tconv_tiling *tiling, int dim) {
  return tiling->merge_phases == 1 || (tiling->merge_phases == 2 && dim == TCONV_MAX_RANK - 1);
}

static inline int tconv_is_row_of_phases(const tconv_tiling *tiling) { return tiling->merge_phases == 2; }

/* Whether all phases are one class, of united runs. */
static inline int tconv_unites_phases(const tconv_tiling *tiling) { return tiling->merge_phases == 3; }

/* The run of dimension `d` that starts with phase `first`, of a class. */
static inline tconv_run tconv_class_run(const tconv_tiling *tiling, const tconv_dims *dims, int d, int64_t first) {
  return tconv_unites_phases(tiling) ? tconv_united_run(&dims->dim[d])
                                     : tconv_phase_run(&dims->dim[d], first, tconv_merges(tiling, d));
}

/* What the packed weights are cut into: groups, and the columns of a phase in each. */
static inline int64_t tconv_column_groups(const tconv_tiling *tiling, const tconv_layer *layer) {
  return tiling->group_columns ? 1 : layer->groups;
}
static inline int64_t tconv_column_outputs(const tconv_tiling *tiling, const tconv_layer *layer) {
  return layer->out_channels / tconv_column_groups(tiling, layer);
}

/* Outputs at one position that a function takes as one dimension: a phase's, or those of a row of so many phases. */
static inline int64_t tconv_row_outputs(const tconv_tiling *tiling, const tconv_layer *layer, int64_t phases) {
  return tconv_column_outputs(tiling, layer) * (tconv_is_row_of_phases(tiling) ? phases : 1);
}

/* Of united phases: filters of a panel. */
static inline int64_t tconv_united_filters(const tconv_tiling *tiling, const tconv_dims *dims) {
  return tiling->panel / (dims->dim[0].stride * dims->dim[1].stride * dims->dim[2].stride);
}

/* The distance, in columns, from one phase to the next one of the same class. */
static inline int64_t tconv_phase_columns(const tconv_tiling *tiling, const tconv_layer *layer) {
  const int64_t outputs = tconv_column_outputs(tiling, layer);
  return tiling->dense_phases ? outputs : tconv_round_up(outputs, tiling->panel);
}

/* Floats of a group's bias, whole panels; a row of phases repeats it for each phase. */
static inline int64_t tconv_bias_columns(const tconv_tiling *tiling, const tconv_layer *layer, const tconv_dims *dims) {
  return tconv_round_up(tconv_row_outputs(tiling, layer, dims->dim[TCONV_MAX_RANK - 1].stride), tiling->panel);
}

/* Floats of bias at the start of the packed weights. */
static inline int64_t tconv_bias_floats(const tconv_tiling *tiling, const tconv_layer *layer, const tconv_dims *dims) {
  return tconv_round_up(tconv_column_groups(tiling, layer) * tconv_bias_columns(tiling, layer, dims), 16);
}

static inline int64_t tconv_class_floats(const tconv_tiling *tiling, const tconv_layer *layer, const tconv_class *one) {
  return tconv_round_up(tconv_column_groups(tiling, layer) * one->columns * one->taps * tconv_group_inputs(layer), 16);
}

/* Taps that a function takes as one, as it takes their channels for those of one position: with lane sums neighbours in
 * x, where their channels follow one another. */
static inline int64_t tconv_row_taps(const tconv_tiling *tiling, const tconv_layer *layer, const tconv_class *one) {
  const tconv_run *run = &one->run[TCONV_MAX_RANK - 1];
  const int in_a_row = layer->groups == 1 && run->step == 1 && tconv_reads_channels_last(tiling, layer);
  return tiling->lane_sums && in_a_row ? tconv_max(run->taps, 1) : 1;
}

/* Input that a function reads as one row. */
static inline int64_t tconv_row_inputs(const tconv_tiling *tiling, const tconv_layer *layer, const tconv_class *one) {
  return tconv_group_inputs(layer) * tconv_row_taps(tiling, layer, one);
}

static inline void tconv_class_fill(const tconv_tiling *tiling, const tconv_layer *layer, tconv_class *one) {
  int64_t phases = 1;
  int d;
  one->taps = 1;
  for (d = 0; d < TCONV_MAX_RANK; ++d) {
    one->taps *= one->run[d].taps;
    phases *= one->run[d].count;
  }
  one->columns = tconv_round_up(phases * tconv_phase_columns(tiling, layer), tiling->panel);
}

static inline void tconv_first_class(const tconv_tiling *tiling, const tconv_layer *layer, const tconv_dims *dims,
                                     tconv_class *one) {
  int d;
  for (d = 0; d < TCONV_MAX_RANK; ++d) one->run[d] = tconv_class_run(tiling, dims, d, 0);
  one->weights = tconv_bias_floats(tiling, layer, dims);
  tconv_class_fill(tiling, layer, one);
}

/* Moves on to the next class, the innermost dimension first; 0 after the last one, with `weights` then the floats of
 * all packed weights. */
static inline int tconv_next_class(const tconv_tiling *tiling, const tconv_layer *layer, const tconv_dims *dims,
                                   tconv_class *one) {
  int d;
  one->weights += tconv_class_floats(tiling, layer, one);
  for (d = TCONV_MAX_RANK - 1; d >= 0; --d) {
    const int64_t next = one->run[d].first + one->run[d].count;
    const int more = !tconv_unites_phases(tiling) && next < dims->dim[d].stride;
    one->run[d] = tconv_class_run(tiling, dims, d, more ? next : 0);
    if (more) {
      tconv_class_fill(tiling, layer, one);
      return 1;
    }
  }
  return 0;
}

#ifdef __cplusplus
}
#endif

#endif
