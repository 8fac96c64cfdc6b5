// The two orders in which tests hand weights over: naive_scatter.h's, which is PyTorch's, and Keras'.
#ifndef TCONV_TESTS_WEIGHT_ORDER_H
#define TCONV_TESTS_WEIGHT_ORDER_H

#include <cstddef>
#include <cstdint>
#include <vector>

#include "naive_scatter.h"
#include "tconv/kernel.h"

namespace tconv::test {

// (spatial..., filters, channels / groups) from (channels, filters / groups, spatial...).
inline std::vector<float> keras_order(const Problem &p, const std::vector<float> &torch) {
  const std::int64_t taps = p.dim[0].kernel * p.dim[1].kernel * p.dim[2].kernel;
  const std::int64_t out_each = p.out_channels / p.groups, in_each = p.in_channels / p.groups;
  std::vector<float> keras;
  for (std::int64_t tap = 0; tap < taps; ++tap)
    for (std::int64_t co = 0; co < p.out_channels; ++co)
      for (std::int64_t ci = 0; ci < in_each; ++ci) {
        const std::int64_t channel = co / out_each * in_each + ci;
        keras.push_back(torch[static_cast<std::size_t>((channel * out_each + co % out_each) * taps + tap)]);
      }
  return keras;
}

// The strides of either, for a layer of `rank` dimensions.
inline tconv_weight_strides strides_in_order(const Problem &p, int rank, bool torch_order) {
  const std::int64_t out_each = p.out_channels / p.groups, in_each = p.in_channels / p.groups;
  tconv_weight_strides strides = {};
  std::int64_t tap = torch_order ? 1 : p.out_channels * in_each;
  for (int d = rank - 1; d >= 0; --d) {
    strides.tap[d] = tap;
    tap *= p.dim[static_cast<std::size_t>(TCONV_MAX_RANK - rank + d)].kernel;
  }
  strides.in = torch_order ? out_each * tap : 1;
  strides.out = torch_order ? tap : in_each;
  strides.group = torch_order ? in_each * strides.in : out_each * strides.out;
  return strides;
}

}  // namespace tconv::test

#endif
