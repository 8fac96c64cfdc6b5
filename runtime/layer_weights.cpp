// A layer's weights: created by build(), exchanged by set_weights() and get_weights().
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "layer_check.h"
#include "layer_state.h"
#include "message.h"
#include "tconv/weights.h"
#include "tensor_check.h"

namespace tconv {
namespace detail {
namespace {

// SplitMix64, so that a seed means the same kernel with every compiler; std::uniform_real_distribution does not.
float uniform(std::uint64_t &state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return static_cast<float>(z >> 40) * 0x1p-23f - 1.0f;
}

// Keras takes the fans from the kernel's last two axes, (filters, channels / groups), times the taps.
void glorot_uniform(const LayerConfig &config, std::uint64_t seed, std::vector<float> &values) {
  const std::int64_t channels = config.in_channels / config.groups;
  double fans = static_cast<double>(config.filters + channels);
  for (const std::int64_t size : config.kernel_size) fans *= static_cast<double>(size);
  const float limit = static_cast<float>(std::sqrt(6.0 / fans));
  for (float &value : values) value = limit * uniform(seed);
}

// Weights for so many channels, all zero.
Result<Weights> zero_weights(const LayerConfig &config, std::int64_t in_channels) {
  Weights weights;
  weights.config = config;
  weights.config.in_channels = in_channels;
  weights.config.input_shape.reset();
  const Result<tconv_layer> layer = describe(weights.config);
  if (!layer.ok()) return layer.status();
  weights.layer = layer.value();
  weights.kernel.shape = kernel_shape(weights.config);
  std::size_t elements = 1;
  for (const std::int64_t size : weights.kernel.shape) elements *= static_cast<std::size_t>(size);
  weights.kernel.data.resize(elements);
  if (config.use_bias) weights.bias = {{config.filters}, std::vector<float>(static_cast<std::size_t>(config.filters))};
  return weights;
}

}  // namespace

Status create_weights(LayerState &state, const Shape &input_shape) {
  if (Status status = check_input(current_config(state), input_shape); !status.ok()) return status;
  if (state.built_for.empty()) state.built_for = input_shape;
  if (state.weights) return {};
  Result<Weights> weights = zero_weights(state.config, input_shape[channel_axis(state.config)]);
  if (!weights.ok()) return weights.status();
  glorot_uniform(weights.value().config, state.seed, weights.value().kernel.data);
  state.weights = std::move(weights).value();
  return {};
}

namespace {

Status exchange_weights(LayerState &state, std::span<const Tensor> given) {
  const std::size_t wanted = state.config.use_bias ? 2 : 1;
  if (given.size() != wanted) {
    return invalid_argument(fmt::format("set_weights() got {} arrays, but the layer has {}: {}", given.size(), wanted,
                                        state.config.use_bias ? "kernel and bias" : "the kernel, use_bias is false"));
  }
  const LayerConfig &config = current_config(state);
  LayerConfig expected = config;
  if (expected.in_channels == unknown) expected.in_channels = kernel_channels(config, given[0].shape);
  if (Status status = check_tensor("kernel", given[0], kernel_shape(expected)); !status.ok()) return status;
  if (state.config.use_bias) {
    if (Status status = check_tensor("bias", given[1], {state.config.filters}); !status.ok()) return status;
  }
  Result<Weights> weights = zero_weights(state.config, expected.in_channels);
  if (!weights.ok()) return weights.status();
  weights.value().kernel = given[0];
  if (state.config.use_bias) weights.value().bias = given[1];
  state.weights = std::move(weights).value();
  state.packed.clear();
  return {};
}

}  // namespace
}  // namespace detail

Status TransposedConvolution::build(const Shape &input_shape) {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Status {
    const Result<Shape> output = compute_output_shape(input_shape);
    if (!output.ok()) return output.status();
    const std::lock_guard lock(state_->mutex);
    Status status = detail::create_weights(*state_, input_shape);
    if (status.ok()) state_->built_for = input_shape;
    return status;
  });
}

Status TransposedConvolution::set_weights(std::span<const Tensor> weights) {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Status {
    const std::lock_guard lock(state_->mutex);
    return detail::exchange_weights(*state_, weights);
  });
}

Result<std::vector<Tensor>> TransposedConvolution::get_weights() const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Result<std::vector<Tensor>> {
    const std::lock_guard lock(state_->mutex);
    std::vector<Tensor> copies;
    if (!state_->weights) return copies;
    copies.push_back(state_->weights->kernel);
    if (state_->config.use_bias) copies.push_back(state_->weights->bias);
    return copies;
  });
}

Result<std::int64_t> TransposedConvolution::count_params() const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Result<std::int64_t> {
    const std::lock_guard lock(state_->mutex);
    if (!state_->weights) {
      return Status(StatusCode::failed_precondition, "count_params() before the layer is built: call build() first");
    }
    return static_cast<std::int64_t>(state_->weights->kernel.data.size() + state_->weights->bias.data.size());
  });
}

}  // namespace tconv
