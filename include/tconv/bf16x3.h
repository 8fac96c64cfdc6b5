/* Sums of float32 products by matrix units that multiply bfloat16 numbers and add up in float32 (x86: AMX).
 *
 * A float32 number is the sum of three bfloat16 ones, each the rounded rest of those before, and of the nine products
 * of two such sums the six largest make up the product but for little more than 2^-23 of it, two float32 roundings
 * (Henry, Tang & Heinecke 2019, arXiv:1904.06376). The result is as exact as a float32 sum: of 64 to 256 channels its
 * largest error was a third to a half of the direct sum's, and the tests hold it to direct's bound. It differs where
 * numbers are no ordinary ones: parts below 2^-126 count as zero, and an infinity, or a number that rounds to one
 * (beyond 3.39e38), makes its outputs NaN.
 *
 * The units multiply tiles of 16 rows by 16 columns by 32 channels, a chunk. Positions of the input lie
 *     [position][chunk][part][channel of 32]
 * and packed weights of a panel
 *     [point][chunk][part][columns / 16][channel pair][column of 16][channel of the pair].
 * Channels that fill up a chunk are zero.
 */
#ifndef TCONV_BF16X3_H
#define TCONV_BF16X3_H

#include <string.h>

#include "tconv/geometry.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  TCONV_SPLIT_PARTS = 3,
  TCONV_SPLIT_CHUNK = 32,        /* channels that a tile multiplies */
  TCONV_SPLIT_TILE = 16,         /* rows, and columns, of a tile */
  TCONV_SPLIT_ROWS = 32,         /* positions of a register tile: sums are written up to a multiple of it */
  TCONV_SPLIT_CHUNK_FLOATS = 48, /* TCONV_SPLIT_PARTS * TCONV_SPLIT_CHUNK / 2 */
  TCONV_SPLIT_ROUND = 0x8000     /* half of what the lower half of a float counts to */
};

static inline int64_t tconv_split_chunks(int64_t channels) { return tconv_ceil_div(channels, TCONV_SPLIT_CHUNK); }

/* What so many channels take, in floats, and from one position to the next: an odd number of cache lines, as rows of a
 * tile that are a power of two apart would lie in a few sets of the first-level cache. */
static inline int64_t tconv_split_floats(int64_t channels) {
  return tconv_split_chunks(channels) * TCONV_SPLIT_CHUNK_FLOATS;
}
static inline int64_t tconv_split_row_floats(int64_t channels) {
  const int64_t line = 16, lines = tconv_split_floats(channels) / line;
  return (lines + (lines % 2 == 0)) * line;
}

/* A part of a number, the nearest bfloat16: the upper half of a float. `rest` is what the next parts add up to. The
 * last part is no longer than that, and keeps what is no number. */
static inline uint16_t tconv_split_part(int part, float value, float *rest) {
  uint32_t bits;
  float rounded;
  memcpy(&bits, &value, sizeof bits);
  if (part < TCONV_SPLIT_PARTS - 1) bits += TCONV_SPLIT_ROUND;
  bits &= 0xffff0000u;
  memcpy(&rounded, &bits, sizeof rounded);
  *rest = value - rounded;
  return (uint16_t)(bits >> 16);
}

/* Puts a weight in its places of a point's: [chunk] and on, as above. */
static inline void tconv_pack_split(float *point, int64_t panel, int64_t channel, int64_t column, float weight) {
  const int64_t in_chunk = channel % TCONV_SPLIT_CHUNK, tile = TCONV_SPLIT_TILE * TCONV_SPLIT_CHUNK;
  const int64_t part_size = panel * TCONV_SPLIT_CHUNK;
  int64_t at = channel / TCONV_SPLIT_CHUNK * TCONV_SPLIT_PARTS * part_size + column / TCONV_SPLIT_TILE * tile +
               (in_chunk / 2 * TCONV_SPLIT_TILE + column % TCONV_SPLIT_TILE) * 2 + in_chunk % 2;
  int part;
  for (part = 0; part < TCONV_SPLIT_PARTS; ++part, at += part_size) {
    const uint16_t rounded = tconv_split_part(part, weight, &weight);
    memcpy((char *)point + at * (int64_t)sizeof rounded, &rounded, sizeof rounded);
  }
}

#ifdef __cplusplus
}
#endif

#endif
