/* The window of the input that a task reads, and where it writes: in the layer's own arrays, or in the worker's memory
 * where a window hangs over an edge or where the compiled functions have the other layout than the layer.
 */
#ifndef TCONV_WINDOWS_H
#define TCONV_WINDOWS_H

#include <string.h>

#include "tconv/transpose.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A block's window of the input: where it lies, and the strides of the memory that holds it. */
typedef struct tconv_window {
  int64_t low[TCONV_MAX_RANK], extent[TCONV_MAX_RANK], stride[TCONV_MAX_RANK];
  int64_t channel_stride;
  const float *data;
} tconv_window;

/* Where a task writes some channels: output `origin` of the first of them lies at `data`, the others at these strides
 * from it. `origin` may lie before the output. */
typedef struct tconv_outputs {
  int64_t first_channel, channels;
  int64_t origin[TCONV_MAX_RANK], stride[TCONV_MAX_RANK];
  int64_t channel_stride;
  float *data;
} tconv_outputs;

/* Strides of a dense array of so many channels and positions. Returns its elements. */
static inline int64_t tconv_dense_strides(int channels_last, int64_t channels, const int64_t *extent,
                                          int64_t *channel_stride, int64_t *stride) {
  int64_t all = channels_last ? channels : 1;
  int d;
  for (d = TCONV_MAX_RANK - 1; d >= 0; --d) {
    stride[d] = all;
    all *= extent[d];
  }
  *channel_stride = channels_last ? 1 : all;
  return channels_last ? all : all * channels;
}

/* The part of a window that lies inside the input: [first, last) in each dimension. Returns 0 when there is none. */
static inline int tconv_inside(const tconv_dim *dim, const tconv_window *window, int64_t *first, int64_t *last) {
  int any = 1, d;
  for (d = 0; d < TCONV_MAX_RANK; ++d) {
    first[d] = tconv_min(tconv_max(-window->low[d], 0), window->extent[d]);
    last[d] = tconv_max(tconv_min(window->extent[d], dim[d].in - window->low[d]), first[d]);
    any = any && first[d] < last[d];
  }
  return any;
}

/* Zeros around that part, in a window of `planes` planes whose positions are `pixel` floats wide; `ends`: also in rows
 * that are partly inside. */
static inline void tconv_clear_outside(const tconv_window *window, const int64_t *first, const int64_t *last,
                                       int64_t planes, int64_t pixel, int ends, float *to) {
  const int64_t row = window->extent[2] * pixel;
  int64_t plane, z, y, i;
  for (plane = 0; plane < planes; ++plane)
    for (z = 0; z < window->extent[0]; ++z)
      for (y = 0; y < window->extent[1]; ++y, to += row) {
        if (z < first[0] || z >= last[0] || y < first[1] || y >= last[1]) {
          memset(to, 0, (size_t)row * sizeof(float));
        } else if (ends) {
          for (i = 0; i < first[2] * pixel; ++i) to[i] = 0;
          for (i = last[2] * pixel; i < row; ++i) to[i] = 0;
        }
      }
}

/* Where element `first` lies. */
static inline int64_t tconv_offset(const int64_t *stride, const int64_t *first) {
  return first[0] * stride[0] + first[1] * stride[1] + first[2] * stride[2];
}

/* Rows of planes are too short for hardware that fetches ahead. Of images beyond TCONV_FETCHED_IMAGE_BYTES, which come
 * from memory, they are fetched TCONV_FETCH_BYTES ahead of their copies: with one thread, k2 s2 in two and three
 * dimensions is 1.03 to 1.09 times as fast; on 4 MB it was 0.98 times. */
enum { TCONV_FETCH_BYTES = 24 << 10, TCONV_FETCHED_IMAGE_BYTES = 4 << 20 };

/* About so much is copied by one call of the compiled function; an eighth of it where what is ahead is fetched in turn.
 */
enum { TCONV_COPIED_BYTES = 16 << 10 };

static inline void tconv_fetch_row(const float *from, int64_t floats) {
#if defined(__GNUC__)
  enum { LINE = 16 };
  int64_t i;
  for (i = 0; i < floats; i += LINE) __builtin_prefetch(from + i);
#else
  (void)from;
  (void)floats;
#endif
}

