// Keys, typical sizes and costs of a plan.
#include "plan/plan.h"

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tconv/activation.h"

namespace tconv {

namespace {

// Stands for an open extent: large enough that no phase is empty.
constexpr std::int64_t large_extent = 1024;

std::string size_text(std::int64_t size) { return size == TCONV_UNSET ? "?" : std::to_string(size); }

// One field, "k4x4", from the function that gives a dimension's number.
template <typename Number>
std::string field(const char *name, int rank, Number number) {
  std::vector<std::string> parts;
  for (int d = 0; d < rank; ++d) parts.push_back(size_text(number(d)));
  return fmt::format(" {}{}", name, fmt::join(parts, "x"));
}

const char *padding_name(std::int32_t padding) {
  switch (padding) {
    case TCONV_PADDING_KERAS_VALID: return "valid";
    case TCONV_PADDING_KERAS_SAME: return "same";
    case TCONV_PADDING_ONNX_UPPER: return "same_upper";
    case TCONV_PADDING_ONNX_LOWER: return "same_lower";
    case TCONV_PADDING_TFLITE_SAME: return "tflite_same";
    case TCONV_PADDING_TFLITE_VALID: return "tflite_valid";
    default: return "explicit";
  }
}

// The rule of an open dimension, from which crop and output follow.
std::string open_rule(const tconv_rule &rule) {
  std::string text = fmt::format(" {}", padding_name(rule.padding));
  if (rule.padding == TCONV_PADDING_EXPLICIT) text += fmt::format("{},{}", rule.pad_begin, rule.pad_end);
  if (rule.output_padding != TCONV_UNSET) text += fmt::format("+{}", rule.output_padding);
  return text;
}

}  // namespace

Plan general_plan(int rank, bool channels_last) {
  Plan plan;
  plan.name = fmt::format("tconv_conv{}d_transpose_{}", rank, channels_last ? "channels_last" : "channels_first");
  plan.general = true;
  plan.layer.rank = rank;
  plan.layer.channels_last = channels_last ? 1 : 0;
  plan.layer.groups = plan.layer.in_channels = plan.layer.out_channels = 1;
  return plan;
}

std::string key(const Plan &plan) {
  const tconv_layer &layer = plan.layer;
  std::string text =
      fmt::format("conv{}d_transpose {}", layer.rank, layer.channels_last ? "channels_last" : "channels_first");
  if (plan.general) return text + " any size";
  const auto rule = [&](int d) { return layer.rule[d]; };
  text += fmt::format(" n{}", size_text(layer.batch));
  text += field("i", layer.rank, [&](int d) { return layer.size[d]; });
  text += fmt::format(" c{} o{}", layer.in_channels, layer.out_channels);
  if (layer.groups > 1) text += fmt::format(" g{}", layer.groups);
  text += field("k", layer.rank, [&](int d) { return rule(d).kernel; });
  text += field("s", layer.rank, [&](int d) { return rule(d).stride; });
  text += field("d", layer.rank, [&](int d) { return rule(d).dilation; });
  bool open = false;
  for (int d = 0; d < layer.rank; ++d) open = open || layer.size[d] == TCONV_UNSET;
  if (open) {
    for (int d = 0; d < layer.rank; ++d) text += open_rule(rule(d));
  } else {
    const tconv_dims dims = typical_dims(plan);
    const int lead = TCONV_MAX_RANK - layer.rank;
    text += field("crop", layer.rank, [&](int d) { return dims.dim[lead + d].crop; });
    text += field("out", layer.rank, [&](int d) { return dims.dim[lead + d].out; });
  }
  return text + fmt::format(" {}", name(static_cast<Activation>(layer.activation)));
}

tconv_dims typical_dims(const Plan &plan) {
  tconv_dims dims{};
  std::int64_t size[TCONV_MAX_RANK] = {};
  for (int d = 0; d < plan.layer.rank; ++d)
    size[d] = plan.layer.size[d] == TCONV_UNSET ? large_extent : plan.layer.size[d];
  tconv_resolve_layer(&plan.layer, size, &dims);
  return dims;
}

double multiply_adds(const tconv_layer &layer, const tconv_dims &dims, std::int64_t batch) {
  double all = static_cast<double>(batch) * static_cast<double>(layer.in_channels) *
               static_cast<double>(tconv_group_outputs(&layer));
  for (const tconv_dim &dim : dims.dim) all *= static_cast<double>(dim.in) * static_cast<double>(dim.kernel);
  return all;
}

}  // namespace tconv
