// A compiled kernel's double, written by hand: it obeys the argument convention of tconv/kernel.h with plain loops, so
// that driver and layer are tested without the compiler. It refuses what a compiled kernel may not be given: windows
// that do not reach as far as a register tile reads, outputs that were written before.
#ifndef TCONV_TESTS_REFERENCE_KERNEL_H
#define TCONV_TESTS_REFERENCE_KERNEL_H

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "HalideRuntime.h"
#include "naive_scatter.h"
#include "tconv/classes.h"

namespace tconv::test {

// What a compiled kernel knows from its schedule and this one must be told; [0] is the innermost dimension.
inline Position reference_tile = {1, 1, 1};
// Outputs are written once: what is not this NaN beforehand was written by another task.
inline bool reference_expects_nan = false;

// Of a layer whose phases are united; [0] is the innermost dimension.
inline Position reference_strides = {1, 1, 1};

// Where copies overwrite nothing: the output, which the test filled with NaN; none: empty.
struct Range {
  const float *begin = nullptr, *end = nullptr;
};
inline Range reference_unwritten;

inline float unwritten() { return std::numeric_limits<float>::quiet_NaN(); }

// A halide_buffer_t of float; a dimension that it does not have is trivial.
struct View {
  explicit View(const void *argument) : buffer(*static_cast<const halide_buffer_t *>(argument)) {}

  std::int64_t extent(int dim) const { return dim < buffer.dimensions ? buffer.dim[dim].extent : 1; }
  std::int64_t stride(int dim) const { return dim < buffer.dimensions ? buffer.dim[dim].stride : 0; }
  float *at(std::int64_t offset) const { return reinterpret_cast<float *>(buffer.host) + offset; }

  halide_buffer_t buffer;
};

struct Arguments {
  explicit Arguments(void **argv)
      : rank(static_cast<const halide_buffer_t *>(argv[0])->dimensions - 2),
        in(argv[0]),
        weights(argv[1]),
        bias(argv[2]),
        out(argv[3 + 2 * rank]) {
    for (int i = 0; i < rank; ++i) {
      const auto k = static_cast<std::size_t>(i);
      taps[k] = *static_cast<const std::int32_t *>(argv[3 + i]);
      steps[k] = *static_cast<const std::int32_t *>(argv[3 + rank + i]);
    }
  }

  // Positions of all dimensions, [0] the innermost; a missing dimension has one.
  Position out_extent(int first) const {
    Position extent = {1, 1, 1};
    for (int i = 0; i < rank; ++i) extent[static_cast<std::size_t>(i)] = out.extent(first + i);
    return extent;
  }

  // Input channels of a group; with lane sums those of a row, which runs on over neighbouring taps.
  std::int64_t inputs() const {
    const std::int64_t all = taps[0] * taps[1] * taps[2];
    return all > 0 ? weights.extent(1) / all : in.extent(0);
  }

