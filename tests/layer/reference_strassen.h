// Strassen's transforms by hand (tconv/strassen.h), in double, beside the products of reference_tiles.h: dimensions of
// seven points are paired. Written from the seven products as sums of blocks, not from the tables of strassen.h.
#ifndef TCONV_TESTS_REFERENCE_STRASSEN_H
#define TCONV_TESTS_REFERENCE_STRASSEN_H

#include <array>

#include "reference_tiles.h"
#include "tconv/strassen.h"

namespace tconv::test {

// a[position][half of the channels] in the product `point`.
inline double strassen_input(std::int64_t point, const std::array<std::array<double, 2>, 2> &a) {
  switch (point) {
    case 0: return a[0][0] + a[1][1];
    case 1: return a[1][0] + a[1][1];
    case 2: return a[0][0];
    case 3: return a[1][1];
    case 4: return a[0][0] + a[0][1];
    case 5: return a[1][0] - a[0][0];
    default: return a[0][1] - a[1][1];
  }
}

// The output of a position and a phase.
inline double strassen_output(std::int64_t position, std::int64_t phase, const std::array<double, 7> &m) {
  if (position == 0) return phase == 0 ? m[0] + m[3] - m[4] + m[6] : m[2] + m[4];
  return phase == 0 ? m[1] + m[3] : m[0] - m[1] + m[2] + m[5];
}

inline bool is_paired(const View &points, int i) { return points.extent(4 + i) == 7; }

// One point: of each paired dimension from `i` outwards, two positions and two halves of the channels; `from` is the
// element that all positions and halves so far name.
inline double strassen_point(const View &in, const View &out, const Position &point, int i, std::int64_t half,
                             std::int64_t from) {
  if (i == 3) return static_cast<double>(*in.at(from));
  if (!is_paired(out, i)) return strassen_point(in, out, point, i + 1, half, from);
  std::array<std::array<double, 2>, 2> a;
  for (int position = 0; position < 2; ++position)
    for (int second = 0; second < 2; ++second)
      a[static_cast<std::size_t>(position)][static_cast<std::size_t>(second)] = strassen_point(
          in, out, point, i + 1, 2 * half, from + position * in.stride(1 + i) + second * half * in.stride(0));
  return strassen_input(point[static_cast<std::size_t>(i)], a);
}

inline int reference_strassen_input(void **argv) {
  const View in(argv[0]), out(argv[1]);
  std::int64_t parts = 1;
  for (int i = 0; i < 3; ++i) {
    const std::int64_t positions = is_paired(out, i) ? 2 : 1;
    parts *= positions;
    if (out.extent(1 + i) * positions > in.extent(1 + i)) return 1;
  }
  if (in.extent(0) != parts * out.extent(0)) return 2;
  for_each_below(out, 1, [&](const Position &tile) {
    for_each_below(out, 4, [&](const Position &point) {
      for (std::int64_t c = 0; c < out.extent(0); ++c) {
        std::int64_t from = c * in.stride(0);
        for (int i = 0; i < 3; ++i)
          from += tile[static_cast<std::size_t>(i)] * (is_paired(out, i) ? 2 : 1) * in.stride(1 + i);
        *out.at(c * out.stride(0) + offset(out, 1, tile) + offset(out, 4, point)) =
            static_cast<float>(strassen_point(in, out, point, 0, out.extent(0), from));
      }
    });
  });
  return 0;
}

// One output: of each paired dimension from `i` outwards, all points; `from` is the product of those so far.
inline double strassen_sum(const View &in, const Position &j, int i, std::int64_t from) {
  if (i == 3) return static_cast<double>(*in.at(from));
  if (!is_paired(in, i)) return strassen_sum(in, j, i + 1, from);
  std::array<double, 7> m;
  for (std::size_t p = 0; p < m.size(); ++p)
    m[p] = strassen_sum(in, j, i + 1, from + static_cast<std::int64_t>(p) * in.stride(4 + i));
  return strassen_output(j[static_cast<std::size_t>(i)] / 2, j[static_cast<std::size_t>(i)] % 2, m);
}

inline int reference_strassen_output(void **argv) {
  const View in(argv[0]), bias(argv[1]), out(argv[8]);
  int failed = 0;
  for (int i = 0; i < 3; ++i)
    if (in.extent(1 + i) != out.extent(4 + i) || out.extent(1 + i) != (is_paired(in, i) ? 4 : 1)) return 1;
  if (out.extent(0) > bias.extent(0) || out.extent(0) > in.extent(0)) return 2;
  for_each_below(out, 4, [&](const Position &tile) {
    for_each_below(out, 1, [&](const Position &j) {
      if (!is_inside(argv, out, tile, j)) return;
      for (std::int64_t column = 0; column < out.extent(0); ++column) {
        const double sum = strassen_sum(in, j, 0, column * in.stride(0) + offset(in, 1, tile));
        float *const to = out.at(column * out.stride(0) + offset(out, 1, j) + offset(out, 4, tile));
        if (reference_expects_nan && !std::isnan(*to)) failed = 3;
        *to = static_cast<float>(sum + static_cast<double>(*bias.at(column)));
      }
    });
  });
  return failed;
}

inline void set_strassen_functions(ReferenceTileKernel &reference) {
  reference.tiles[0].transform_input = reference_strassen_input;
  reference.tiles[0].transform_output = reference_strassen_output;
}

}  // namespace tconv::test

#endif