/* In planes, of which a window has so many floats; 0: nothing is fetched. */
static inline int64_t tconv_fetch_distance(int64_t floats, int64_t planes, int64_t channel_stride) {
  if (planes * channel_stride <= TCONV_FETCHED_IMAGE_BYTES / (int64_t)sizeof(float)) return 0;
  return tconv_max(TCONV_FETCH_BYTES / (int64_t)sizeof(float) / floats, 1);
}

/* Dimensions of the part [first, last) of some planes, for tconv_copy(): rows are contiguous, their positions `pixel`
 * floats wide. */
static inline void tconv_set_part(const int64_t *first, const int64_t *last, const int64_t *stride, int64_t pixel,
                                  int64_t planes, int64_t plane_stride, halide_dimension_t *dims) {
  tconv_set_dim(&dims[0], (last[2] - first[2]) * pixel, 1);
  tconv_set_dim(&dims[1], last[1] - first[1], stride[1]);
  tconv_set_dim(&dims[2], last[0] - first[0], stride[0]);
  tconv_set_dim(&dims[3], planes, plane_stride);
}

/* Copies the part [first, last) of some planes of a window: from `image`, whose strides and layout are the layer's. */
static inline int tconv_copy_part(const tconv_job *job, const tconv_window *window, const float *image,
                                  const int64_t *stride, int64_t channel_stride, const int64_t *first,
                                  const int64_t *last, int64_t planes, int64_t pixel, float *to) {
  halide_dimension_t from_dims[4], to_dims[4];
  tconv_set_part(first, last, stride, pixel, planes, channel_stride, from_dims);
  tconv_set_part(first, last, window->stride, pixel, planes, window->channel_stride, to_dims);
  return tconv_copy(job->path, image + (tconv_offset(stride, window->low) + tconv_offset(stride, first)), from_dims,
                    to + tconv_offset(window->stride, first), to_dims);
}

/* The same of one plane, few rows at a time; those `ahead` are fetched. */
static inline int tconv_copy_fetching(const tconv_job *job, const tconv_window *window, const float *image,
                                      const int64_t *stride, const int64_t *first, const int64_t *last, int64_t ahead,
                                      int64_t pixel, float *to) {
  const int64_t floats = (last[2] - first[2]) * pixel;
  const int64_t rows = tconv_max(TCONV_COPIED_BYTES / 8 / (int64_t)sizeof(float) / floats, 1);
  int64_t from[TCONV_MAX_RANK], end[TCONV_MAX_RANK], y;
  int status = TCONV_OK;
  memcpy(from, first, sizeof from);
  memcpy(end, last, sizeof end);
  for (from[0] = first[0]; from[0] < last[0]; ++from[0]) {
    end[0] = from[0] + 1;
    for (from[1] = first[1]; from[1] < last[1] && status == TCONV_OK; from[1] = end[1]) {
      end[1] = tconv_min(from[1] + rows, last[1]);
      for (y = from[1]; ahead > 0 && y < end[1]; ++y)
        tconv_fetch_row(image + (tconv_offset(stride, window->low) + tconv_offset(stride, from) + ahead +
                                 (y - from[1]) * stride[1]),
                        floats);
      status = tconv_copy_part(job, window, image, stride, 0, from, end, 1, pixel, to);
    }
  }
  return status;
}

/* Copies a window, with zeros around what lies in the input: some planes at a time, which stay in the cache between the
 * two. */