  int rank;
  View in, weights, bias, out;
  Position taps = {1, 1, 1}, steps = {1, 1, 1};
};

// The input that a register tile reads, beyond the last position: present, and memory that may be touched.
inline bool window_reaches(const Arguments &a, const Position &tile) {
  if (a.taps[0] * a.taps[1] * a.taps[2] == 0) return true;
  std::int64_t last = (a.inputs() - 1) * a.in.stride(0) + (a.in.extent(1) - 1) * a.in.stride(1);
  for (int i = 0; i < a.rank; ++i) {
    const auto k = static_cast<std::size_t>(i);
    const std::int64_t needed = tconv_round_up(a.out.extent(2 + i), tile[k]) + (a.taps[k] - 1) * a.steps[k];
    if (needed > a.in.extent(2 + i)) return false;
    last += (needed - 1) * a.in.stride(2 + i);
  }
  [[maybe_unused]] volatile float touched = *a.in.at(last);
  return true;
}

inline bool shapes_agree(const Arguments &a, bool dense) {
  const std::int64_t panel = a.weights.extent(0), outputs = a.out.extent(0), groups = a.out.extent(1);
  const Position phases = a.out_extent(2 + a.rank);
  const std::int64_t each = dense ? outputs : tconv_round_up(outputs, panel);
  const std::int64_t columns = phases[0] * phases[1] * phases[2] * each;
  const std::int64_t depth = a.inputs() * a.taps[0] * a.taps[1] * a.taps[2];
  return a.in.extent(0) == a.inputs() && a.in.extent(1) == groups && a.weights.extent(3) == groups &&
         a.bias.extent(1) == groups && a.weights.extent(1) == tconv_max(depth, 1) &&
         a.weights.extent(2) == tconv_ceil_div(columns, panel) && a.bias.extent(0) >= outputs;
}

inline double one_output(const Arguments &a, std::int64_t group, std::int64_t co, std::int64_t column,
                         const Position &q) {
  const std::int64_t inputs = a.inputs(), panel = a.weights.extent(0);
  const std::int64_t w =
      column % panel * a.weights.stride(0) + column / panel * a.weights.stride(2) + group * a.weights.stride(3);
  double sum = *a.bias.at(co * a.bias.stride(0) + group * a.bias.stride(1));
  std::int64_t depth = 0;
  for_each_position({a.taps[2], a.taps[1], a.taps[0]}, [&](const Position &tap) {
    std::int64_t from = group * a.in.stride(1);
    for (int i = 0; i < a.rank; ++i) {
      const auto k = static_cast<std::size_t>(i);
      from += (q[k] + tap[2 - k] * a.steps[k]) * a.in.stride(2 + i);
    }
    for (std::int64_t ci = 0; ci < inputs; ++ci, ++depth) {
      sum += static_cast<double>(*a.in.at(from + ci * a.in.stride(0))) * *a.weights.at(w + depth * a.weights.stride(1));
    }
  });
  return sum;
}

// input (ci, group, spatial), weights (column, depth, panel, group), bias (co, group), taps and steps, output (co,
// group, spatial, phase).
inline int compute_phases(void **argv, bool dense, const Position &tile) {
  const Arguments a(argv);
  if (!window_reaches(a, tile)) return 1;
  if (!shapes_agree(a, dense)) return 2;
  const std::int64_t outputs = a.out.extent(0);
  const std::int64_t each = dense ? outputs : tconv_round_up(outputs, a.weights.extent(0));
  const Position size = a.out_extent(2), phases = a.out_extent(2 + a.rank);
  int failed = 0;
  for_each_position({phases[2], phases[1], phases[0]}, [&](const Position &p) {
    for_each_position({size[2], size[1], size[0]}, [&](const Position &at) {
      const Position q = {at[2], at[1], at[0]};
      const std::int64_t phase = (p[0] * phases[1] + p[1]) * phases[0] + p[2];
      std::int64_t to = 0;
      for (int i = 0; i < a.rank; ++i) {
        const auto k = static_cast<std::size_t>(i);
        to += q[k] * a.out.stride(2 + i) + p[2 - k] * a.out.stride(2 + a.rank + i);
      }
      for (std::int64_t group = 0; group < a.out.extent(1); ++group) {
        for (std::int64_t co = 0; co < outputs; ++co) {
          float *const out = a.out.at(to + co * a.out.stride(0) + group * a.out.stride(1));
          if (reference_expects_nan && !std::isnan(*out)) failed = 3;
          *out = static_cast<float>(one_output(a, group, co, phase * each + co, q));
        }
      }
    });
  });
  return failed;
}

// The same with united phases: output (co, group, outputs, one phase), a filter's columns one behind the other.
inline int reference_united_phases(void **argv) {
  const Arguments a(argv);
  const Position &stride = reference_strides;
  const std::int64_t phases = stride[0] * stride[1] * stride[2], columns = a.out.extent(0) * phases;
  Position size = {1, 1, 1};
  for (int i = 0; i < a.rank; ++i) {
    const auto k = static_cast<std::size_t>(i);
    size[k] = a.out.extent(2 + i);
    if (size[k] % stride[k] != 0 || a.out.extent(2 + a.rank + i) != 1) return 1;
    if (size[k] / stride[k] < reference_tile[k]) return 5;
    if (size[k] / stride[k] + (a.taps[k] - 1) * a.steps[k] > a.in.extent(2 + i)) return 2;
  }
  if (a.weights.extent(0) % phases != 0 || a.weights.extent(2) != tconv_ceil_div(columns, a.weights.extent(0)))
    return 3;
  int failed = 0;
  for_each_position({size[2], size[1], size[0]}, [&](const Position &at) {
    Position q = {0, 0, 0};
    std::int64_t phase = 0, to = 0;
    for (int i = a.rank - 1; i >= 0; --i) {
      const auto k = static_cast<std::size_t>(i);
      q[k] = at[2 - k] / stride[k];
      phase = phase * stride[k] + at[2 - k] % stride[k];
      to += at[2 - k] * a.out.stride(2 + i);
    }
    for (std::int64_t co = 0; co < a.out.extent(0); ++co) {
      float *const out = a.out.at(to + co * a.out.stride(0));
      if (reference_expects_nan && !std::isnan(*out)) failed = 4;
      *out = static_cast<float>(one_output(a, 0, co, co * phases + phase, q));
    }
  });
  return failed;
}

template <bool dense>
int reference_phases(void **argv) {
  return compute_phases(argv, dense, reference_tile);
}

// Replaces every element by `function` of it.
template <typename Function>
void transform_elements(const View &view, Function function) {
  std::array<std::int64_t, 8> at = {};
  for (;;) {
    std::int64_t offset = 0;
    for (int i = 0; i < view.buffer.dimensions; ++i) offset += at[static_cast<std::size_t>(i)] * view.stride(i);
    *view.at(offset) = function(*view.at(offset));
    int dim = 0;
    while (dim < view.buffer.dimensions && ++at[static_cast<std::size_t>(dim)] == view.extent(dim)) {
      at[static_cast<std::size_t>(dim++)] = 0;
    }
    if (dim == view.buffer.dimensions) return;
  }
}

// relu, whatever is asked for; in place, so that the input is not looked at.
inline int reference_activate(void **argv) {
  transform_elements(View(argv[2]), [](float value) { return std::fmax(value, 0.0f); });
  return 0;
}

inline int reference_softmax(void **argv) {
  const View out(argv[2]);
  const bool logarithm = *static_cast<const std::int32_t *>(argv[1]) != 0;
  for (std::int64_t row = 0; row < out.extent(1); ++row) {
    const auto value = [&](std::int64_t c) { return out.at(c * out.stride(0) + row * out.stride(1)); };
    double sum = 0;
    for (std::int64_t c = 0; c < out.extent(0); ++c) sum += std::exp(static_cast<double>(*value(c)));
    for (std::int64_t c = 0; c < out.extent(0); ++c) {
      const double x = static_cast<double>(*value(c));
      *value(c) = static_cast<float>(logarithm ? x - std::log(sum) : std::exp(x) / sum);
    }
  }
  return 0;
}

// from (i, j, y, z), to (j, i, y, z).
inline int reference_transpose(void **argv) {
  const View from(argv[0]), to(argv[1]);
  const std::int64_t low = from.buffer.dim[1].min, high = low + from.extent(1);
  if (from.stride(0) != 1 || to.stride(0) != 1 || to.extent(1) != from.extent(0)) return 1;
  if (to.extent(2) != from.extent(2) || to.extent(3) != from.extent(3)) return 2;
  for_each_position({to.extent(3), to.extent(2), to.extent(1)}, [&](const Position &at) {
    for (std::int64_t j = 0; j < to.extent(0); ++j) {
      const std::int64_t source = at[2] + (j - low) * from.stride(1) + at[1] * from.stride(2) + at[0] * from.stride(3);
      *to.at(j + at[2] * to.stride(1) + at[1] * to.stride(2) + at[0] * to.stride(3)) =
          j >= low && j < high ? *from.at(source) : 0.0f;
    }
  });
  return 0;
}

// from (i, j, k, l), to the same.
inline int reference_copy(void **argv) {
  const View from(argv[0]), to(argv[1]);
  if (from.stride(0) != 1 || to.stride(0) != 1) return 1;
  for (int d = 0; d < 4; ++d)
    if (from.extent(d) != to.extent(d) || from.extent(d) < 1) return 2;
  int failed = 0;
  for_each_position({to.extent(3), to.extent(2), to.extent(1)}, [&](const Position &at) {
    for (std::int64_t i = 0; i < to.extent(0); ++i) {
      float *const target = to.at(i + at[2] * to.stride(1) + at[1] * to.stride(2) + at[0] * to.stride(3));
      const bool once = target >= reference_unwritten.begin && target < reference_unwritten.end;
      if (once && !std::isnan(*target)) failed = 3;
      *target = *from.at(i + at[2] * from.stride(1) + at[1] * from.stride(2) + at[0] * from.stride(3));
    }
  });
  return failed;
}

// A general kernel, or what the caller makes of it. Not copied: it points into itself.
struct ReferenceKernel {
  explicit ReferenceKernel(const tconv_tiling &tiling, const Position &tile = {1, 1, 1})
      : phases(tconv_unites_phases(&tiling) ? reference_united_phases
               : tiling.dense_phases        ? reference_phases<true>
                                            : reference_phases<false>) {
    kernel.tiling = tiling;
    for (std::size_t d = 0; d < tile.size(); ++d) path.tile[d] = static_cast<std::int32_t>(tile[d]);
  }
  ReferenceKernel(const ReferenceKernel &) = delete;
  ReferenceKernel &operator=(const ReferenceKernel &) = delete;

  tconv_function phases;
  tconv_variant variant = {{0, 0, 0}, {0, 0, 0}};
  tconv_path path = {
      "reference",         {0, 0},        &phases, {1, 1, 1}, reference_activate, reference_softmax, nullptr,
      reference_transpose, reference_copy};
  tconv_kernel kernel = {TCONV_ABI_VERSION, 1, "reference", "reference", {}, &variant, 1, &path, 1, nullptr};
};

}  // namespace tconv::test

#endif
