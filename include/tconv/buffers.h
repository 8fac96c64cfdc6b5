/* Halide's description of an array, over memory that stays the caller's. */
#ifndef TCONV_BUFFERS_H
#define TCONV_BUFFERS_H

#include <stdint.h>

#include "HalideRuntime.h"

#ifdef __cplusplus
extern "C" {
#endif

static inline void tconv_set_dim(halide_dimension_t *dim, int64_t extent, int64_t stride) {
  dim->min = 0;
  dim->extent = (int32_t)extent;
  dim->stride = (int32_t)stride;
  dim->flags = 0;
}

static inline halide_buffer_t tconv_buffer(const void *host, int dimensions, halide_dimension_t *dim) {
  halide_buffer_t buffer;
  buffer.device = 0;
  buffer.device_interface = NULL;
  buffer.host = (uint8_t *)(uintptr_t)host;
  buffer.flags = 0;
  buffer.type.code = halide_type_float;
  buffer.type.bits = 32;
  buffer.type.lanes = 1;
  buffer.dimensions = dimensions;
  buffer.dim = dim;
  buffer.padding = NULL;
  return buffer;
}

#ifdef __cplusplus
}
#endif

#endif
