// The transposed convolution as its definition in tconv/geometry.h reads: every input element is scattered through the
// kernel, in double. The tests of this folder compare with it; it shares no code with the phases.
#ifndef TCONV_TESTS_NAIVE_SCATTER_H
#define TCONV_TESTS_NAIVE_SCATTER_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tconv/geometry.h"

namespace tconv::test {

// Three dimensions always, the missing ones in front with in = kernel = stride = dilation = out = 1 and crop = 0.
struct Problem {
  std::array<tconv_dim, TCONV_MAX_RANK> dim = {{{1, 1, 1, 1, 0, 1}, {1, 1, 1, 1, 0, 1}, {1, 1, 1, 1, 0, 1}}};
  std::int64_t batch = 1, in_channels = 1, out_channels = 1, groups = 1;
  bool channels_last = true;

  std::int64_t inputs() const { return batch * in_channels * dim[0].in * dim[1].in * dim[2].in; }
  std::int64_t outputs() const { return batch * out_channels * dim[0].out * dim[1].out * dim[2].out; }
  std::int64_t weights() const {
    return in_channels * (out_channels / groups) * dim[0].kernel * dim[1].kernel * dim[2].kernel;
  }
};

using Position = std::array<std::int64_t, TCONV_MAX_RANK>;

// Calls `visit` with every position below `extent`, the last dimension fastest.
template <typename Visit>
void for_each_position(const Position &extent, Visit visit) {
  Position at;
  for (at[0] = 0; at[0] < extent[0]; ++at[0])
    for (at[1] = 0; at[1] < extent[1]; ++at[1])
      for (at[2] = 0; at[2] < extent[2]; ++at[2]) visit(at);
}

// The element of an array (batch, spatial..., channels) or (batch, channels, spatial...).
inline std::size_t element(const Problem &problem, const Position &extent, std::int64_t channels, std::int64_t image,
                           std::int64_t channel, const Position &at) {
  const std::int64_t place = (at[0] * extent[1] + at[1]) * extent[2] + at[2];
  const std::int64_t places = extent[0] * extent[1] * extent[2];
  return static_cast<std::size_t>(problem.channels_last ? (image * places + place) * channels + channel
                                                        : (image * channels + channel) * places + place);
}

// `weights` in PyTorch's order: (in_channels, out_channels / groups, spatial...); an empty bias is none.
inline std::vector<double> scatter(const Problem &problem, const std::vector<float> &input,
                                   const std::vector<float> &weights, const std::vector<float> &bias) {
  const auto &d = problem.dim;
  const Position in = {d[0].in, d[1].in, d[2].in}, out = {d[0].out, d[1].out, d[2].out};
  const Position kernel = {d[0].kernel, d[1].kernel, d[2].kernel};
  const std::int64_t out_each = problem.out_channels / problem.groups, in_each = problem.in_channels / problem.groups;
  std::vector<double> result(static_cast<std::size_t>(problem.outputs()));
  for (std::int64_t image = 0; image < problem.batch; ++image) {
    for (std::int64_t co = 0; co < problem.out_channels; ++co) {
      const double start = bias.empty() ? 0.0 : bias[static_cast<std::size_t>(co)];
      for_each_position(
          out, [&](const Position &o) { result[element(problem, out, problem.out_channels, image, co, o)] = start; });
      for (std::int64_t ci = co / out_each * in_each; ci < (co / out_each + 1) * in_each; ++ci) {
        for_each_position(in, [&](const Position &i) {
          const double x = input[element(problem, in, problem.in_channels, image, ci, i)];
          std::int64_t w = (ci * out_each + co % out_each) * kernel[0] * kernel[1] * kernel[2];
          for_each_position(kernel, [&](const Position &t) {
            const double weight = weights[static_cast<std::size_t>(w++)];
            Position o;
            for (std::size_t k = 0; k < o.size(); ++k) {
              o[k] = i[k] * d[k].stride + t[k] * d[k].dilation - d[k].crop;
              if (o[k] < 0 || o[k] >= out[k]) return;
            }
            result[element(problem, out, problem.out_channels, image, co, o)] += weight * x;
          });
        });
      }
    }
  }
  return result;
}

}  // namespace tconv::test

#endif
