// Layers drawn at random, as the frameworks could describe them and then some: every rank, layout, dialect and
// awkward size. A seed gives the same layer on every machine.
#ifndef TCONV_TESTS_RANDOM_LAYER_H
#define TCONV_TESTS_RANDOM_LAYER_H

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "layer/naive_scatter.h"
#include "random/random.h"
#include "tconv/kernel.h"

namespace tconv::test {

// The way in which a layer's rules are written.
enum class Style { keras_valid, keras_same, torch, signed_pads, onnx_auto_pad, onnx_output_shape, tflite };
inline constexpr int style_count = 7;

struct Sizes {
  std::int64_t batch = 1;
  std::array<std::int64_t, TCONV_MAX_RANK> size = {1, 1, 1};  // outermost first
};

struct RandomLayer {
  tconv_layer layer = {};
  Style style = Style::keras_valid;
  bool torch_order = false;  // of the weight array: (in, out / groups, spatial...), else Keras'
  bool has_bias = true;
  std::uint64_t seed = 0;    // of weights and bias
  std::vector<Sizes> calls;  // what it is to be run on
};

// What a draw is limited to.
struct Limits {
  int rank = 0;                 // 0: any
  int calls_of_open_layer = 1;  // of a layer whose sizes are open
  double multiply_adds = 4e5;   // of the largest call
  std::int64_t most_channels = 72;
  bool depthwise = false;     // nothing but depthwise layers, of groups that fill vectors
  bool few_outputs = false;   // channels last, many input channels and few output channels: what lane sums take
  bool planes = false;        // channels first, many input channels and few output channels, no dilation
  bool short_phases = false;  // channels last and two to seven taps a phase: what Winograd's method takes
};

RandomLayer draw_layer(std::uint64_t seed, const Limits &limits);

// The problem that one call is; its weights, in PyTorch's order, and its bias do not depend on the call.
Problem problem_of(const RandomLayer &random, const Sizes &call);
std::vector<float> weights_of(const RandomLayer &random);
std::vector<float> bias_of(const RandomLayer &random);  // empty: none

// The strides and the order of the weights that are packed.
tconv_weight_strides strides_of(const RandomLayer &random);
std::vector<float> weight_array(const RandomLayer &random);

std::string describe(const RandomLayer &random, const Sizes &call);

}  // namespace tconv::test

#endif
