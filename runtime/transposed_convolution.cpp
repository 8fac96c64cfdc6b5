// What can be asked of a layer without running it.
#include <fmt/format.h>

#include "layer_state.h"
#include "message.h"

namespace tconv {
namespace detail {

LayerDefinition current_definition(const LayerState &state) {
  LayerDefinition definition = state.definition;
  const std::lock_guard lock(state.mutex);
  definition.trainable = state.trainable;
  return definition;
}

}  // namespace detail

const LayerConfig &TransposedConvolution::config() const {
  static const LayerConfig empty;
  return state_ == nullptr ? empty : state_->definition.config;
}

Result<Shape> TransposedConvolution::compute_output_shape(const Shape &input_shape) const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Result<Shape> {
    const std::lock_guard lock(state_->mutex);
    return tconv::compute_output_shape(detail::current_config(*state_), input_shape);
  });
}

Result<std::optional<Tensor>> TransposedConvolution::compute_mask(const Tensor &,
                                                                  const std::optional<Tensor> &mask) const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Result<std::optional<Tensor>> {
    if (!mask) return std::optional<Tensor>();
    return invalid_argument(
        fmt::format("compute_mask() of {}: a transposed convolution does not support masking, but "
                    "was given a mask of shape {}",
                    quote(name()), tuple(mask->shape)));
  });
}

Result<std::string> TransposedConvolution::get_config() const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&] { return write_config(detail::current_definition(*state_)); });
}

Result<std::string> TransposedConvolution::serialize() const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&] {
    std::optional<Shape> built_for;
    {
      const std::lock_guard lock(state_->mutex);
      if (!state_->built_for.empty()) built_for = state_->built_for;
    }
    return write_layer(detail::current_definition(*state_), built_for);
  });
}

}  // namespace tconv
