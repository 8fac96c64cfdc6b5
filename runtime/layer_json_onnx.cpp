// Reads an ONNX ConvTranspose node, opset 11 and later. The node's attributes do not say how many channels there are;
// that comes from "weight_shape" or from the kernel array.
#include <fmt/format.h>

#include <algorithm>

#include "layer_json.h"
#include "message.h"

namespace tconv {
namespace {

const Names &attribute_names() {
  static const Names names = {"auto_pad", "dilations", "group",        "kernel_shape", "output_padding",
                              "pads",     "strides",   "output_shape", "weight_shape"};
  return names;
}

// Whatever first says how many spatial dimensions there are.
int read_rank(const Fields &fields, const ParsedLayer &parsed, const std::optional<Shape> &kernel) {
  std::size_t rank = 0;
  if (const std::optional<Shape> shape = fields.list("kernel_shape", 0)) {
    rank = shape->size();
  } else {
    for (const auto *array : {&parsed.weight_shape, &kernel, &parsed.config.input_shape}) {
      if (rank == 0 && *array && (*array)->size() > 2) rank = (*array)->size() - 2;
    }
  }
  if (rank >= 1 && rank <= TCONV_MAX_RANK) return static_cast<int>(rank);
  if (rank == 0) {
    fields.fail("kernel_shape is missing, and so are weight_shape and the kernel array");
  } else {
    fields.fail({StatusCode::unsupported,
                 fmt::format("{} spatial dimensions: tconv has 1 to {}", rank, static_cast<int>(TCONV_MAX_RANK))});
  }
  return 0;
}

bool all_zero(const Shape &sizes) {
  return std::all_of(sizes.begin(), sizes.end(), [](std::int64_t size) { return size == 0; });
}

void read_padding(const Fields &fields, LayerConfig &config) {
  static const Names words = {"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"};
  const std::string auto_pad = fields.text("auto_pad", "NOTSET");
  if (std::find(words.begin(), words.end(), auto_pad) == words.end()) {
    fields.fail(fmt::format("auto_pad {} must be NOTSET, VALID, SAME_UPPER or SAME_LOWER{}", quote(auto_pad),
                            did_you_mean(auto_pad, words)));
  }
  const auto rank = static_cast<std::size_t>(config.rank);
  const Shape pads = fields.list("pads", 2 * rank).value_or(Shape(2 * rank, 0));
  if (auto_pad != "NOTSET" && !all_zero(pads)) {
    fields.fail(fmt::format("pads {} with auto_pad {}: only one of them can say", tuple(pads), auto_pad));
  }
  if (auto_pad == "SAME_UPPER") {
    config.padding = TCONV_PADDING_ONNX_UPPER;
  } else if (auto_pad == "SAME_LOWER" || fields.has("output_shape")) {
    config.padding = TCONV_PADDING_ONNX_LOWER;  // the pads follow from output_shape; those given do not count
  } else {
    config.padding = TCONV_PADDING_EXPLICIT;
    config.pads_begin.assign(pads.begin(), pads.begin() + config.rank);
    config.pads_end.assign(pads.begin() + config.rank, pads.end());
  }
}

// Some exporters write batch and channels in front.
void read_output_shape(const Fields &fields, LayerConfig &config) {
  const auto rank = static_cast<std::size_t>(config.rank);
  std::optional<Shape> shape = fields.list("output_shape", 0);
  if (!shape) return;
  if (shape->size() == rank + 2) {
    const std::int64_t batch =
        config.input_shape && !config.input_shape->empty() ? config.input_shape->front() : unknown;
    if ((batch != unknown && (*shape)[0] != batch) || (config.filters != 0 && (*shape)[1] != config.filters)) {
      fields.fail(fmt::format("output_shape {} starts with neither spatial extents nor batch {} and channels {}",
                              tuple(*shape), batch == unknown ? "None" : fmt::format("{}", batch), config.filters));
    }
    shape->erase(shape->begin(), shape->begin() + 2);
  }
  config.output_shape = std::move(shape);
}

}  // namespace

ParsedLayer read_onnx(const Fields &layer, const std::optional<Shape> &kernel) {
  ParsedLayer parsed;
  LayerConfig &config = parsed.config;
  config.dialect = Dialect::onnx;
  config.data_format = DataFormat::channels_first;
  const Json attributes = collect_attributes(layer, attribute_names());
  expect_operator(layer, "ConvTranspose");
  read_common(layer, config);
  config.use_bias = layer.boolean("use_bias", true);
  const Fields fields = layer.with(attributes);
  parsed.weight_shape = read_weight_shape(fields, 0);
  if (layer.ok()) config.rank = read_rank(fields, parsed, kernel);
  if (!layer.ok()) return parsed;

  const auto rank = static_cast<std::size_t>(config.rank);
  config.groups = fields.integer("group", 1);
  config.kernel_size = fields.list("kernel_shape", rank).value_or(Shape());
  config.strides = fields.list("strides", rank).value_or(Shape(rank, 1));
  config.dilation_rate = fields.list("dilations", rank).value_or(Shape(rank, 1));
  config.output_padding = fields.list("output_padding", rank);
  read_padding(fields, config);
  take_from_kernel(config, parsed.weight_shape);
  take_from_kernel(config, kernel);
  if (config.filters == 0) layer.fail("the output channels are not known: give weight_shape or the kernel array");
  read_output_shape(fields, config);
  return parsed;
}

}  // namespace tconv
