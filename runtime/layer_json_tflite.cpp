// Reads a TensorFlow Lite TRANSPOSE_CONV operator: its options, and its output-shape tensor as "output_shape".
#include <fmt/format.h>

#include <algorithm>

#include "layer_json.h"
#include "message.h"

namespace tconv {
namespace {

const Names &attribute_names() {
  static const Names names = {"padding",      "stride_h",    "stride_w", "strides", "fused_activation_function",
                              "output_shape", "weight_shape"};
  return names;
}

tconv_padding read_padding(const Fields &fields) {
  if (!fields.has("padding")) fields.fail_missing("padding");
  const std::string padding = fields.text("padding", "SAME");
  if (lower_case(padding) == "valid") return TCONV_PADDING_TFLITE_VALID;
  if (lower_case(padding) != "same") fields.fail(fmt::format("padding {} must be SAME or VALID", quote(padding)));
  return TCONV_PADDING_TFLITE_SAME;
}

Shape read_strides(const Fields &fields) {
  if (!fields.has("strides"))
    return {fields.integer("stride_h", std::nullopt), fields.integer("stride_w", std::nullopt)};
  if (fields.has("stride_h") || fields.has("stride_w")) fields.fail("give strides, or stride_h and stride_w, not both");
  return fields.list("strides", 2).value_or(Shape(2, 1));
}

void read_fused_activation(const Fields &fields, LayerConfig &config) {
  const std::string fused = fields.text("fused_activation_function", "NONE");
  if (fused == "NONE") return;
  if (config.activation != Activation::linear) {
    fields.fail(fmt::format("give activation '{}' or fused_activation_function {}, not both", name(config.activation),
                            quote(fused)));
  }
  if (fused == "RELU") {
    config.activation = Activation::relu;
  } else if (fused == "RELU6") {
    config.activation = Activation::relu6;
  } else if (fused == "TANH") {
    config.activation = Activation::tanh;
  } else {
    fields.fail({StatusCode::unsupported,
                 fmt::format("fused_activation_function {} must be NONE, RELU, RELU6 or TANH", quote(fused))});
  }
}

// (batch, height, width, channels), where batch and channels must be those of the other tensors.
void read_output_shape(const Fields &fields, LayerConfig &config) {
  const std::optional<Shape> shape = fields.open_shape("output_shape");
  if (!shape) {
    fields.fail("field 'output_shape' is missing: a TRANSPOSE_CONV has it as its first input");
    return;
  }
  if (shape->size() != 4) {
    fields.fail(
        fmt::format("output_shape {} must have 4 entries: batch, height, width and channels", open_tuple(*shape)));
    return;
  }
  const Shape &out = *shape;
  if (config.filters == 0 && out[3] != unknown) config.filters = out[3];
  if (out[3] != unknown && out[3] != config.filters) {
    fields.fail(fmt::format("output_shape {} has {} channels, but the kernel array has {}", open_tuple(out), out[3],
                            config.filters));
  }
  const std::int64_t batch = config.input_shape && !config.input_shape->empty() ? config.input_shape->front() : unknown;
  if (batch != unknown && out[0] != unknown && batch != out[0]) {
    fields.fail(fmt::format("output_shape {} with input_shape {}: the batch differs", open_tuple(out),
                            open_tuple(*config.input_shape)));
  }
  if (out[1] == unknown || out[2] == unknown) {
    fields.fail(fmt::format("output_shape {}: height and width must be known", open_tuple(out)));
  }
  config.output_shape = Shape{out[1], out[2]};
}

}  // namespace

ParsedLayer read_tflite(const Fields &layer, const std::optional<Shape> &kernel) {
  ParsedLayer parsed;
  LayerConfig &config = parsed.config;
  config.dialect = Dialect::tflite;
  config.rank = 2;
  const Json attributes = collect_attributes(layer, attribute_names());
  expect_operator(layer, "TRANSPOSE_CONV");
  read_common(layer, config);
  config.use_bias = layer.boolean("use_bias", true);
  const Fields fields = layer.with(attributes);
  parsed.weight_shape = read_weight_shape(fields, 4);
  if (!layer.ok()) return parsed;

  config.padding = read_padding(fields);
  config.strides = read_strides(fields);
  config.dilation_rate = {1, 1};
  read_fused_activation(fields, config);
  take_from_kernel(config, parsed.weight_shape);
  take_from_kernel(config, kernel);
  if (config.kernel_size.empty()) layer.fail("the kernel size is not known: give weight_shape or the kernel array");
  read_output_shape(fields, config);
  return parsed;
}

}  // namespace tconv
