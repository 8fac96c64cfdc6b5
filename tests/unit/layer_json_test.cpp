// parse_layer() on Keras layers and on text that is none: what may be written, and the exact words of every refusal.
// The first text below is what keras.layers.serialize() of Keras 3.15 wrote, unchanged.
#include "layer_json_test.h"

namespace tconv {
namespace {

constexpr const char *serialized = R"({"module": "keras.layers", "class_name": "Conv1DTranspose", "config": {"name":
"conv1d_transpose", "trainable": true, "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name":
"float32"}, "registered_name": null}, "activity_regularizer": {"module": "keras.regularizers", "class_name": "L1",
"config": {"l1": 0.009999999776482582}, "registered_name": null}, "filters": 4, "kernel_size": [3], "strides": [2],
"padding": "same", "output_padding": null, "data_format": "channels_last", "dilation_rate": [1], "activation": "silu",
"use_bias": true, "kernel_initializer": {"module": "keras.initializers", "class_name": "GlorotUniform", "config":
{"seed": null, "input_axes": null, "output_axes": null}, "registered_name": null}, "bias_initializer": {"module":
"keras.initializers", "class_name": "Zeros", "config": {}, "registered_name": null}, "kernel_regularizer": {"module":
"keras.regularizers", "class_name": "L2", "config": {"l2": 0.01}, "registered_name": null}, "bias_regularizer": null,
"kernel_constraint": {"module": "keras.constraints", "class_name": "MaxNorm", "config": {"max_value": 2, "axis": 0},
"registered_name": null}, "bias_constraint": null}, "registered_name": null, "build_config": {"input_shape": [null,
null, 8]}})";

const Json keras = Json::parse(R"({"class_name": "Conv2DTranspose", "config": {"filters": 4, "kernel_size": 3}})");
TEST(KerasJson, SerializedLayerIsReadFieldForField) {
  const LayerConfig config = parsed(serialized);
  EXPECT_EQ(config.dialect, Dialect::keras);
  EXPECT_EQ(config.rank, 1);
  EXPECT_EQ(config.name, "conv1d_transpose");
  EXPECT_EQ(config.filters, 4);
  EXPECT_EQ(config.kernel_size, (Shape{3}));
  EXPECT_EQ(config.strides, (Shape{2}));
  EXPECT_EQ(config.dilation_rate, (Shape{1}));
  EXPECT_EQ(config.padding, TCONV_PADDING_KERAS_SAME);
  EXPECT_EQ(config.output_padding, std::nullopt);
  EXPECT_EQ(config.data_format, DataFormat::channels_last);
  EXPECT_EQ(config.activation, Activation::silu);
  EXPECT_TRUE(config.use_bias);
  EXPECT_EQ(config.input_shape, (Shape{unknown, unknown, 8}));
  EXPECT_EQ(config.in_channels, 8);
  EXPECT_EQ(kernel_shape(config), (Shape{3, 4, 8}));
}

TEST(KerasJson, WhatIsLeftOutHasKerasDefaults) {
  const LayerConfig config = parsed(keras.dump());
  EXPECT_EQ(config.rank, 2);
  EXPECT_EQ(config.kernel_size, (Shape{3, 3}));
  EXPECT_EQ(config.strides, (Shape{1, 1}));
  EXPECT_EQ(config.dilation_rate, (Shape{1, 1}));
  EXPECT_EQ(config.padding, TCONV_PADDING_KERAS_VALID);
  EXPECT_EQ(config.data_format, DataFormat::channels_last);
  EXPECT_EQ(config.groups, 1);
  EXPECT_EQ(config.activation, Activation::linear);
  EXPECT_TRUE(config.use_bias);
  EXPECT_EQ(config.input_shape, std::nullopt);
  EXPECT_EQ(config.in_channels, unknown);
}

TEST(KerasJson, EveryFieldCanBeSet) {
  const LayerConfig config = parsed(with(keras, R"({"class_name": "Conv3DTranspose", "dialect": "keras",
      "build_config": {"input_shape": [2, 6, 4, 5, 6], "shapes_dict": {"kernel_shape": [1]}},
      "config": {"kernel_size": [1, 2, 3], "strides": [2, 3, 4], "padding": "VaLiD", "output_padding": [1, 0, 3],
      "data_format": "channels_first", "groups": 2, "use_bias": false, "dtype": "float32", "batch_shape": [null],
      "activation": {"module": "builtins", "class_name": "function", "config": "relu", "registered_name": "relu"}}})"));
  EXPECT_EQ(config.rank, 3);
  EXPECT_EQ(config.kernel_size, (Shape{1, 2, 3}));
  EXPECT_EQ(config.strides, (Shape{2, 3, 4}));
  EXPECT_EQ(config.padding, TCONV_PADDING_KERAS_VALID);
  EXPECT_EQ(config.output_padding, (Shape{1, 0, 3}));
  EXPECT_EQ(config.data_format, DataFormat::channels_first);
  EXPECT_EQ(config.groups, 2);
  EXPECT_FALSE(config.use_bias);
  EXPECT_EQ(config.activation, Activation::relu);
  EXPECT_EQ(config.in_channels, 6);
  EXPECT_EQ(kernel_shape(config), (Shape{1, 2, 3, 4, 3}));
}

