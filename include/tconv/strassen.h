/* Strassen's product of 2 x 2 blocks by seven multiplications in place of eight (1969, doi:10.1007/BF02165411), for
 * phases of one tap, whose sums Winograd's minimal filtering cannot shorten.
 *
 * In one dimension the blocks are those of two neighbouring positions by the halves of the input channels, times those
 * of the halves by two phases that lie half a stride apart. So the two phases together are one of half the stride:
 * their outputs follow one another. Nested, once for each dimension, halves are cut into quarters and eighths. As by
 * Winograd's method, the input is transformed to points, multiplied with transformed weights point by point, and the
 * products are transformed to outputs.
 *
 * Only the taps of one filter share a block. So the error of an output is relative to its own filter and to its tile,
 * as by Winograd's method. Of 128 channels, root mean square errors were 1.6 times the direct sum's with one dimension
 * in pairs, 2.6 times with two.
 */
#ifndef TCONV_STRASSEN_H
#define TCONV_STRASSEN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TCONV_STRASSEN_POINTS = 7, TCONV_STRASSEN_BLOCKS = 4, TCONV_STRASSEN_SIDE = 2 };

/* How many times direct's error a result may have, in each dimension. */
#define TCONV_STRASSEN_ERROR 3.0

/* The factors of each block in one point: of the input [position][half of the channels], of the weights
 * [half][phase], and of the point in the outputs [position][phase]. */
typedef struct tconv_strassen_point {
  int8_t input[TCONV_STRASSEN_BLOCKS], weights[TCONV_STRASSEN_BLOCKS], output[TCONV_STRASSEN_BLOCKS];
} tconv_strassen_point;

static inline const tconv_strassen_point *tconv_strassen_points(void) {
  static const tconv_strassen_point all[TCONV_STRASSEN_POINTS] = {
      {{1, 0, 0, 1}, {1, 0, 0, 1}, {1, 0, 0, 1}},  {{0, 0, 1, 1}, {1, 0, 0, 0}, {0, 0, 1, -1}},
      {{1, 0, 0, 0}, {0, 1, 0, -1}, {0, 1, 0, 1}}, {{0, 0, 0, 1}, {-1, 0, 1, 0}, {1, 0, 1, 0}},
      {{1, 1, 0, 0}, {0, 0, 0, 1}, {-1, 1, 0, 0}}, {{-1, 0, 1, 0}, {1, 1, 0, 0}, {0, 0, 0, 1}},
      {{0, 1, 0, -1}, {0, 0, 1, 1}, {1, 0, 0, 0}}};
  return all;
}

#ifdef __cplusplus
}
#endif

#endif