static inline int tconv_copy_window(const tconv_job *job, const tconv_window *window, const float *image,
                                    const int64_t *stride, int64_t channel_stride, const int64_t *first,
                                    const int64_t *last, int64_t planes, int64_t pixel, float *to) {
  const int64_t floats = (last[0] - first[0]) * (last[1] - first[1]) * (last[2] - first[2]) * pixel;
  const int64_t ahead = tconv_fetch_distance(floats, planes, channel_stride);
  const int64_t together =
      ahead > 0 ? 1 : tconv_max(tconv_min(TCONV_COPIED_BYTES / (int64_t)sizeof(float) / floats, planes), 1);
  int64_t plane, count;
  int status = TCONV_OK;
  for (plane = 0; plane < planes && status == TCONV_OK; plane += count) {
    const float *const from = image + plane * channel_stride;
    float *const begin = to + plane * window->channel_stride;
    count = tconv_min(together, planes - plane);
    tconv_clear_outside(window, first, last, count, pixel, 1, begin);
    status = ahead > 0 ? tconv_copy_fetching(job, window, from, stride, first, last,
                                             plane + ahead < planes ? ahead * channel_stride : 0, pixel, begin)
                       : tconv_copy_part(job, window, from, stride, channel_stride, first, last, count, pixel, begin);
  }
  return status;
}

/* Copies a window from `image` as tconv_copy_window() does, into the other layout. Where rows of positions become
 * contiguous, the function adds the zeros at their ends. */
static inline int tconv_transpose_window(const tconv_job *job, const tconv_window *window, const float *image,
                                         const int64_t *stride, int64_t channel_stride, const int64_t *first,
                                         const int64_t *last, float *to) {
  const int64_t channels = job->layer->in_channels, inside = last[2] - first[2];
  const int64_t at = tconv_offset(stride, window->low) + tconv_offset(stride, first);
  tconv_matrix from_dims = tconv_planes(first, last, stride), to_dims = tconv_planes(first, last, window->stride);
  to += first[0] * window->stride[0] + first[1] * window->stride[1];
  if (job->layer->channels_last) {
    tconv_set_rows(channels, inside, stride[2], window->channel_stride, &from_dims, &to_dims);
    from_dims.dim[1].min = (int32_t)first[2];
    to_dims.dim[0].extent = (int32_t)window->extent[2];
  } else {
    tconv_set_rows(inside, channels, channel_stride, window->stride[2], &from_dims, &to_dims);
    to += first[2] * window->stride[2];
  }
  return tconv_transpose(job->path, image + at, &from_dims, to, &to_dims);
}

/* The window of the positions [start, start + size): in place if it lies inside the input and has the layout that is
 * asked for, else in `memory`, with zeros around it. */
static inline int tconv_load_window(const tconv_job *job, int64_t image, const int64_t *start, const int64_t *size,
                                    float *memory, tconv_window *window) {
  const tconv_layer *layer = job->layer;
  const tconv_blocks *blocks = &job->blocks;
  const tconv_dim *dim = job->dims.dim;
  const int transposed = job->kernel->tiling.transpose_input;
  const int last_layout = tconv_reads_channels_last(&job->kernel->tiling, layer);
  const int64_t planes = last_layout ? 1 : layer->in_channels, pixel = last_layout ? layer->in_channels : 1;
  int64_t extent[TCONV_MAX_RANK], stride[TCONV_MAX_RANK], first[TCONV_MAX_RANK], last[TCONV_MAX_RANK], channel_stride;
  const float *image_data = job->call->input;
  int whole = !tconv_copies_windows(&job->kernel->tiling, layer, &job->dims), any, d;
  for (d = 0; d < TCONV_MAX_RANK; ++d) {
    extent[d] = dim[d].in;
    window->low[d] = start[d] + blocks->low[d];
    window->extent[d] = tconv_window_extent(blocks, job->path, d, size[d]);
    whole = whole && window->low[d] >= 0 && window->low[d] + window->extent[d] <= dim[d].in;
  }
  image_data += image * tconv_dense_strides(layer->channels_last, layer->in_channels, extent, &channel_stride, stride);
  if (whole) {
    memcpy(window->stride, stride, sizeof stride);
    window->channel_stride = channel_stride;
    window->data = image_data + tconv_offset(stride, window->low);
    return TCONV_OK;
  }
  tconv_dense_strides(last_layout, layer->in_channels, window->extent, &window->channel_stride, window->stride);
  window->data = memory;
  any = tconv_inside(dim, window, first, last);
  if (any && !transposed)
    return tconv_copy_window(job, window, image_data, stride, channel_stride, first, last, planes, pixel, memory);
  tconv_clear_outside(window, first, last, planes, pixel, !any || last_layout, memory);
  return any ? tconv_transpose_window(job, window, image_data, stride, channel_stride, first, last, memory) : TCONV_OK;
}

