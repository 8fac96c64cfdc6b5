// How a layer is drawn. Sizes are small and awkward: ones, primes, one more and one less than a vector.
#include "random/random_layer.h"

#include <algorithm>
#include <cmath>

#include "layer/weight_order.h"
#include "tconv/activation.h"
#include "tconv/winograd.h"

namespace tconv::test {
namespace {

std::int64_t kernel_extent(const tconv_rule &rule) { return (rule.kernel - 1) * rule.dilation + 1; }

// Kernels shorter than the stride, equal to it and multiples of it all come up often.
void draw_kernel(Random &random, int rank, tconv_rule &rule) {
  rule.stride = random.one_of({1, 1, 2, 2, 2, 3, 4, rank == 1 ? 7 : 2});
  const std::int64_t most = rank == 1 ? 11 : rank == 2 ? 6 : 4;
  switch (random(0, 3)) {
    case 0: rule.kernel = rule.stride; break;
    case 1: rule.kernel = std::min(2 * rule.stride, most); break;
    default: rule.kernel = random(1, most); break;
  }
}

// The rule of one dimension, for an input of this extent.
tconv_rule draw_rule(Random &random, int rank, Style style, const Limits &limits, bool dilated, std::int64_t in) {
  tconv_rule rule = {TCONV_PADDING_EXPLICIT, 1, 1, 1, 0, 0, 0, TCONV_UNSET};
  draw_kernel(random, rank, rule);
  if (limits.short_phases) {
    rule.stride = random(1, rank == 1 ? 3 : 2);
    rule.kernel = random(rule.stride + 1, TCONV_MOST_TILE_TAPS * rule.stride);
  }
  const bool keras = style == Style::keras_valid || style == Style::keras_same;
  if (dilated && keras) rule.stride = 1;
  if (dilated && style != Style::tflite) rule.dilation = random(1, 3);
  switch (style) {
    case Style::keras_valid:
    case Style::keras_same:
      rule.padding = style == Style::keras_valid ? TCONV_PADDING_KERAS_VALID : TCONV_PADDING_KERAS_SAME;
      rule.output_padding = random(TCONV_UNSET, rule.stride - 1);
      break;
    case Style::torch:
      rule.pad_begin = rule.pad_end = random(0, kernel_extent(rule));
      rule.output_padding = random(0, std::max(rule.stride, rule.dilation) - 1);
      break;
    case Style::signed_pads:
      rule.pad_begin = random(-5, kernel_extent(rule) + 1);
      rule.pad_end = random(-5, kernel_extent(rule) + 1);
      rule.output_padding = random(0, rule.stride - 1);
      break;
    case Style::onnx_auto_pad:
    case Style::onnx_output_shape:
      rule.padding = random.one_in(2) ? TCONV_PADDING_ONNX_UPPER : TCONV_PADDING_ONNX_LOWER;
      rule.output_padding = random(0, rule.stride - 1);
      if (style == Style::onnx_output_shape) rule.output = random(0, in * rule.stride + kernel_extent(rule));
      break;
    case Style::tflite:
      rule.padding = random.one_in(2) ? TCONV_PADDING_TFLITE_SAME : TCONV_PADDING_TFLITE_VALID;
      rule.output = in * rule.stride + random(-1, 1) * random(0, rule.stride);
      break;
  }
  return rule;
}

std::int64_t draw_extent(Random &random, int rank) {
  if (random.one_in(40)) return 0;
  if (rank == 1) return random.one_of({1, 2, 3, 5, 7, 13, 16, 17, 31, 32, 33, 48, 61, 64, 65, 97, 127, 200});
  if (rank == 2) return random.one_of({1, 2, 3, 4, 5, 7, 8, 9, 11, 13, 15, 16, 17, 19, 23, 31, 33});
  return random.one_of({1, 2, 3, 4, 5, 6, 7, 8, 9, 11});
}

void draw_channels(Random &random, const Limits &limits, tconv_layer &layer) {
  const std::int64_t most = limits.most_channels;
  if (limits.depthwise || (!limits.few_outputs && !limits.planes && random.one_in(12))) {
    layer.groups = random.one_of({4, 8, 12, 16, 32, 48, 64});
    if (!limits.depthwise) layer.groups += random(-2, 1);
    layer.in_channels = layer.groups;
    layer.out_channels = layer.groups * (limits.depthwise ? 1 : random(1, 2));
    return;
  }
  if (limits.few_outputs || limits.planes) {
    layer.groups = 1;
    layer.in_channels = random.one_of({31, 36, 40, 56, 61, 64, 66, 76, 96, 112, 128});
    layer.out_channels = random.one_of({1, 1, 2, 3, 3, 4, 5});
    return;
  }
  layer.groups = random.one_of({1, 1, 1, 1, 2, 3});
  const std::int64_t inputs = random.one_of({1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 31, 40, 64});
  const std::int64_t outputs = random.one_of({1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 40, 63, 64, 65});
  layer.in_channels = layer.groups * std::min(inputs, std::max<std::int64_t>(most / layer.groups, 1));
  layer.out_channels = layer.groups * std::min(outputs, std::max<std::int64_t>(most / layer.groups, 1));
}

// Sizes that every rule of the layer accepts, within the limits; false when the draw has none.
bool fits(const RandomLayer &random, const Sizes &call, const Limits &limits) {
  double work = static_cast<double>(std::max<std::int64_t>(call.batch, 1) * random.layer.in_channels) *
                static_cast<double>(random.layer.out_channels / random.layer.groups);
  double outputs = static_cast<double>(call.batch * random.layer.out_channels);
  for (int d = 0; d < random.layer.rank; ++d) {
    tconv_dim dim;
    if (!tconv_resolve(&random.layer.rule[d], call.size[static_cast<std::size_t>(d)], &dim)) return false;
    work *= static_cast<double>(dim.in * dim.kernel);
    outputs *= static_cast<double>(dim.out);
  }
  return work <= limits.multiply_adds && outputs <= limits.multiply_adds;
}

Sizes draw_sizes(Random &random, int rank) {
  Sizes sizes;
  sizes.batch = random.one_of({0, 1, 1, 1, 2, 2, 3, 3});
  if (!random.one_in(8)) sizes.batch = std::max<std::int64_t>(sizes.batch, 1);
  for (int d = 0; d < rank; ++d) sizes.size[static_cast<std::size_t>(d)] = draw_extent(random, rank);
  return sizes;
}

bool prescribes_output(Style style) { return style == Style::onnx_output_shape || style == Style::tflite; }

// One draw, good or not: some extents have no output under some rules.
RandomLayer draw_any(Random &random, int rank, const Limits &limits) {
  RandomLayer drawn;
  tconv_layer &layer = drawn.layer;
  drawn.style = static_cast<Style>(random(0, style_count - (limits.depthwise ? 2 : 1)));  // TFLite has no groups
  layer.rank = rank;
  layer.channels_last = static_cast<std::int32_t>(random(limits.depthwise || limits.few_outputs ? 1 : 0, 1));
  if (limits.planes) layer.channels_last = 0;
  draw_channels(random, limits, layer);
  if (drawn.style == Style::tflite) {
    layer.in_channels /= layer.groups;
    layer.out_channels /= layer.groups;
    layer.groups = 1;
  }
  const Sizes call = draw_sizes(random, rank);
  const bool dilated = random.one_in(3) && !limits.short_phases && !limits.planes;
  const bool alike = random.one_in(2);  // every dimension with the same rule
  for (int d = 0; d < rank; ++d) {
    layer.rule[d] = draw_rule(random, rank, drawn.style, limits, dilated, call.size[static_cast<std::size_t>(d)]);
    if (alike && d > 0 && !prescribes_output(drawn.style)) layer.rule[d] = layer.rule[0];
    layer.size[d] =
        prescribes_output(drawn.style) || random.one_in(2) ? call.size[static_cast<std::size_t>(d)] : TCONV_UNSET;
  }
  layer.batch = random.one_in(2) ? call.batch : TCONV_UNSET;
  layer.activation = random.one_in(3) ? 0 : static_cast<std::int32_t>(random(0, activation_count - 1));
  drawn.calls = {call};
  return drawn;
}

// Further sizes for a layer that takes them.
void add_calls(Random &random, const Limits &limits, RandomLayer &drawn) {
  const tconv_layer &layer = drawn.layer;
  const bool open = layer.batch == TCONV_UNSET ||
                    std::any_of(layer.size, layer.size + layer.rank, [](auto size) { return size == TCONV_UNSET; });
  for (int tries = 0; open && tries < 50 && static_cast<int>(drawn.calls.size()) < limits.calls_of_open_layer;
       ++tries) {
    Sizes call = draw_sizes(random, layer.rank);
    if (layer.batch != TCONV_UNSET) call.batch = layer.batch;
    for (int d = 0; d < layer.rank; ++d)
      if (layer.size[d] != TCONV_UNSET) call.size[static_cast<std::size_t>(d)] = layer.size[d];
    if (fits(drawn, call, limits)) drawn.calls.push_back(call);
  }
}

}  // namespace

RandomLayer draw_layer(std::uint64_t seed, const Limits &limits) {
  Random random(seed);
  const int rank = limits.rank != 0 ? limits.rank : static_cast<int>(random(1, 3));
  RandomLayer drawn;
  do {
    drawn = draw_any(random, rank, limits);
  } while (!fits(drawn, drawn.calls[0], limits));
  drawn.seed = seed;
  drawn.torch_order = random.one_in(2);
  drawn.has_bias = !random.one_in(4);
  add_calls(random, limits, drawn);
  return drawn;
}

Problem problem_of(const RandomLayer &random, const Sizes &call) {
  const tconv_layer &layer = random.layer;
  Problem problem;
  problem.batch = call.batch;
  problem.in_channels = layer.in_channels;
  problem.out_channels = layer.out_channels;
  problem.groups = layer.groups;
  problem.channels_last = layer.channels_last != 0;
  for (int d = 0; d < layer.rank; ++d)
    tconv_resolve(&layer.rule[d], call.size[static_cast<std::size_t>(d)],
                  &problem.dim[static_cast<std::size_t>(TCONV_MAX_RANK - layer.rank + d)]);
  return problem;
}

// Scaled so that the sums have a deviation of about one, where the activations bend.
std::vector<float> weights_of(const RandomLayer &random) {
  const tconv_layer &layer = random.layer;
  std::int64_t count = layer.in_channels * (layer.out_channels / layer.groups);
  double terms = static_cast<double>(layer.in_channels / layer.groups);
  for (int d = 0; d < layer.rank; ++d) {
    count *= layer.rule[d].kernel;
    terms *= std::max(1.0, static_cast<double>(layer.rule[d].kernel) / static_cast<double>(layer.rule[d].stride));
  }
  return Random(random.seed + 1).floats(count, static_cast<float>(3.0 / std::sqrt(terms)));
}

std::vector<float> bias_of(const RandomLayer &random) {
  return Random(random.seed + 2).floats(random.has_bias ? random.layer.out_channels : 0, 1.0f);
}

tconv_weight_strides strides_of(const RandomLayer &random) {
  return strides_in_order(problem_of(random, random.calls[0]), random.layer.rank, random.torch_order);
}

std::vector<float> weight_array(const RandomLayer &random) {
  const std::vector<float> torch = weights_of(random);
  return random.torch_order ? torch : keras_order(problem_of(random, random.calls[0]), torch);
}

std::string describe(const RandomLayer &random, const Sizes &call) {
  static const char *const styles[] = {"keras valid",   "keras same",        "torch", "signed pads",
                                       "onnx auto_pad", "onnx output_shape", "tflite"};
  const tconv_layer &layer = random.layer;
  std::string text = "seed " + std::to_string(random.seed) + ": " + styles[static_cast<int>(random.style)] + " rank " +
                     std::to_string(layer.rank) + (layer.channels_last ? " channels_last" : " channels_first") +
                     " batch " + std::to_string(call.batch) + (layer.batch == TCONV_UNSET ? "?" : "") + " ci " +
                     std::to_string(layer.in_channels) + " co " + std::to_string(layer.out_channels) + " groups " +
                     std::to_string(layer.groups) + " activation " + std::to_string(layer.activation);
  const Problem problem = problem_of(random, call);
  for (int d = 0; d < layer.rank; ++d) {
    const tconv_dim &dim = problem.dim[static_cast<std::size_t>(TCONV_MAX_RANK - layer.rank + d)];
    text += " [in " + std::to_string(dim.in) + (layer.size[d] == TCONV_UNSET ? "?" : "") + " k " +
            std::to_string(dim.kernel) + " s " + std::to_string(dim.stride) + " d " + std::to_string(dim.dilation) +
            " crop " + std::to_string(dim.crop) + " out " + std::to_string(dim.out) + "]";
  }
  return text;
}

}  // namespace tconv::test
