/* Which of a library's general kernels serves a layer. */
#ifndef TCONV_GENERAL_CHOICE_H
#define TCONV_GENERAL_CHOICE_H

#include "tconv/classes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether vectors over the input channels suit the layer: these fill them and, where the input has to be transposed for
 * it, a phase has taps enough: three on average. */
static inline int tconv_sums_lanes(const tconv_tiling *tiling, const tconv_layer *layer) {
  const int64_t least_inputs = 16;
  const double least_taps = 3;
  double taps = 1;
  int d;
  for (d = 0; d < layer->rank; ++d) taps *= (double)layer->rule[d].kernel / (double)layer->rule[d].stride;
  return layer->groups == 1 && layer->in_channels >= least_inputs && (!tiling->transpose_input || taps >= least_taps);
}

/* Whether rows of phases suit the layer: their runs fill panels well enough, and better than single phases do.
 * Measured against those, with panels of 32: runs of 10 to 12 columns are 1.0 to 1.7 times as fast, of 24 1.7 times;
 * where outputs are transposed, of 12 0.5 to 1.0 times, of 16 1.3 to 1.4 times. */
static inline int tconv_fills_rows(const tconv_tiling *tiling, const tconv_layer *layer) {
  const double least_share = tiling->transpose_output ? 0.5 : 0.3, least_gain = 1.1;
  const int64_t outputs = tconv_group_outputs(layer);
  int64_t computed = 0, alone, first;
  tconv_dims dims;
  tconv_run run;
  double useful;
  if (layer->groups != 1 || !tconv_resolve_any(layer, &dims)) return 0;
  if (dims.dim[TCONV_MAX_RANK - 1].stride > TCONV_MAX_PHASES) return 0;
  for (first = 0; first < dims.dim[TCONV_MAX_RANK - 1].stride; first += run.count) {
    run = tconv_class_run(tiling, &dims, TCONV_MAX_RANK - 1, first);
    computed += tconv_round_up(run.count * outputs, tiling->panel);
  }
  useful = (double)(first * outputs);
  alone = first * tconv_round_up(outputs, tiling->panel);
  return useful >= least_share * (double)computed && (double)alone >= least_gain * (double)computed;
}

/* Of the general kernels of a rank and layout, the one for the layer: the first that is made for so many filters, and
 * whose vectors suit it. Calls' sizes have no say: packed weights serve all. */
static inline const tconv_kernel *tconv_choose_general(const tconv_kernel *kernels, int count,
                                                       const tconv_layer *layer) {
  int i;
  for (i = 0; i + 1 < count; ++i)
    if (kernels[i].general >= tconv_group_outputs(layer) &&
        (!kernels[i].tiling.lane_sums || tconv_sums_lanes(&kernels[i].tiling, layer)) &&
        (!tconv_is_row_of_phases(&kernels[i].tiling) || tconv_fills_rows(&kernels[i].tiling, layer)))
      break;
  return &kernels[i];
}

#ifdef __cplusplus
}
#endif

#endif