/* Where the block that starts at `start` writes these channels: to the output itself, or to the worker's `memory`. */
static inline tconv_outputs tconv_find_outputs(const tconv_job *job, int64_t image, const int64_t *start,
                                               int64_t first_channel, int64_t channels, float *memory) {
  const tconv_layer *layer = job->layer;
  const tconv_tiling *tiling = &job->kernel->tiling;
  const int staged = tconv_stages_outputs(&job->blocks, tiling);
  const int last_layout = tconv_writes_channels_last(tiling, layer);
  int64_t extent[TCONV_MAX_RANK], all;
  tconv_outputs outputs;
  int d;
  outputs.first_channel = first_channel;
  outputs.channels = channels;
  for (d = 0; d < TCONV_MAX_RANK; ++d) {
    const tconv_dim *dim = &job->dims.dim[d];
    extent[d] = staged ? job->blocks.size[d] * dim->stride : dim->out;
    outputs.origin[d] = staged ? start[d] * dim->stride + job->blocks.first_output[d] : 0;
  }
  all = tconv_dense_strides(last_layout, staged ? channels : layer->out_channels, extent, &outputs.channel_stride,
                            outputs.stride);
  outputs.data = staged ? memory : job->call->output + image * all + first_channel * outputs.channel_stride;
  return outputs;
}

/* Copies outputs of the part [first, last), whose rows are contiguous, to the same strides of the layer's output. */
static inline int tconv_copy_outputs(const tconv_job *job, const tconv_outputs *outputs, const int64_t *first,
                                     const int64_t *last, const float *from, const int64_t *stride,
                                     int64_t channel_stride, float *to) {
  halide_dimension_t from_dims[4], to_dims[4];
  tconv_set_part(first, last, outputs->stride, 1, outputs->channels, outputs->channel_stride, from_dims);
  tconv_set_part(first, last, stride, 1, outputs->channels, channel_stride, to_dims);
  return tconv_copy(job->path, from, from_dims, to, to_dims);
}

/* Brings what was written beside the output to where it belongs. */
static inline int tconv_store_outputs(const tconv_job *job, int64_t image, const tconv_outputs *outputs) {
  const tconv_layer *layer = job->layer;
  int64_t extent[TCONV_MAX_RANK], stride[TCONV_MAX_RANK], first[TCONV_MAX_RANK], last[TCONV_MAX_RANK], channel_stride;
  tconv_matrix from_dims, to_dims;
  const float *from = outputs->data;
  float *to = job->call->output;
  int d;
  if (!tconv_stages_outputs(&job->blocks, &job->kernel->tiling)) return TCONV_OK;
  for (d = 0; d < TCONV_MAX_RANK; ++d) {
    const tconv_dim *dim = &job->dims.dim[d];
    extent[d] = dim->out;
    first[d] = tconv_max(outputs->origin[d], 0);
    last[d] = tconv_min(outputs->origin[d] + job->blocks.size[d] * dim->stride, dim->out);
    if (last[d] <= first[d]) return TCONV_OK;
    from += (first[d] - outputs->origin[d]) * outputs->stride[d];
  }
  to += image * tconv_dense_strides(layer->channels_last, layer->out_channels, extent, &channel_stride, stride);
  to += tconv_offset(stride, first) + outputs->first_channel * channel_stride;
  if (!job->kernel->tiling.transpose_output)
    return tconv_copy_outputs(job, outputs, first, last, from, stride, channel_stride, to);
  from_dims = tconv_planes(first, last, outputs->stride);
  to_dims = tconv_planes(first, last, stride);
  if (layer->channels_last)
    tconv_set_rows(last[2] - first[2], outputs->channels, outputs->channel_stride, stride[2], &from_dims, &to_dims);
  else
    tconv_set_rows(outputs->channels, last[2] - first[2], outputs->stride[2], channel_stride, &from_dims, &to_dims);
  return tconv_transpose(job->path, from, &from_dims, to, &to_dims);
}

#ifdef __cplusplus
}
#endif

#endif
