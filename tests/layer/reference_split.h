// The functions of a kernel whose numbers are split (tconv/bf16x3.h), by hand: sums in double, of the products that
// matrix units add up. They read and write beyond the last position as compiled ones do.
#ifndef TCONV_TESTS_REFERENCE_SPLIT_H
#define TCONV_TESTS_REFERENCE_SPLIT_H

#include <cstring>
#include <limits>
#include <vector>

#include "reference_tiles.h"
#include "tconv/bf16x3.h"

namespace tconv::test {

inline float from_bf16(std::uint16_t value) {
  const std::uint32_t bits = static_cast<std::uint32_t>(value) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

inline int reference_split_input(void **argv) {
  const View in(argv[0]);
  const auto *const out = static_cast<const halide_buffer_t *>(argv[1]);
  if (out->type.code != halide_type_uint || out->type.bits != 16 || out->dimensions != 6) return 1;
  if (out->dim[0].extent != TCONV_SPLIT_CHUNK || out->dim[1].extent != TCONV_SPLIT_PARTS) return 2;
  for (int d = 0; d < 3; ++d)
    if (out->dim[3 + d].extent != in.extent(1 + d)) return 3;
  if (out->dim[2].extent != tconv_split_chunks(in.extent(0))) return 4;
  for_each_below(in, 1, [&](const Position &at) {
    for (std::int64_t c = 0; c < std::int64_t{out->dim[2].extent} * TCONV_SPLIT_CHUNK; ++c) {
      std::int64_t to = c / TCONV_SPLIT_CHUNK * out->dim[2].stride + c % TCONV_SPLIT_CHUNK;
      for (int i = 0; i < 3; ++i) to += at[static_cast<std::size_t>(i)] * out->dim[3 + i].stride;
      float rest = c < in.extent(0) ? *in.at(c * in.stride(0) + offset(in, 1, at)) : 0.0f;
      for (int part = 0; part < TCONV_SPLIT_PARTS; ++part)
        reinterpret_cast<std::uint16_t *>(out->host)[to + part * out->dim[1].stride] =
            tconv_split_part(part, rest, &rest);
    }
  });
  return 0;
}

// The parts of a number, so many halves of a float from one to the next.
struct Parts {
  double part[TCONV_SPLIT_PARTS];
};

inline Parts read_parts(const std::uint16_t *from, std::int64_t stride) {
  Parts parts;
  for (double &part : parts.part) {
    part = static_cast<double>(from_bf16(*from));
    from += stride;
  }
  return parts;
}

// The six of the nine products that count. Sums of parts are exact.
inline double multiply(const Parts &left, const Parts &right) {
  const double first_two = right.part[0] + right.part[1];
  return left.part[0] * (first_two + right.part[2]) + left.part[1] * first_two + left.part[2] * right.part[0];
}

// Packed weights of a panel, (column, tap, channel), channels that fill up a chunk included.
inline void read_weights(const View &weights, std::int64_t panel, std::int64_t depth, std::vector<Parts> &all) {
  const auto *const from = reinterpret_cast<const std::uint16_t *>(weights.at(0));
  all.clear();
  for (std::int64_t column = 0; column < panel; ++column)
    for (std::int64_t c = 0; c < depth; ++c) {
      const std::int64_t inside = c % TCONV_SPLIT_CHUNK, part_size = TCONV_SPLIT_CHUNK * panel;
      all.push_back(read_parts(from + c / TCONV_SPLIT_CHUNK * TCONV_SPLIT_PARTS * part_size + column / 16 * 512 +
                                   inside / 2 * 32 + column % 16 * 2 + inside % 2,
                               part_size));
    }
}

inline int reference_split_sums(void **argv) {
  const View split(argv[0]), weights(argv[1]), sums(argv[2]);
  const std::int64_t panel = sums.extent(0), positions = sums.extent(1);
  const std::int64_t taps = split.extent(2) * split.extent(3) * split.extent(4);
  const std::int64_t chunks = weights.extent(0) / taps / panel / TCONV_SPLIT_CHUNK_FLOATS;
  const std::int64_t channels = chunks * TCONV_SPLIT_CHUNK, depth = taps * channels;
  if (split.extent(1) != positions || sums.stride(1) != panel || chunks * TCONV_SPLIT_CHUNK_FLOATS > split.extent(0))
    return 1;
  // Large: under ThreadSanitizer, to allocate them anew takes longer than all else.
  thread_local std::vector<Parts> left, right;
  read_weights(weights, panel, depth, right);
  for (std::int64_t position = 0; position < tconv_round_up(positions, TCONV_SPLIT_ROWS); ++position) {
    left.clear();
    for_each_position({split.extent(4), split.extent(3), split.extent(2)}, [&](const Position &t) {
      const auto *const row = reinterpret_cast<const std::uint16_t *>(split.at(position * split.stride(1)) +
                                                                      offset(split, 2, {t[2], t[1], t[0]}));
      for (std::int64_t c = 0; c < channels; ++c)
        left.push_back(
            read_parts(row + c / TCONV_SPLIT_CHUNK * TCONV_SPLIT_CHUNK * TCONV_SPLIT_PARTS + c % TCONV_SPLIT_CHUNK,
                       TCONV_SPLIT_CHUNK));
    });
    for (std::int64_t column = 0; column < panel; ++column) {
      double sum = position < positions ? 0 : std::numeric_limits<double>::quiet_NaN();
      for (std::int64_t c = 0; position < positions && c < depth; ++c)
        sum += multiply(left[static_cast<std::size_t>(c)], right[static_cast<std::size_t>(column * depth + c)]);
      *sums.at(position * panel + column) = static_cast<float>(sum);
    }
  }
  return 0;
}

// All kinds share them.
inline void set_split_functions(ReferenceTileKernel &reference) {
  static const std::int32_t rows[] = {TCONV_SPLIT_ROWS};
  reference.products[0] = reference_split_sums;
  for (int kind = 0; kind < TCONV_TILE_KINDS; ++kind)
    if (tconv_has_kind(&reference.kernel.tiling, kind)) {
      reference.tiles[kind].transform_input = reference_split_input;
      reference.tiles[kind].rows = rows;
      reference.tiles[kind].products_count = 1;
    }
}

}  // namespace tconv::test

#endif
