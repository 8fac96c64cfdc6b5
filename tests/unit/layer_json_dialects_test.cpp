// parse_layer() on PyTorch, ONNX and TFLite layers: their own names and defaults, and the exact words of every refusal.
#include "layer_json_test.h"

namespace tconv {
namespace {

const Json torch = Json::parse(R"({"dialect": "torch", "class_name": "ConvTranspose2d",
                                   "config": {"in_channels": 6, "out_channels": 4, "kernel_size": 3}})");
const Json onnx = Json::parse(R"({"dialect": "onnx", "op_type": "ConvTranspose", "weight_shape": [6, 4, 3, 5]})");
const Json tflite = Json::parse(R"({"dialect": "tflite", "op_type": "TRANSPOSE_CONV", "weight_shape": [4, 3, 5, 6],
    "config": {"padding": "SAME", "stride_h": 2, "stride_w": 3, "output_shape": [1, 8, 9, 4]}})");

TEST(TorchJson, ArgumentsHavePyTorchNamesAndDefaults) {
  const LayerConfig plain = parsed(torch.dump());
  EXPECT_EQ(plain.dialect, Dialect::torch);
  EXPECT_EQ(plain.data_format, DataFormat::channels_first);
  EXPECT_EQ(plain.padding, TCONV_PADDING_EXPLICIT);
  EXPECT_EQ(plain.pads_begin, (Shape{0, 0}));
  EXPECT_TRUE(plain.use_bias);
  EXPECT_EQ(kernel_shape(plain), (Shape{6, 4, 3, 3}));

  const LayerConfig config = parsed(with(torch, R"({"class_name": "ConvTranspose3d", "name": "up", "activation": "tanh",
      "data_format": "channels_last", "build_config": {"input_shape": [1, 2, 3, 4, 6]}, "config": {"stride": [2, 3, 4],
      "padding": 1, "output_padding": [3, 2, 3], "groups": 2, "bias": false, "dilation": [4, 2, 2],
      "padding_mode": "zeros", "device": "cuda:0", "dtype": "torch.float32"}})"));
  EXPECT_EQ(config.rank, 3);
  EXPECT_EQ(config.name, "up");
  EXPECT_EQ(config.activation, Activation::tanh);
  EXPECT_EQ(config.data_format, DataFormat::channels_last);
  EXPECT_EQ(config.strides, (Shape{2, 3, 4}));
  EXPECT_EQ(config.pads_begin, (Shape{1, 1, 1}));
  EXPECT_EQ(config.pads_end, (Shape{1, 1, 1}));
  EXPECT_EQ(config.output_padding, (Shape{3, 2, 3}));  // below the stride or the dilation
  EXPECT_EQ(config.dilation_rate, (Shape{4, 2, 2}));
  EXPECT_FALSE(config.use_bias);
  EXPECT_EQ(kernel_shape(config), (Shape{6, 2, 3, 3, 3}));
}

TEST(TorchJson, RefusalsUsePyTorchNames) {
  expect_refusals(
      torch,
      {
          {R"({"config": {"strides": 2}})", "unknown field 'strides' in config: did you mean 'stride'?"},
          {R"({"class_name": "ConvTranspose4d"})",
           "class_name 'ConvTranspose4d' must be ConvTranspose1d, ConvTranspose2d or "
           "ConvTranspose3d: did you mean 'ConvTranspose1d'?"},
          {R"({"config": {"in_channels": -1}})", "in_channels -1 must be positive"},
          {R"({"config": {"out_channels": null}})", "field 'out_channels' in config is missing"},
          {R"({"config": {"stride": 0}})", "stride (0, 0) must be positive"},
          {R"({"config": {"padding": -1}})", "padding (-1, -1) must be zero or more"},
          {R"({"config": {"padding": "same"}})", "'padding' in config must be an integer or a list of 2, got 'same'"},
          {R"({"config": {"padding_mode": "reflect"}})",
           "padding_mode 'reflect' must be 'zeros': PyTorch has no other for a transposed convolution"},
          {R"({"config": {"dtype": "float64"}})", "dtype 'float64' must be 'float32'"},
          {R"({"config": {"output_padding": 3, "stride": 2, "dilation": [1, 3]}})",
           "output_padding (3, 3) must be smaller than stride (2, 2) or dilation (1, 3)"},
          {R"({"config": {"groups": 4}})", "groups 4 does not divide in_channels 6"},
          {R"({"build_config": {"input_shape": [1, 5, 8, 8]}})",
           "input_shape (1, 5, 8, 8) has 5 channels, but the layer takes 6"},
          {R"({"config": {"padding": 5}, "build_config": {"input_shape": [1, 6, 1, 9]}})",
           "spatial dimension 0: the output extent would be -7, which is not in 0 to 1073741824 "
           "(input 1, kernel 3, stride 1, dilation 1)"},
      });
}

