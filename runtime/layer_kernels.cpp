// Which kernel serves a layer's calls.
#include <fmt/format.h>

#include <utility>

#include "layer_check.h"
#include "layer_state.h"
#include "message.h"
#include "tconv/weights.h"

namespace tconv {
namespace {

// The C struct of a layer that may not be built yet.
tconv_layer layer_so_far(const detail::LayerState &state) {
  if (state.built) return state.built->layer;
  LayerConfig config = state.definition.config;
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
  const LayerConfig &config = state.definition.config;
  layer.batch = input_shape.front();
  for (int d = 0; d < layer.rank; ++d) layer.size[d] = input_shape[spatial_axis(config) + count(d)];
  layer.in_channels = input_shape[channel_axis(config)];
  return choose_kernel(state.kernels, layer);
}

}  // namespace detail

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
      shape = !state_->built_for.empty() ? state_->built_for : state_->definition.config.input_shape.value_or(Shape());
      if (shape.empty() && config.in_channels != unknown) {
        shape.assign(count(config.rank) + 2, unknown);
        shape[channel_axis(config)] = config.in_channels;
      }
    }
    if (!shape.empty()) return kernel_info(shape);
    return Status(StatusCode::failed_precondition,
                  fmt::format("kernel_info() of {}, which is not built: call build(input_shape) first, or give a shape",
                              quote(name())));
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