TEST(KerasJson, OlderFilesNameTheInputShapeInConfig) {
  EXPECT_EQ(parsed(with(keras, R"({"config": {"batch_input_shape": [null, 8, 9, 3]}})")).input_shape,
            (Shape{unknown, 8, 9, 3}));
}

TEST(KerasJson, KernelArrayTellsTheChannels) {
  EXPECT_EQ(parsed(with(keras, R"({"config": {"groups": 2}})"), Shape{3, 3, 4, 3}).in_channels, 6);
}

TEST(KerasJson, RefusalsNameTheFieldAndCarryTheNumbers) {
  expect_refusals(
      keras,
      {
          {R"({"config": {"stirdes": 2}})", "unknown field 'stirdes' in config: did you mean 'strides'?"},
          {R"({"config": {"Filters": 2}})", "unknown field 'Filters' in config: did you mean 'filters'?"},
          {R"({"config": {"colour\n": 2}})", "unknown field 'colour\\x0a' in config"},
          {R"({"class": 2})", "unknown field 'class'"},
          {R"({"class_name": null, "class_nmae": "Conv2DTranspose"})",
           "unknown field 'class_nmae': did you mean 'class_name'?"},
          {R"({"op_type": "ConvTranspose"})", "'op_type' is not Keras': an ONNX or TFLite operator needs \"dialect\""},
          {R"({"build_config": {"input_shap": [1]}})",
           "unknown field 'input_shap' in build_config: did you mean 'input_shape'?"},
          {R"({"config": {"dtype": {"conf": {}}}})", "unknown field 'conf' in config.dtype: did you mean 'config'?"},
          {R"({"config": {"filters": null}})", "field 'filters' in config is missing"},
          {R"({"config": {"kernel_size": null}})", "field 'kernel_size' in config is missing"},
          {R"({"config": null})", "field 'config' is missing"},
          {R"({"config": [1]})", "config must be an object, got a list of 1 entries"},
          {R"({"class_name": null})", "field 'class_name' is missing"},
          {R"({"class_name": "Conv2DTransposed"})",
           "class_name 'Conv2DTransposed' must be Conv1DTranspose, Conv2DTranspose "
           "or Conv3DTranspose: did you mean 'Conv2DTranspose'?"},
          {R"({"class_name": "ConvTranspose2d"})",
           "class_name 'ConvTranspose2d' is not Keras': a PyTorch or ONNX layer needs \"dialect\""},
          {R"({"dialect": "tensorflow"})", "dialect 'tensorflow' must be keras, torch, onnx or tflite"},
          {R"({"config": {"filters": 0}})", "filters 0 must be positive"},
          {R"({"config": {"filters": 2.5}})", "'filters' in config must be an integer of 64 bits, got 2.5"},
          {R"({"config": {"filters": true}})", "'filters' in config must be an integer of 64 bits, got true"},
          {R"({"config": {"filters": 18446744073709551615}})",
           "'filters' in config must be an integer of 64 bits, got 18446744073709551615"},
          {R"({"config": {"filters": 4294967296}})", "filters 4294967296 is over the largest extent 1073741824"},
          {R"({"config": {"kernel_size": [3, 0]}})", "kernel_size (3, 0) must be positive"},
          {R"({"config": {"kernel_size": [3, -1]}})", "kernel_size (3, -1) must be positive"},
          {R"({"config": {"strides": [2, 2, 2]}})", "'strides' in config (2, 2, 2) must have 2 entries"},
          {R"({"config": {"strides": []}})", "'strides' in config () must have 2 entries"},
          {R"({"config": {"strides": "2"}})", "'strides' in config must be an integer or a list of 2, got '2'"},
          {R"({"config": {"strides": [2, false]}})",
           "entry 1 of 'strides' in config must be an integer of 64 bits, got false"},
          {R"({"config": {"strides": 2, "dilation_rate": 3}})",
           "strides (2, 2) with dilation_rate (3, 3): Keras does not allow both above 1"},
          {R"({"config": {"strides": 2, "output_padding": [1, 2]}})",
           "output_padding (1, 2) must be smaller than strides (2, 2)"},
          {R"({"config": {"dilation_rate": 2, "output_padding": 1}})",
           "output_padding (1, 1) must be smaller than strides (1, 1)"},
          {R"({"config": {"padding": "causal"}})",
           "padding 'causal' is not defined for a transposed convolution: use 'valid' or 'same'"},
          {R"({"config": {"padding": "full"}})", "padding 'full' must be 'valid' or 'same'"},
          {R"({"config": {"padding": 1}})", "'padding' in config must be a string, got 1"},
          {R"({"config": {"data_format": "NHWC"}})", "data_format 'NHWC' must be 'channels_last' or 'channels_first'"},
          {R"({"config": {"use_bias": 1}})", "'use_bias' in config must be true or false, got 1"},
          {R"({"config": {"groups": 3}})", "groups 3 does not divide filters 4"},
          {R"({"config": {"groups": 2}, "build_config": {"input_shape": [1, 8, 8, 3]}})",
           "groups 2 does not divide in_channels 3"},
          {R"({"config": {"activation": "rleu"}})",
           "activation 'rleu' is not one of Keras' that tconv has: did you mean 'relu'?"},
          {R"({"config": {"activation": {"class_name": "LeakyReLU", "config": {"negative_slope": 0.1}}}})",
           "activation 'LeakyReLU' is an object with its own config: name one of Keras' functions"},
          {R"({"config": {"dtype": "float16"}})", "dtype 'float16' must be 'float32'"},
          {R"({"config": {"dtype": {"config": {"name": "mixed_float16"}}}})",
           "dtype 'mixed_float16' must be 'float32'"},
          {R"({"build_config": {"input_shape": [1, 8, 3]}})",
           "input_shape (1, 8, 3) must have 4 entries: batch, 2 spatial and channels"},
          {R"({"build_config": {"input_shape": [null, 8, 8, null]}})",
           "input_shape (None, 8, 8, None): the channels, entry 3, must be a known positive size"},
          {R"({"build_config": {"input_shape": [-1, 8, 8, 3]}})",
           "entry 0 of 'input_shape' in build_config must be null or an integer from 0 on, got -1"},
          {R"({"build_config": {"input_shape": [1, 65536, 65536, 3]}})",
           "the input (1, 65536, 65536, 3) is too large: tconv addresses at most 2^31-1 elements per array"},
          {R"({"config": {"strides": 256}, "build_config": {"input_shape": [1, 256, 256, 3]}})",
           "the output (1, 65536, 65536, 4) is too large: tconv addresses at most 2^31-1 elements per array"},
      });
}

