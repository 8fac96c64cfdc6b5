/* Winograd's minimal filtering of one dimension: F(m, r) computes m outputs of an r-tap filter with m + r - 1
 * multiplications (Lavin & Gray 2016, arXiv:1509.09308):
 *
 *     outputs = A' ((G weights) * (B' window)),    a window having m + r - 1 points.
 *
 * It is polynomial interpolation (Cook & Toom): the points decide on all three matrices, and on how they round. With
 * A'[j][p] = at[p]^j and G[p][t] = at[p]^t scale[p], infinity being the last point, B' is the same for every F(m, r) of
 * as many points. Its rows are whole numbers, which `scale` makes up for.
 *
 * Of all choices among 0, 1, 2, 1/2 and their negatives, these points are those, or close to those, whose root mean
 * square errors in two dimensions were least (on such choices: Alam, Anderson, Barabasz & Gregg 2022,
 * doi:10.1145/3524069). Relative to the direct sum's errors, of 64 to 256 channels in one and two dimensions: of three
 * and four points 0.8 to 1.1; five 0.9 to 2.2, where 0, 1, -1, -2 gave F(4, 2) 3.3; six 1.3 to 2.6, where the usual 0,
 * 1, -1, 2, -2 gave F(4, 3) 3.6; seven and eight 1.5 to 6. More outputs take higher powers of the points: in one
 * dimension F(5, 2), F(5, 3) and F(5, 4) have 2.2 to 2.7, F(6, 2) and F(6, 3) 2.6 to 3.2, F(7, 2) 3.5 to 3.9; in two
 * the squares of that.
 */
#ifndef TCONV_MINIMAL_FILTER_H
#define TCONV_MINIMAL_FILTER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Few outputs take no high powers of the points. */
enum { TCONV_FEW_TILE_OUTPUTS = 4, TCONV_MOST_TILE_OUTPUTS = 7, TCONV_MOST_TILE_TAPS = 7, TCONV_MOST_POINTS = 8 };

/* Points of interpolation; the last one is infinity. */
typedef struct tconv_interpolation {
  int32_t count;
  double error; /* tconv_filter_error() of at most TCONV_FEW_TILE_OUTPUTS */
  double at[TCONV_MOST_POINTS - 1];
  double scale[TCONV_MOST_POINTS];
  double input[TCONV_MOST_POINTS][TCONV_MOST_POINTS]; /* B': rows are points */
} tconv_interpolation;

/* Of F(outputs, taps), NULL where there is none: both are 1, or at least 2. */
static inline const tconv_interpolation *tconv_find_interpolation(int64_t outputs, int64_t taps) {
  static const tconv_interpolation all[] = {
      {1, 1, {0}, {1}, {{1}}},
      {3, 1.5, {0, 1}, {1, 1, 1}, {{1, -1}, {0, 1}, {0, -1, 1}}},
      {4, 1.5, {0, 1, -1}, {1, 1.0 / 2, 1.0 / 2, 1}, {{1, 0, -1}, {0, 1, 1}, {0, -1, 1}, {0, -1, 0, 1}}},
      {5,
       3,
       {0, 1, -2, -0.5},
       {-1.0 / 2, 1.0 / 9, -1.0 / 18, 8.0 / 9, 1.0 / 2},
       {{-2, -3, 3, 2}, {0, 2, 5, 2}, {0, -1, -1, 2}, {0, -2, 1, 1}, {0, -2, -3, 3, 2}}},
      {6,
       3,
       {0, 1, -1, 2, -0.5},
       {1.0 / 2, -1.0 / 6, 1.0 / 6, 1.0 / 30, -16.0 / 15, 1.0 / 2},
       {{2, 3, -4, -3, 2},
        {0, -2, -5, -1, 2},
        {0, 2, 1, -5, 2},
        {0, -1, -2, 1, 2},
        {0, 2, -1, -2, 1},
        {0, 2, 3, -4, -3, 2}}},
      {7,
       4,
       {0, 1, -1, -2, 0.5, -0.5},
       {1.0 / 2, 1.0 / 18, 1.0 / 6, -1.0 / 90, -8.0 / 15, -8.0 / 9, 1.0 / 4},
       {{2, 1, -10, -5, 8, 4},
        {0, -2, -3, 7, 12, 4},
        {0, 2, -1, -9, 4, 4},
        {0, 1, 0, -5, 0, 4},
        {0, -2, -5, 0, 5, 2},
        {0, 2, -3, -4, 3, 2},
        {0, 2, 1, -10, -5, 8, 4}}},
      {8,
       4,
       {0, 1, -1, 2, -2, 0.5, -0.5},
       {-1.0 / 4, -1.0 / 18, -1.0 / 18, 1.0 / 360, 1.0 / 360, 16.0 / 45, 16.0 / 45, 1.0 / 4},
       {{-4, 0, 21, 0, -21, 0, 4},
        {0, 4, 4, -17, -17, 4, 4},
        {0, -4, 4, 17, -17, -4, 4},
        {0, 2, 1, -10, -5, 8, 4},
        {0, -2, 1, 10, -5, -8, 4},
        {0, 4, 8, -5, -10, 1, 2},
        {0, -4, 8, 5, -10, -1, 2},
        {0, -4, 0, 21, 0, -21, 0, 4}}}};
  size_t i;
  if (outputs < 1 || outputs > TCONV_MOST_TILE_OUTPUTS || taps < 1 || (outputs == 1) != (taps == 1)) return NULL;
  for (i = 0; i < sizeof all / sizeof *all; ++i)
    if (all[i].count == outputs + taps - 1) return &all[i];
  return NULL;
}

/* How many times direct's error the results of F(outputs, taps) may have. */
static inline double tconv_filter_error(int64_t outputs, int64_t taps) {
  const double error = tconv_find_interpolation(outputs, taps)->error;
  return outputs > TCONV_FEW_TILE_OUTPUTS ? 2 * error : error;
}

static inline double tconv_point_power(const tconv_interpolation *points, int64_t point, int64_t exponent,
                                       int64_t exponents) {
  double power = 1;
  if (point == points->count - 1) return exponent == exponents - 1;
  while (exponent-- > 0) power *= points->at[point];
  return power;
}

/* G[point][tap], of a filter of `taps`. */
static inline double tconv_weight_factor(const tconv_interpolation *points, int64_t point, int64_t tap, int64_t taps) {
  return points->scale[point] * tconv_point_power(points, point, tap, taps);
}

/* A'[output][point], of a tile of `outputs`. */
static inline double tconv_output_factor(const tconv_interpolation *points, int64_t output, int64_t point,
                                         int64_t outputs) {
  return tconv_point_power(points, point, output, outputs);
}

#ifdef __cplusplus
}
#endif

#endif