TEST(OnnxJson, AttributesMayStandInThreePlaces) {
  for (const char *const place :
       {R"({"strides": [2, 3]})", R"({"config": {"strides": [2, 3]}})", R"({"attributes": {"strides": [2, 3]}})"}) {
    const LayerConfig config = parsed(with(onnx, place));
    EXPECT_EQ(config.strides, (Shape{2, 3})) << place;
    EXPECT_EQ(config.filters, 4);
    EXPECT_EQ(config.in_channels, 6);
    EXPECT_EQ(config.kernel_size, (Shape{3, 5}));
    EXPECT_EQ(config.padding, TCONV_PADDING_EXPLICIT);
    EXPECT_EQ(config.data_format, DataFormat::channels_first);
  }
}

TEST(OnnxJson, KernelArrayTellsWhatTheAttributesLeaveOut) {
  const LayerConfig config = parsed(with(onnx, R"({"weight_shape": null, "group": 2})"), Shape{6, 4, 3});
  EXPECT_EQ(config.rank, 1);
  EXPECT_EQ(config.filters, 8);
  EXPECT_EQ(config.in_channels, 6);
  EXPECT_EQ(config.kernel_size, (Shape{3}));
}

TEST(OnnxJson, PaddingFollowsAutoPadAndOutputShape) {
  const LayerConfig pads = parsed(with(onnx, R"({"pads": [1, 2, 3, -4], "auto_pad": "NOTSET"})"));
  EXPECT_EQ(pads.pads_begin, (Shape{1, 2}));
  EXPECT_EQ(pads.pads_end, (Shape{3, -4}));
  const struct {
    const char *changes;
    tconv_padding padding;
    std::optional<Shape> output;
  } cases[] = {
      {R"({"auto_pad": "VALID", "pads": [0, 0, 0, 0]})", TCONV_PADDING_EXPLICIT, std::nullopt},
      {R"({"auto_pad": "SAME_UPPER"})", TCONV_PADDING_ONNX_UPPER, std::nullopt},
      {R"({"auto_pad": "SAME_LOWER"})", TCONV_PADDING_ONNX_LOWER, std::nullopt},
      {R"({"output_shape": [9, 9], "pads": [1, 1, 1, 1]})", TCONV_PADDING_ONNX_LOWER, Shape{9, 9}},
      {R"({"output_shape": [9, 9], "auto_pad": "SAME_UPPER"})", TCONV_PADDING_ONNX_UPPER, Shape{9, 9}},
      {R"({"output_shape": [1, 4, 9, 9], "build_config": {"input_shape": [1, 6, 7, 5]}})", TCONV_PADDING_ONNX_LOWER,
       Shape{9, 9}},
  };
  for (const auto &c : cases) {
    const LayerConfig config = parsed(with(onnx, c.changes));
    EXPECT_EQ(config.padding, c.padding) << c.changes;
    EXPECT_EQ(config.output_shape, c.output) << c.changes;
  }
}

TEST(OnnxJson, RefusalsUseOnnxNames) {
  expect_refusals(
      onnx,
      {
          {R"({"groups": 2})", "unknown field 'groups': did you mean 'group'?"},
          {R"({"config": {"stride": [2, 2]}})", "unknown field 'stride' in config: did you mean 'strides'?"},
          {R"({"strides": [1, 1], "attributes": {"strides": [2, 2]}})", "field 'strides' is given twice"},
          {R"({"op_type": "Conv"})", "operator 'Conv' must be 'ConvTranspose'"},
          {R"({"op_type": null})", "field 'op_type' is missing"},
          {R"({"weight_shape": null})", "kernel_shape is missing, and so are weight_shape and the kernel array"},
          {R"({"weight_shape": null, "kernel_shape": [3, 3]})",
           "the output channels are not known: give weight_shape or the kernel array"},
          {R"({"weight_shape": null, "kernel_shape": [3, 3, 3, 3]})", "4 spatial dimensions: tconv has 1 to 3"},
          {R"({"kernel_shape": [3, 3]})", "weight_shape has shape (6, 4, 3, 5), but the layer needs (6, 4, 3, 3)"},
          {R"({"strides": 2})", "'strides' must be a list of integers, got 2"},
          {R"({"dilations": [0, 1]})", "dilations (0, 1) must be positive"},
          {R"({"pads": [1, 1]})", "'pads' (1, 1) must have 4 entries"},
          {R"({"pads": [1, 1, 1, 1], "auto_pad": "SAME_UPPER"})",
           "pads (1, 1, 1, 1) with auto_pad SAME_UPPER: only one of them can say"},
          {R"({"auto_pad": "SAME"})", "auto_pad 'SAME' must be NOTSET, VALID, SAME_UPPER or SAME_LOWER"},
          {R"({"output_padding": [1, 0]})",
           "output_padding (1, 0) must be smaller than strides (1, 1) or dilations (1, 1)"},
          {R"({"group": 4})", "group 4 does not divide input channels 6"},
          {R"({"output_shape": [9, 9], "build_config": {"input_shape": [1, 6, null, 8]}})",
           "output_shape (9, 9) with input_shape (1, 6, None, 8): a prescribed output needs every spatial size of the "
           "input, because the crop depends on it"},
          {R"({"output_shape": [1, 3, 9, 9]})",
           "output_shape (1, 3, 9, 9) starts with neither spatial extents nor batch None and channels 4"},
          {R"({"output_shape": [9, -1]})", "output_shape (9, -1) must be zero or more"},
          {R"({"output_shape": [9]})", "output_shape (9,) must have 2 entries"},
          {R"({"build_config": {"input_shape": [1, 5, 8, 8]}})",
           "input_shape (1, 5, 8, 8) has 5 channels, but the layer takes 6"},
      });
}

