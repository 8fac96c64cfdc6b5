// LayerConfig as C++ code fills it: what validate() refuses that JSON cannot spell, the rule of a dimension, the
// kernel's shape in each dialect's order, and the output's shape with known and open sizes. Also the activations'
// names.
#include "tconv/layer_config.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace tconv {
namespace {

LayerConfig keras() {
  LayerConfig config;
  config.filters = 4;
  config.kernel_size = {3, 4};
  config.strides = {2, 3};
  config.dilation_rate = {1, 1};
  return config;
}

LayerConfig torch() {
  LayerConfig config = keras();
  config.dialect = Dialect::torch;
  config.padding = TCONV_PADDING_EXPLICIT;
  config.data_format = DataFormat::channels_first;
  config.in_channels = 6;
  return config;
}

LayerConfig onnx() {
  LayerConfig config = torch();
  config.dialect = Dialect::onnx;
  return config;
}

LayerConfig tflite() {
  LayerConfig config = keras();
  config.dialect = Dialect::tflite;
  config.padding = TCONV_PADDING_TFLITE_SAME;
  config.in_channels = 6;
  config.output_shape = {8, 9};
  return config;
}

// The message for a config with one thing changed.
template <typename Change>
std::string refusal(LayerConfig config, Change change) {
  EXPECT_EQ(validate(config).message(), "");
  change(config);
  return validate(config).message();
}

TEST(Validate, AcceptsEachDialect) {
  for (const LayerConfig &config : {keras(), torch(), onnx(), tflite()}) EXPECT_EQ(validate(config).message(), "");
}

TEST(Validate, RefusesWhatDoesNotBelongTogether) {
  EXPECT_EQ(refusal(keras(), [](auto &c) { c.rank = 4; }), "4 spatial dimensions: tconv has 1 to 3");
  EXPECT_EQ(refusal(keras(), [](auto &c) { c.rank = 0; }), "0 spatial dimensions: tconv has 1 to 3");
  EXPECT_EQ(refusal(keras(), [](auto &c) { c.strides = {}; }), "strides () must have 2 entries");
  EXPECT_EQ(refusal(keras(), [](auto &c) { c.filters = 0; }), "filters 0 must be positive");
  EXPECT_EQ(refusal(keras(), [](auto &c) { c.groups = 0; }), "groups 0 must be positive");
  EXPECT_EQ(refusal(keras(), [](auto &c) { c.groups = 3; }), "groups 3 does not divide filters 4");
  EXPECT_EQ(refusal(torch(), [](auto &c) { c.groups = 4; }), "groups 4 does not divide in_channels 6");
  EXPECT_EQ(refusal(keras(),
                    [](auto &c) {
                      c.pads_begin = {1, 1};
                    }),
            "explicit pads (1, 1) do not belong to dialect keras");
  EXPECT_EQ(refusal(torch(),
                    [](auto &c) {
                      c.pads_begin = {1, 1};
                    }),
            "padding (1, 1) in front and () behind: PyTorch has one for both");
  EXPECT_EQ(refusal(torch(),
                    [](auto &c) {
                      c.output_shape = {1, 1};
                    }),
            "output_shape (1, 1) does not belong to dialect torch");
  EXPECT_EQ(refusal(tflite(), [](auto &c) { c.output_shape.reset(); }),
            "output_shape is missing: a TFLite TRANSPOSE_CONV always has it");
  EXPECT_EQ(refusal(tflite(), [](auto &c) { c.groups = 2; }), "groups 2: a TFLite TRANSPOSE_CONV has no groups");
  EXPECT_EQ(refusal(tflite(),
                    [](auto &c) {
                      c.output_padding = {0, 0};
                    }),
            "output_padding does not belong to dialect tflite");
  EXPECT_EQ(refusal(keras(), [](auto &c) { c.activation = static_cast<Activation>(activation_count); }),
            "activation number 27 is not known");
  EXPECT_EQ(refusal(keras(), [](auto &c) { c.dialect = static_cast<Dialect>(4); }),
            "the dialect is not one of keras, torch, onnx, tflite");
}

TEST(Validate, RefusesAPaddingRuleOfAnotherDialect) {
  const auto set = [](tconv_padding padding) { return [=](LayerConfig &c) { c.padding = padding; }; };
  EXPECT_EQ(refusal(keras(), set(TCONV_PADDING_EXPLICIT)), "padding rule 2 does not belong to dialect keras");
  EXPECT_EQ(refusal(torch(), set(TCONV_PADDING_KERAS_SAME)), "padding rule 1 does not belong to dialect torch");
  EXPECT_EQ(refusal(onnx(), set(TCONV_PADDING_TFLITE_SAME)), "padding rule 5 does not belong to dialect onnx");
  EXPECT_EQ(refusal(tflite(), set(TCONV_PADDING_ONNX_LOWER)),
            "padding rule 4 does not belong to dialect tflite with output_shape");
  EXPECT_EQ(refusal(onnx(),
                    [](auto &c) {
                      c.output_shape = {8, 9};
                    }),
            "padding rule 2 does not belong to dialect onnx with output_shape");
}

TEST(Validate, LimitsExtentsAndElements) {
  const std::int64_t most = TCONV_MAX_EXTENT;
  EXPECT_EQ(refusal(keras(),
                    [&](auto &c) {
                      c.kernel_size = {1, most + 1};
                    }),
            "kernel_size (1, 1073741825): 1073741825 is over the largest extent 1073741824");
  EXPECT_EQ(refusal(torch(),
                    [&](auto &c) {
                      c.dilation_rate = {1, most / 2};
                    }),
            "kernel_size (3, 4) with dilation (1, 536870912) is over the largest extent 1073741824");
  EXPECT_EQ(refusal(keras(),
                    [&](auto &c) {
                      c.kernel_size = {65536, 65536};
                    }),
            "the kernel (65536, 65536, 4, None) is too large: tconv addresses at most 2^31-1 elements per array");
  // 2^31 - 1 is prime: the largest product of two sizes that fits is just below.
  EXPECT_EQ(refusal(keras(), [&](auto &c) { c.kernel_size = {1, 536870911}; }), "");
  EXPECT_EQ(refusal(keras(),
                    [&](auto &c) {
                      c.kernel_size = {1, 536870912};
                    }),
            "the kernel (1, 536870912, 4, None) is too large: tconv addresses at most 2^31-1 elements per array");
  EXPECT_EQ(refusal(keras(),
                    [&](auto &c) {
                      c.strides = {4, 1}, c.input_shape = {1, most, 1, 1};
                    }),
            "spatial dimension 0: the output extent would be 4294967296, which is not in 0 to 1073741824 "
            "(input 1073741824, kernel 3, stride 4, dilation 1)");
  EXPECT_EQ(refusal(keras(), [](auto &c) { c.strides = {65536, 1}; }), "");
  EXPECT_EQ(refusal(keras(),
                    [](auto &c) {
                      c.strides = {65536, 2};
                    }),
            "strides (65536, 2) make more than 65536 phases of the output");
  EXPECT_EQ(refusal(keras(),
                    [&](auto &c) {
                      c.input_shape = {1, most + 1, 1, 1};
                    }),
            "input_shape (1, 1073741825, 1, 1): 1073741825 is over the largest extent 1073741824");
  EXPECT_EQ(refusal(keras(),
                    [&](auto &c) {
                      c.input_shape = {-2, 1, 1, 1};
                    }),
            "input_shape (-2, 1, 1, 1) has a negative size");
}

TEST(Validate, StatusCodesTellMistakesFromLimits) {
  LayerConfig config = keras();
  config.filters = -1;
  EXPECT_EQ(validate(config).code(), StatusCode::invalid_argument);
  config = keras();
  config.kernel_size = {65536, 65536};
  EXPECT_EQ(validate(config).code(), StatusCode::unsupported);
}

TEST(KernelShape, HasEachDialectsOwnOrder) {
  LayerConfig config = keras();
  config.groups = 2;
  EXPECT_EQ(kernel_shape(config), (Shape{3, 4, 4, unknown}));
  config.in_channels = 6;
  EXPECT_EQ(kernel_shape(config), (Shape{3, 4, 4, 3}));
  config.dialect = Dialect::torch;
  EXPECT_EQ(kernel_shape(config), (Shape{6, 2, 3, 4}));
  config.dialect = Dialect::onnx;
  EXPECT_EQ(kernel_shape(config), (Shape{6, 2, 3, 4}));
  EXPECT_EQ(kernel_shape(tflite()), (Shape{4, 3, 4, 6}));
}

TEST(Rule, HoldsTheDimensionsOwnNumbers) {
  LayerConfig config = onnx();
  config.pads_begin = {1, -2};
  config.pads_end = {3, 4};
  config.output_padding = {1, 2};
  config.dilation_rate = {5, 6};
  const tconv_rule second = rule(config, 1);
  EXPECT_EQ(second.padding, TCONV_PADDING_EXPLICIT);
  EXPECT_EQ(second.kernel, 4);
  EXPECT_EQ(second.stride, 3);
  EXPECT_EQ(second.dilation, 6);
  EXPECT_EQ(second.output_padding, 2);
  EXPECT_EQ(second.pad_begin, -2);
  EXPECT_EQ(second.pad_end, 4);
  EXPECT_EQ(second.output, TCONV_UNSET);
  EXPECT_EQ(rule(tflite(), 1).output, 9);
}

TEST(Rule, OnlyKerasTellsNoOutputPaddingFromZero) {
  EXPECT_EQ(rule(keras(), 0).output_padding, TCONV_UNSET);
  EXPECT_EQ(rule(torch(), 0).output_padding, 0);
  EXPECT_EQ(rule(tflite(), 0).output_padding, 0);
  LayerConfig config = keras();
  config.output_padding = {0, 2};
  EXPECT_EQ(rule(config, 0).output_padding, 0);
  EXPECT_EQ(rule(config, 1).output_padding, 2);
}

TEST(OutputShape, KeepsOpenSizesOpen) {
  EXPECT_EQ(compute_output_shape(keras(), {unknown, unknown, 5, 7}).value(), (Shape{unknown, unknown, 16, 4}));
  EXPECT_EQ(compute_output_shape(torch(), {2, 6, 4, unknown}).value(), (Shape{2, 4, 9, unknown}));
  EXPECT_EQ(compute_output_shape(tflite(), {3, 4, 3, 6}).value(), (Shape{3, 8, 9, 4}));
}

TEST(OutputShape, PrescribedOutputNeedsTheInputsSizes) {
  EXPECT_EQ(compute_output_shape(tflite(), {3, 4, unknown, 6}).status().message(),
            "output_shape (8, 9) with input_shape (3, 4, None, 6): a prescribed output needs every spatial size of the "
            "input, because the crop depends on it");
}

TEST(OutputShape, RefusesAnInputThatDoesNotFit) {
  EXPECT_EQ(compute_output_shape(keras(), {1, 5, 7}).status().message(),
            "input_shape (1, 5, 7) must have 4 entries: batch, 2 spatial and channels");
  EXPECT_EQ(compute_output_shape(torch(), {1, 7, 5, 5}).status().message(),
            "input_shape (1, 7, 5, 5) has 7 channels, but the layer takes 6");
  LayerConfig grouped = keras();
  grouped.groups = 2;
  EXPECT_EQ(compute_output_shape(grouped, {1, 5, 5, 7}).status().message(),
            "groups 2 does not divide the 7 channels of input_shape (1, 5, 5, 7)");
  LayerConfig broken = keras();
  broken.filters = 0;
  EXPECT_EQ(compute_output_shape(broken, {1, 5, 5, 7}).status().message(), "filters 0 must be positive");
}

TEST(OutputShape, EmptyInputsAreLegal) {
  EXPECT_EQ(compute_output_shape(keras(), {0, 0, 5, 7}).value(), (Shape{0, 1, 16, 4}));
}

TEST(ActivationNames, AreKerasOwnAndComeBack) {
  std::set<std::string> names;
  for (int i = 0; i < activation_count; ++i) {
    const auto activation = static_cast<Activation>(i);
    names.insert(std::string(name(activation)));
    EXPECT_EQ(activation_from_name(name(activation)), activation) << i;
  }
  // Keras 3.15's keras.activations, without its two aliases and the three that need a parameter or another shape.
  EXPECT_EQ(names,
            (std::set<std::string>{
                "celu",      "elu",         "exponential",    "gelu",        "hard_shrink", "hard_sigmoid", "hard_silu",
                "hard_tanh", "leaky_relu",  "linear",         "log_sigmoid", "log_softmax", "mish",         "relu",
                "relu6",     "selu",        "sigmoid",        "silu",        "soft_shrink", "softmax",      "softplus",
                "softsign",  "sparse_plus", "sparse_sigmoid", "squareplus",  "tanh",        "tanh_shrink"}));
  EXPECT_EQ(name(Activation::relu6), "relu6");
  EXPECT_EQ(name(Activation::tanh), "tanh");
  EXPECT_EQ(name(Activation::log_sigmoid), "log_sigmoid");
  EXPECT_EQ(activation_from_name("swish"), Activation::silu);
  EXPECT_EQ(activation_from_name("hard_swish"), Activation::hard_silu);
  for (const char *const none : {"", "ReLU", "glu", "threshold", "sparsemax"}) {
    EXPECT_EQ(activation_from_name(none), std::nullopt) << none;
  }
}

}  // namespace
}  // namespace tconv
