/* The arguments of a compiled function: where in memory one class of one block reads and writes. */
#ifndef TCONV_ARGUMENTS_H
#define TCONV_ARGUMENTS_H

#include "tconv/windows.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Holds pointers into itself: neither copy nor move it. */
typedef struct tconv_arguments {
  halide_buffer_t input, weights, bias, output;
  halide_dimension_t input_dim[2 + TCONV_MAX_RANK], weights_dim[4], bias_dim[2], output_dim[2 + 2 * TCONV_MAX_RANK];
  int32_t taps[TCONV_MAX_RANK], steps[TCONV_MAX_RANK];
  int32_t variant; /* -1: the kernel has none for the class */
  void *argv[4 + 2 * TCONV_MAX_RANK];
} tconv_arguments;

static inline int tconv_find_variant(const tconv_kernel *kernel, const tconv_class *one) {
  int v, d;
  for (v = 0; v < kernel->variant_count; ++v) {
    int matches = 1;
    for (d = 0; d < TCONV_MAX_RANK; ++d) {
      const tconv_variant *variant = &kernel->variants[v];
      matches = matches && (variant->phases[d] == 0 || variant->phases[d] == one->run[d].count) &&
                (variant->taps[d] == 0 || variant->taps[d] == one->run[d].taps);
    }
    if (matches) return v;
  }
  return -1;
}

/* Binds the spatial dimensions; 0 when the class has no output in the block. */
static inline int tconv_bind_positions(const tconv_job *job, const tconv_class *one, const int64_t *start,
                                       const tconv_window *window, const tconv_outputs *outputs,
                                       tconv_arguments *arguments, const float **input, float **output) {
  const int rank = job->layer->rank, row = tconv_is_row_of_phases(&job->kernel->tiling);
  const int united = tconv_unites_phases(&job->kernel->tiling);
  const int64_t row_taps = tconv_row_taps(&job->kernel->tiling, job->layer, one);
  int i;
  for (i = 0; i < rank; ++i) {
    const int d = TCONV_MAX_RANK - 1 - i;
    const tconv_run *run = &one->run[d];
    const int64_t step = job->dims.dim[d].stride, out_stride = outputs->stride[d];
    const int64_t size = tconv_min(job->blocks.size[d], run->extent - start[d]);
    /* Without taps nothing is read, and the window need not reach. */
    const int64_t skip = one->taps == 0 ? 0 : run->offset - job->blocks.low[d];
    if (size <= 0) return 0;
    arguments->taps[i] = one->taps == 0 ? 0 : (int32_t)(i == 0 ? run->taps / row_taps : run->taps);
    arguments->steps[i] = (int32_t)run->step;
    tconv_set_dim(&arguments->input_dim[2 + i], window->extent[d] - skip, window->stride[d]);
    if (united)
      tconv_set_dim(&arguments->output_dim[2 + i], tconv_tiled(&job->blocks, job->path, d, size) * step, out_stride);
    else
      tconv_set_dim(&arguments->output_dim[2 + i], size, out_stride * step);
    tconv_set_dim(&arguments->output_dim[2 + rank + i], united || (i == 0 && row) ? 1 : run->count, out_stride);
    *input += skip * window->stride[d];
    *output += (run->first + start[d] * step - outputs->origin[d]) * out_stride;
    arguments->argv[3 + i] = &arguments->taps[i];
    arguments->argv[3 + rank + i] = &arguments->steps[i];
  }
  return 1;
}

/* Binds one class of one block. Returns 0 when the class has no output there. */
static inline int tconv_bind(const tconv_job *job, const tconv_class *one, const int64_t *start,
                             const tconv_window *window, const tconv_outputs *to, tconv_arguments *arguments) {
  const tconv_layer *layer = job->layer;
  const int rank = layer->rank;
  const tconv_tiling *tiling = &job->kernel->tiling;
  const int64_t inputs = tconv_group_inputs(layer), outputs = tconv_column_outputs(tiling, layer);
  const int64_t groups = tconv_column_groups(tiling, layer), bias = tconv_bias_columns(tiling, layer, &job->dims);
  const int64_t panel = tiling->panel, depth = inputs * one->taps;
  const int64_t column_stride = tiling->lane_sums ? depth : 1, depth_stride = tiling->lane_sums ? 1 : panel;
  const float *input = window->data;
  float *output = to->data;
  if (!tconv_bind_positions(job, one, start, window, to, arguments, &input, &output)) return 0;
  tconv_set_dim(&arguments->input_dim[0], tconv_row_inputs(tiling, layer, one), window->channel_stride);
  tconv_set_dim(&arguments->input_dim[1], layer->groups, inputs * window->channel_stride);
  tconv_set_dim(&arguments->weights_dim[0], panel, column_stride);
  tconv_set_dim(&arguments->weights_dim[1], tconv_max(depth, 1), depth_stride);
  tconv_set_dim(&arguments->weights_dim[2], one->columns / panel, panel * depth);
  tconv_set_dim(&arguments->weights_dim[3], groups, one->columns * depth);
  tconv_set_dim(&arguments->bias_dim[0], bias, 1);
  tconv_set_dim(&arguments->bias_dim[1], groups, bias);
  tconv_set_dim(&arguments->output_dim[0], tconv_row_outputs(tiling, layer, one->run[TCONV_MAX_RANK - 1].count),
                to->channel_stride);
  tconv_set_dim(&arguments->output_dim[1], groups, outputs * to->channel_stride);
  arguments->input = tconv_buffer(input, 2 + rank, arguments->input_dim);
  arguments->weights = tconv_buffer(job->packed + one->weights, 4, arguments->weights_dim);
  arguments->bias = tconv_buffer(job->packed, 2, arguments->bias_dim);
  arguments->output = tconv_buffer(output, 2 + 2 * rank, arguments->output_dim);
  arguments->argv[0] = &arguments->input;
  arguments->argv[1] = &arguments->weights;
  arguments->argv[2] = &arguments->bias;
  arguments->argv[3 + 2 * rank] = &arguments->output;
  arguments->variant = tconv_find_variant(job->kernel, one);
  return 1;
}

#ifdef __cplusplus
}
#endif

#endif
