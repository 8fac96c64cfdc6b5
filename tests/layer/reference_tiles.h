// Winograd's functions by hand, in double, as tconv_tile_functions in tconv/kernel.h says: what the driver's tests call
// in place of compiled ones. Refuses arrays that do not fit together.
#ifndef TCONV_TESTS_REFERENCE_TILES_H
#define TCONV_TESTS_REFERENCE_TILES_H

#include <cmath>
#include <utility>

#include "reference_kernel.h"
#include "tconv/winograd.h"

namespace tconv::test {

// Outputs of a tile of each kind of phases, [0] the innermost dimension; a compiled kernel has them as constants.
inline Position reference_tile_outputs[TCONV_TILE_KINDS];

// What `products` may read of a row beyond its end is a multiple of this.
inline constexpr std::int32_t reference_rows[] = {3, 4};

// Of the Halide dimension i, from the points that the arrays have.
template <int kind>
const tconv_interpolation *reference_points(const View &view, int first_point, int i) {
  const std::int64_t outputs = reference_tile_outputs[kind][static_cast<std::size_t>(i)];
  return tconv_find_interpolation(outputs, view.extent(first_point + i) - outputs + 1);
}

// Calls `visit` with every position below the extents of the dimensions first, first + 1, first + 2, [0] the innermost.
template <typename Visit>
void for_each_below(const View &view, int first, Visit visit) {
  for_each_position({view.extent(first + 2), view.extent(first + 1), view.extent(first)}, [&](const Position &at) {
    visit(Position{at[2], at[1], at[0]});
  });
}

inline std::int64_t offset(const View &view, int first, const Position &at) {
  return at[0] * view.stride(first) + at[1] * view.stride(first + 1) + at[2] * view.stride(first + 2);
}

template <int kind>
int reference_transform_input(void **argv) {
  const View in(argv[0]), out(argv[1]);
  const tconv_interpolation *filter[3];
  Position window;
  for (int i = 0; i < 3; ++i) {
    const auto k = static_cast<std::size_t>(i);
    filter[i] = reference_points<kind>(out, 4, i);
    if (filter[i] == nullptr || in.extent(0) != out.extent(0)) return 1;
    window[2 - k] = out.extent(4 + i);
    if ((out.extent(1 + i) - 1) * reference_tile_outputs[kind][k] + out.extent(4 + i) > in.extent(1 + i)) return 2;
  }
  for_each_below(out, 1, [&](const Position &tile) {
    for_each_below(out, 4, [&](const Position &point) {
      for (std::int64_t c = 0; c < out.extent(0); ++c) {
        double sum = 0;
        for_each_position(window, [&](const Position &w) {
          std::int64_t from = c * in.stride(0);
          double factor = 1;
          for (std::size_t i = 0; i < 3; ++i) {
            from += (tile[i] * reference_tile_outputs[kind][i] + w[2 - i]) * in.stride(1 + static_cast<int>(i));
            factor *= filter[i]->input[point[i]][w[2 - i]];
          }
          sum += factor * static_cast<double>(*in.at(from));
        });
        *out.at(c * out.stride(0) + offset(out, 1, tile) + offset(out, 4, point)) = static_cast<float>(sum);
      }
    });
  });
  return 0;
}

template <std::int32_t rows>
int reference_products(void **argv) {
  const View in(argv[0]), weights(argv[1]), written(argv[2]), out(argv[3]);
  for (int i = 1; i < 4; ++i)
    if (written.extent(i) < 1) return 2;
  if (in.extent(0) != weights.extent(1) || in.extent(4) != weights.extent(2) || out.extent(4) != in.extent(4) ||
      out.extent(0) != weights.extent(0) || in.extent(1) != tconv_round_up(out.extent(1), rows))
    return 1;
  // A register tile reads to the end of the last row.
  [[maybe_unused]] volatile float touched =
      *in.at((in.extent(0) - 1) * in.stride(0) + (in.extent(1) - 1) * in.stride(1) + (in.extent(2) - 1) * in.stride(2) +
             (in.extent(3) - 1) * in.stride(3) + (in.extent(4) - 1) * in.stride(4));
  for (std::int64_t point = 0; point < out.extent(4); ++point)
    for_each_below(out, 1, [&](const Position &tile) {
      for (std::int64_t column = 0; column < out.extent(0); ++column) {
        double sum = 0;
        for (std::int64_t c = 0; c < in.extent(0); ++c)
          sum += static_cast<double>(*in.at(c * in.stride(0) + offset(in, 1, tile) + point * in.stride(4))) *
                 static_cast<double>(
                     *weights.at(column * weights.stride(0) + c * weights.stride(1) + point * weights.stride(2)));
        *out.at(column * out.stride(0) + offset(out, 1, tile) + point * out.stride(4)) = static_cast<float>(sum);
      }
    });
  return 0;
}

// Whether output `j` of a tile lies in the output, whose first and extent are arguments of transform_output.
inline bool is_inside(void *const *argv, const View &out, const Position &tile, const Position &j) {
  for (std::size_t i = 0; i < 3; ++i) {
    const std::int64_t q = *static_cast<const std::int32_t *>(argv[2 + i]) + tile[i] * out.extent(1 + int(i)) + j[i];
    if (q < 0 || q >= *static_cast<const std::int32_t *>(argv[5 + i])) return false;
  }
  return true;
}

template <int kind>
int reference_transform_output(void **argv) {
  const View in(argv[0]), bias(argv[1]), out(argv[8]);
  const tconv_interpolation *filter[3];
  const Position points = {in.extent(6), in.extent(5), in.extent(4)};
  int failed = 0;
  for (int i = 0; i < 3; ++i) {
    filter[i] = reference_points<kind>(in, 4, i);
    if (filter[i] == nullptr || in.extent(1 + i) != out.extent(4 + i) ||
        out.extent(1 + i) != reference_tile_outputs[kind][static_cast<std::size_t>(i)])
      return 1;
  }
  if (out.extent(0) > bias.extent(0) || out.extent(0) > in.extent(0)) return 2;
  for_each_below(out, 4, [&](const Position &tile) {
    for_each_below(out, 1, [&](const Position &j) {
      if (!is_inside(argv, out, tile, j)) return;
      for (std::int64_t column = 0; column < out.extent(0); ++column) {
        double sum = static_cast<double>(*bias.at(column));
        for_each_position(points, [&](const Position &p) {
          double factor = 1;
          for (std::size_t i = 0; i < 3; ++i)
            factor *= tconv_output_factor(filter[i], j[i], p[2 - i], out.extent(1 + int(i)));
          sum += factor * static_cast<double>(
                              *in.at(column * in.stride(0) + offset(in, 1, tile) + offset(in, 4, {p[2], p[1], p[0]})));
        });
        float *const to = out.at(column * out.stride(0) + offset(out, 1, j) + offset(out, 4, tile));
        if (reference_expects_nan && !std::isnan(*to)) failed = 3;
        *to = static_cast<float>(sum);
      }
    });
  });
  return failed;
}

// A kernel of Winograd's method. Not copied: it points into itself.
struct ReferenceTileKernel {
  explicit ReferenceTileKernel(const tconv_tiling &tiling) {
    kernel.tiling = tiling;
    set_kinds(std::make_integer_sequence<int, TCONV_TILE_KINDS>());
  }
  ReferenceTileKernel(const ReferenceTileKernel &) = delete;
  ReferenceTileKernel &operator=(const ReferenceTileKernel &) = delete;

  template <int... kinds>
  void set_kinds(std::integer_sequence<int, kinds...>) {
    (set_kind<kinds>(), ...);
  }
  template <int kind>
  void set_kind() {
    if (!tconv_has_kind(&kernel.tiling, kind)) return;
    tiles[kind] = {reference_transform_input<kind>, reference_transform_output<kind>, products, reference_rows, 2};
    for (int d = 0; d < TCONV_MAX_RANK; ++d)
      reference_tile_outputs[kind][static_cast<std::size_t>(2 - d)] = kernel.tiling.tile_outputs[kind >> d & 1][d];
  }

  tconv_function products[2] = {reference_products<reference_rows[0]>, reference_products<reference_rows[1]>};
  tconv_tile_functions tiles[TCONV_TILE_KINDS] = {};
  tconv_path path = {"reference",         {0, 0},        nullptr, {1, 1, 1}, nullptr, reference_softmax, tiles,
                     reference_transpose, reference_copy};
  tconv_kernel kernel = {TCONV_ABI_VERSION, 0, "reference", "reference", {}, nullptr, 0, &path, 1, nullptr};
};

}  // namespace tconv::test

#endif
