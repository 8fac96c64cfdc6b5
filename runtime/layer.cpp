// The layer's construction from Keras' arguments or from a config, and what can be asked of it without running it.
#include "tconv/layer.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "layer_check.h"
#include "layer_state.h"
#include "message.h"
#include "tconv/weights.h"

namespace tconv {
namespace {

Shape to_shape(std::span<const std::int64_t> values) { return Shape(values.begin(), values.end()); }

Result<LayerConfig> keras_config(const detail::KerasArguments &a) {
  LayerConfig config;
  config.rank = a.rank;
  config.name = a.name;
  config.filters = a.filters;
  if (a.kernel_size.empty()) return invalid_argument("kernel_size is missing");
  config.kernel_size = to_shape(a.kernel_size);
  config.strides = a.strides.empty() ? Shape(count(a.rank), 1) : to_shape(a.strides);
  config.dilation_rate = a.dilation_rate.empty() ? Shape(count(a.rank), 1) : to_shape(a.dilation_rate);
  if (!a.output_padding.empty()) config.output_padding = to_shape(a.output_padding);
  config.groups = a.groups;
  config.use_bias = a.use_bias;
  const std::string padding = lower_case(a.padding), data_format = lower_case(a.data_format);
  if (padding != "valid" && padding != "same") {
    return invalid_argument(fmt::format("padding {} is neither 'valid' nor 'same'", quote(a.padding)));
  }
  config.padding = padding == "same" ? TCONV_PADDING_KERAS_SAME : TCONV_PADDING_KERAS_VALID;
  if (data_format != "channels_last" && data_format != "channels_first") {
    return invalid_argument(
        fmt::format("data_format {} is neither 'channels_last' nor 'channels_first'", quote(a.data_format)));
  }
  config.data_format = data_format == "channels_last" ? DataFormat::channels_last : DataFormat::channels_first;
  if (a.activation.empty()) return config;
  const std::optional<Activation> activation = activation_from_name(a.activation);
  if (!activation) {
    std::vector<std::string_view> names;
    for (int i = 0; i < activation_count; ++i) names.push_back(name(static_cast<Activation>(i)));
    return Status(StatusCode::unsupported, fmt::format("activation {} is not one of Keras' that tconv has{}",
                                                       quote(a.activation), did_you_mean(a.activation, names)));
  }
  config.activation = *activation;
  return config;
}

Status check_config(const LayerConfig &config, int rank) {
  if (config.rank != rank) {
    return invalid_argument(
        fmt::format("a Conv{}DTranspose from a config with {} spatial dimensions", rank, config.rank));
  }
  return validate(config);
}

// In-channels that only the input's shape tells are known before build() too.
void adopt_channels(LayerConfig &config) {
  if (config.in_channels == unknown && config.input_shape) {
    config.in_channels = (*config.input_shape)[channel_axis(config)];
  }
}

template <typename MakeConfig>
std::unique_ptr<detail::LayerState> make_state(std::uint64_t seed, MakeConfig make_config) {
  try {
    auto state = std::make_unique<detail::LayerState>();
    state->seed = seed;
    state->error = detail::guarded([&]() -> Status {
      Result<LayerConfig> config = make_config();
      if (!config.ok()) return config.status();
      state->config = std::move(config).value();
      adopt_channels(state->config);
      return {};
    });
    return state;
  } catch (...) {
    return nullptr;
  }
}

// The C struct of a layer that may not be built yet.
tconv_layer layer_so_far(const detail::LayerState &state) {
  if (state.weights) return state.weights->layer;
  LayerConfig config = state.config;
  const bool open = config.in_channels == unknown;
  if (open) config.in_channels = config.groups;
  config.input_shape.reset();
  tconv_layer layer = describe(config).value();
  if (open) layer.in_channels = TCONV_UNSET;
  return layer;
}

}  // namespace

namespace detail {

Result<KernelChoice> choose(const LayerState &state, const Shape &input_shape) {
  tconv_layer layer = layer_so_far(state);
  layer.batch = input_shape.front();
  for (int d = 0; d < layer.rank; ++d) layer.size[d] = input_shape[spatial_axis(state.config) + count(d)];
  layer.in_channels = input_shape[channel_axis(state.config)];
  return choose_kernel(state.kernels, layer);
}

}  // namespace detail

TransposedConvolution::TransposedConvolution(const detail::KerasArguments &arguments)
    : state_(make_state(arguments.seed, [&]() -> Result<LayerConfig> {
        Result<LayerConfig> config = keras_config(arguments);
        if (!config.ok()) return config;
        if (Status status = check_config(config.value(), arguments.rank); !status.ok()) return status;
        return config;
      })) {}

TransposedConvolution::TransposedConvolution(const LayerConfig &config, int rank, std::uint64_t seed)
    : state_(make_state(seed, [&]() -> Result<LayerConfig> {
        if (Status status = check_config(config, rank); !status.ok()) return status;
        return config;
      })) {}

TransposedConvolution::TransposedConvolution(TransposedConvolution &&) noexcept = default;
TransposedConvolution &TransposedConvolution::operator=(TransposedConvolution &&) noexcept = default;
TransposedConvolution::~TransposedConvolution() = default;

Status TransposedConvolution::status() const {
  if (state_ == nullptr) return {StatusCode::resource_exhausted, "out of memory"};
  return detail::guarded([&]() -> Status { return state_->error; });
}

const LayerConfig &TransposedConvolution::config() const {
  static const LayerConfig empty;
  return state_ == nullptr ? empty : state_->config;
}

bool TransposedConvolution::built() const {
  if (state_ == nullptr) return false;
  const std::lock_guard lock(state_->mutex);
  return state_->weights.has_value();
}

Result<Shape> TransposedConvolution::compute_output_shape(const Shape &input_shape) const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Result<Shape> {
    const std::lock_guard lock(state_->mutex);
    return tconv::compute_output_shape(detail::current_config(*state_), input_shape);
  });
}

