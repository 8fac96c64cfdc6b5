/* Arrays brought to other strides by tconv_path.copy, and matrices to the other layout by tconv_path.transpose, in the
 * order and the parts that caches ask for.
 */
#ifndef TCONV_TRANSPOSE_H
#define TCONV_TRANSPOSE_H

#include "tconv/blocks.h"
#include "tconv/buffers.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Calls one of the two, of arrays of four dimensions. */
static inline int tconv_bring(tconv_function function, const float *from, halide_dimension_t *from_dims, float *to,
                              halide_dimension_t *to_dims) {
  halide_buffer_t source = tconv_buffer(from, 4, from_dims), target = tconv_buffer(to, 4, to_dims);
  void *argv[2];
  argv[0] = &source;
  argv[1] = &target;
  return function(argv) == 0 ? TCONV_OK : TCONV_ERROR_KERNEL;
}

/* The arrays have the same four extents. */
static inline int tconv_copy(const tconv_path *path, const float *from, halide_dimension_t *from_dims, float *to,
                             halide_dimension_t *to_dims) {
  return tconv_bring(path->copy, from, from_dims, to, to_dims);
}

/* Dimensions (column, row, y, z) of tconv_path.transpose's arrays: [0] is contiguous. */
typedef struct tconv_matrix {
  halide_dimension_t dim[4];
} tconv_matrix;

static inline tconv_matrix tconv_planes(const int64_t *first, const int64_t *last, const int64_t *stride) {
  tconv_matrix matrix;
  tconv_set_dim(&matrix.dim[2], last[1] - first[1], stride[1]);
  tconv_set_dim(&matrix.dim[3], last[0] - first[0], stride[0]);
  return matrix;
}

/* The other two dimensions: i is contiguous in `from`, where j has that stride, and j in `to`, where i has that. */
static inline void tconv_set_rows(int64_t i, int64_t j, int64_t j_stride, int64_t i_stride, tconv_matrix *from,
                                  tconv_matrix *to) {
  tconv_set_dim(&from->dim[0], i, 1);
  tconv_set_dim(&from->dim[1], j, j_stride);
  tconv_set_dim(&to->dim[0], j, 1);
  tconv_set_dim(&to->dim[1], i, i_stride);
}

/* 1 where dimension 2 goes on where dimension `d` ends. */
static inline int tconv_continues(const tconv_matrix *matrix, int d) {
  return matrix->dim[d].min == 0 && matrix->dim[2].stride == matrix->dim[d].extent * matrix->dim[d].stride;
}

/* 1 where dimension 2 can be part of dimension `i` of `from`, which is the other one of `to`. */
static inline int tconv_joins(const tconv_matrix *from, const tconv_matrix *to, int i) {
  return from->dim[2].extent == 1 ||
         (from->dim[i].extent == to->dim[1 - i].extent && tconv_continues(from, i) && tconv_continues(to, 1 - i));
}

/* Makes dimension 2 part of dimension `d`, and the next one dimension 2. */
static inline void tconv_join(tconv_matrix *matrix, int d) {
  matrix->dim[d].extent *= matrix->dim[2].extent;
  matrix->dim[2] = matrix->dim[3];
  tconv_set_dim(&matrix->dim[3], 1, 0);
}

/* Planes that follow one another in both arrays are one: short rows would not fill a block. */
static inline void tconv_join_planes(tconv_matrix *from, tconv_matrix *to) {
  int plane;
  for (plane = 2; plane < 4; ++plane) {
    const int i = tconv_joins(from, to, 0) ? 0 : 1;
    if (!tconv_joins(from, to, i)) return;
    tconv_join(from, i);
    tconv_join(to, 1 - i);
  }
}

static inline int tconv_transpose_strip(const tconv_path *path, const float *from, tconv_matrix from_dims, float *to,
                                        tconv_matrix to_dims) {
  return tconv_bring(path->transpose, from, from_dims.dim, to, to_dims.dim);
}

/* Rows that lie so far apart, or a multiple of it, meet in a few sets of the first-level cache: pages. */
enum { TCONV_PAGE_FLOATS = 1024 };

static inline int tconv_rows_meet(const tconv_matrix *matrix) {
  return matrix->dim[1].extent > 1 && matrix->dim[1].stride % TCONV_PAGE_FLOATS == 0;
}

/* Where a strip of `size` ends: the last one is less than two. */
static inline int32_t tconv_strip_end(int32_t first, int32_t extent, int32_t size) {
  return extent - first < 2 * size ? extent : first + size;
}

/* Few enough of rows that meet are gone through from end to end at a time: eight that are written, or the sixteen that
 * fill a cache line of what is written. On Zen 5, of arrays beyond the first-level cache, the first is 1.4 to 1.9 times
 * as fast as sixteen, the second up to 1.8 times (0.85 at the least) as all of them; where rows do not meet, both are
 * slower. */
static inline int tconv_transpose_strips(const tconv_path *path, const float *from, const tconv_matrix *from_dims,
                                         float *to, const tconv_matrix *to_dims) {
  enum { WRITTEN = 8, READ = 16 };
  const int32_t rows = from_dims->dim[0].extent, columns = to_dims->dim[0].extent;
  const int by_rows = tconv_rows_meet(to_dims);
  const int by_columns = tconv_rows_meet(from_dims) && from_dims->dim[1].extent == columns;
  int32_t row, column, row_end, column_end;
  for (row = 0; row < rows; row = row_end) {
    row_end = by_rows ? tconv_strip_end(row, rows, WRITTEN) : rows;
    for (column = 0; column < columns; column = column_end) {
      tconv_matrix from_strip = *from_dims, to_strip = *to_dims;
      int status;
      column_end = by_columns ? tconv_strip_end(column, columns, READ) : columns;
      from_strip.dim[0].extent = to_strip.dim[1].extent = row_end - row;
      if (by_columns) from_strip.dim[1].extent = to_strip.dim[0].extent = column_end - column;
      status = tconv_transpose_strip(path, from + row + column * (int64_t)from_dims->dim[1].stride, from_strip,
                                     to + column + row * (int64_t)to_dims->dim[1].stride, to_strip);
      if (status != TCONV_OK) return status;
    }
  }
  return TCONV_OK;
}

static inline int tconv_transpose(const tconv_path *path, const float *from, tconv_matrix *from_dims, float *to,
                                  tconv_matrix *to_dims) {
  tconv_join_planes(from_dims, to_dims);
  return tconv_transpose_strips(path, from, from_dims, to, to_dims);
}

#ifdef __cplusplus
}
#endif

#endif