TEST(KerasJson, KernelOfAnotherShapeIsRefusedWithBothShapes) {
  const std::string json = with(keras, R"({"build_config": {"input_shape": [1, 8, 8, 6]}})");
  EXPECT_EQ(parsed(json, Shape{3, 3, 4, 6}).in_channels, 6);
  EXPECT_EQ(refusal(json, Shape{3, 3, 6, 4}),
            "the kernel array has shape (3, 3, 6, 4), but the layer needs (3, 3, 4, 6)");
  EXPECT_EQ(refusal(keras.dump(), Shape{3, 3, 4}),
            "the kernel array has shape (3, 3, 4), but the layer needs (3, 3, 4, None)");
  EXPECT_EQ(refusal(json, Shape{3, 3, 0, 6}), "the kernel array's shape (3, 3, 0, 6): 0 is not in 1 to 1073741824");
}

TEST(Json, TextThatIsNotALayerIsRefused) {
  EXPECT_EQ(refusal("").substr(0, 42), "not JSON: parse error at line 1, column 1:");
  EXPECT_EQ(refusal("{\"a\": 1,}"),
            "not JSON: parse error at line 1, column 9: syntax error while parsing object key - unexpected '}'; "
            "expected string literal");
  EXPECT_EQ(refusal("{\"a\": 1e999}"), "not JSON: number overflow parsing '1e999'");
  EXPECT_EQ(refusal("{\"class_name\": \"\xff\"}"),
            "not JSON: parse error at line 1, column 17: syntax error while "
            "parsing value - invalid string: ill-formed UTF-8 byte");
  EXPECT_LT(refusal("{\"a\": " + std::string(100000, '9') + "e9}").size(), 250u);
  EXPECT_EQ(refusal("[1]"), "a layer must be an object, got a list of 1 entries");
  EXPECT_EQ(refusal("{}"), "field 'class_name' is missing");
  EXPECT_EQ(refusal(R"({"config": {"filters": 1, "filters": 2}})"), "field 'filters' is given twice");
  // The same name in two objects is no repetition.
  EXPECT_EQ(refusal(R"({"config": {"a": [{"b": 1}, {"b": 1}], "b": {"b": 2}}})"), "field 'class_name' is missing");
}

TEST(Json, NestingAndSizeAreLimited) {
  const std::string layer = R"({"class_name": "Conv1DTranspose", "config": {"filters": 1, "kernel_size": 1,
                               "kernel_initializer": )";
  const auto nested = [&](std::size_t depth) {
    return layer + std::string(depth, '[') + std::string(depth, ']') + "}}";
  };
  EXPECT_EQ(parsed(nested(62)).filters, 1);
  EXPECT_EQ(refusal(nested(64)), "the JSON is nested more than 64 deep");
  EXPECT_EQ(refusal(std::string(1 << 20, '[')), "the JSON is nested more than 64 deep");
  EXPECT_EQ(refusal(std::string((1 << 20) + 1, ' ')), "the JSON has 1048577 bytes, more than 1048576");
}

}  // namespace
}  // namespace tconv
