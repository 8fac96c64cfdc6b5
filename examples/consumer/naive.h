/* The layer of decoder.json as a plain loop in double precision, and numbers to feed it: what both programs of this
 * project compare with. For any height and width. C99 and C++. */
#ifndef NAIVE_H
#define NAIVE_H

#include <math.h>
#include <stddef.h>

enum { IN_CHANNELS = 16, FILTERS = 8, KERNEL = 3, STRIDE = 2 };
enum { KERNEL_SIZE = KERNEL * KERNEL * FILTERS * IN_CHANNELS };

/* Of sums of up to 64 products of numbers below 1, added up one by one; and by a kernel compiled for this layer, which
 * may use Winograd's tiles F(4, 2) in both dimensions: nine times 2e-6, what plain sums really have (tconv/winograd.h).
 */
#define MOST_PLAIN_ERROR 1e-5
#define MOST_TILE_ERROR 2e-5

/* Numbers between -1 and 1 without a pattern that would hide a swapped index. */
static inline void fill(float *array, size_t size, unsigned seed) {
  size_t i;
  for (i = 0; i < size; ++i) {
    seed = seed * 1664525U + 1013904223U;
    array[i] = (float)((double)(seed >> 8) / (1 << 23) - 1);
  }
}

/* One output, at row `y` and column `x`, in channel `c`. Keras' padding "same" crops (KERNEL - STRIDE) / 2 rows and
 * columns at the start, which is none, and the rest at the end. The kernel is in Keras' order: row, column, out, in. */
static inline double naive_output(const float *input, int height, int width, const float *kernel, const float *bias,
                                  int y, int x, int c) {
  double sum = bias[c];
  int ky, kx, i;
  for (ky = 0; ky < KERNEL; ++ky) {
    for (kx = 0; kx < KERNEL; ++kx) {
      const int iy = (y - ky) / STRIDE, ix = (x - kx) / STRIDE;
      if (y < ky || x < kx || (y - ky) % STRIDE || (x - kx) % STRIDE || iy >= height || ix >= width) continue;
      for (i = 0; i < IN_CHANNELS; ++i)
        sum += (double)input[(iy * width + ix) * IN_CHANNELS + i] *
               (double)kernel[((ky * KERNEL + kx) * FILTERS + c) * IN_CHANNELS + i];
    }
  }
  return sum > 0 ? sum : 0;
}

/* The largest difference of `output`, of STRIDE * height rows and STRIDE * width columns. */
static inline double largest_error(const float *input, int height, int width, const float *kernel, const float *bias,
                                   const float *output) {
  double largest = 0;
  int y, x, c;
  for (y = 0; y < STRIDE * height; ++y) {
    for (x = 0; x < STRIDE * width; ++x) {
      for (c = 0; c < FILTERS; ++c) {
        const double got = output[(y * STRIDE * width + x) * FILTERS + c];
        const double error = fabs(got - naive_output(input, height, width, kernel, bias, y, x, c));
        if (!(error <= largest)) largest = error; /* a NaN counts as an error, too */
      }
    }
  }
  return largest;
}

#endif