TEST(TfliteJson, OptionsAndOutputShapeAreRead) {
  const LayerConfig config = parsed(with(tflite, R"({"build_config": {"input_shape": [1, 4, 3, 6]}, "use_bias": false,
      "config": {"fused_activation_function": "RELU6"}})"));
  EXPECT_EQ(config.rank, 2);
  EXPECT_EQ(config.filters, 4);
  EXPECT_EQ(config.kernel_size, (Shape{3, 5}));
  EXPECT_EQ(config.strides, (Shape{2, 3}));
  EXPECT_EQ(config.padding, TCONV_PADDING_TFLITE_SAME);
  EXPECT_EQ(config.output_shape, (Shape{8, 9}));
  EXPECT_EQ(config.activation, Activation::relu6);
  EXPECT_FALSE(config.use_bias);
  EXPECT_EQ(kernel_shape(config), (Shape{4, 3, 5, 6}));
  EXPECT_EQ(parsed(with(tflite, R"({"config": {"padding": "valid"}})")).padding, TCONV_PADDING_TFLITE_VALID);
  EXPECT_EQ(parsed(with(tflite, R"({"config": {"stride_h": null, "stride_w": null, "strides": [4, 5]}})")).strides,
            (Shape{4, 5}));
}

TEST(TfliteJson, RefusalsUseTfliteNames) {
  expect_refusals(
      tflite, {
                  {R"({"config": {"stride_x": 2}})", "unknown field 'stride_x' in config: did you mean 'stride_h'?"},
                  {R"({"config": {"stride_w": null}})", "field 'stride_w' is missing"},
                  {R"({"config": {"strides": [1, 1]}})", "give strides, or stride_h and stride_w, not both"},
                  {R"({"config": {"padding": null}})", "field 'padding' is missing"},
                  {R"({"config": {"padding": "EXPLICIT"}})", "padding 'EXPLICIT' must be SAME or VALID"},
                  {R"({"config": {"output_shape": null}})",
                   "field 'output_shape' is missing: a TRANSPOSE_CONV has it as its first input"},
                  {R"({"config": {"output_shape": [8, 9]}})",
                   "output_shape (8, 9) must have 4 entries: batch, height, width and channels"},
                  {R"({"config": {"output_shape": [1, 8, 9, 5]}})",
                   "output_shape (1, 8, 9, 5) has 5 channels, but the kernel array has 4"},
                  {R"({"config": {"output_shape": [1, null, 9, 4]}})",
                   "output_shape (1, None, 9, 4): height and width must be known"},
                  {R"({"build_config": {"input_shape": [2, 4, 3, 6]}})",
                   "output_shape (1, 8, 9, 4) with input_shape (2, 4, 3, 6): the batch differs"},
                  {R"({"config": {"fused_activation_function": "RELU_N1_TO_1"}})",
                   "fused_activation_function 'RELU_N1_TO_1' must be NONE, RELU, RELU6 or TANH"},
                  {R"({"activation": "relu", "config": {"fused_activation_function": "TANH"}})",
                   "give activation 'relu' or fused_activation_function 'TANH', not both"},
                  {R"({"data_format": "channels_first"})",
                   "data_format channels_first with dialect tflite: its tensors are channels_last"},
                  {R"({"weight_shape": null})", "the kernel size is not known: give weight_shape or the kernel array"},
                  {R"({"weight_shape": [4, 3, 5]})", "'weight_shape' (4, 3, 5) must have 4 entries"},
                  {R"({"weight_shape": [4, 3, 5, 4611686018427387904]})",
                   "weight_shape (4, 3, 5, 4611686018427387904): 4611686018427387904 is not in 1 to 1073741824"},
              });
}

}  // namespace
}  // namespace tconv