Result<KernelInfo> TransposedConvolution::kernel_info(const Shape &input_shape) const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Result<KernelInfo> {
    const std::lock_guard lock(state_->mutex);
    const Result<Shape> output = tconv::compute_output_shape(detail::current_config(*state_), input_shape);
    if (!output.ok()) return output.status();
    Result<KernelChoice> choice = detail::choose(*state_, input_shape);
    if (!choice.ok()) return choice.status();
    KernelChoice &chosen = choice.value();
    const bool specialised = !chosen.kernel->general;
    return KernelInfo{specialised ? chosen.kernel->key : chosen.kernel->name, specialised, chosen.path->target,
                      std::move(chosen.reason)};
  });
}

Result<KernelInfo> TransposedConvolution::kernel_info() const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Result<KernelInfo> {
    Shape shape;
    {
      const std::lock_guard lock(state_->mutex);
      const LayerConfig &config = detail::current_config(*state_);
      shape = !state_->built_for.empty() ? state_->built_for : state_->config.input_shape.value_or(Shape());
      if (shape.empty() && config.in_channels != unknown) {
        shape.assign(count(config.rank) + 2, unknown);
        shape[channel_axis(config)] = config.in_channels;
      }
    }
    if (!shape.empty()) return kernel_info(shape);
    return Status(StatusCode::failed_precondition, "kernel_info() before the layer is built: call build() first");
  });
}

Status TransposedConvolution::use_kernel(const tconv_kernel &kernel, const tconv_layer &layer) {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Status {
    const std::lock_guard lock(state_->mutex);
    const RegisteredKernel candidate = {&kernel, layer};
    if (Status status = check_kernel(candidate, layer_so_far(*state_)); !status.ok()) return status;
    state_->kernels.push_back(candidate);
    return {};
  });
}

}  // namespace tconv
