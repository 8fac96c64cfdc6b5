// The layers' construction, from Keras' arguments or from a config, and the copy.
#include "tconv/layer.h"

#include <string>
#include <utility>

#include "define_layer.h"
#include "graph_state.h"
#include "layer_check.h"
#include "layer_state.h"
#include "tconv/image_data_format.h"

namespace tconv {
namespace {

// In-channels that only the input's shape tells are known before build() too.
void adopt_channels(LayerConfig &config) {
  if (config.in_channels == unknown && config.input_shape) {
    config.in_channels = (*config.input_shape)[channel_axis(config)];
  }
}

template <int rank>
Result<LayerDefinition> define(const ConvTransposeArguments<rank> &arguments) {
  DataFormat data_format = DataFormat::channels_last;
  if (arguments.data_format.empty()) {
    const Result<DataFormat> setting = image_data_format();
    if (!setting.ok()) return setting.status();
    data_format = setting.value();
  }
  return define_layer(arguments, data_format);
}

// A layer that knows its input is built at once, as the first of a Keras model is.
void build_first_layer(detail::LayerState *state) {
  if (state == nullptr || !state->error.ok() || !state->definition.config.input_shape) return;
  state->error = detail::guarded(
      [&]() -> Status { return detail::build_for(*state, *state->definition.config.input_shape).status(); });
  if (!state->error.ok()) state->definition = LayerDefinition();
}

}  // namespace

namespace detail {

std::unique_ptr<LayerState> make_state(const std::function<Result<LayerDefinition>()> &define) {
  try {
    auto state = std::make_unique<LayerState>();
    state->error = guarded([&]() -> Status {
      Result<LayerDefinition> defined = define();
      if (!defined.ok()) return defined.status();
      LayerDefinition &definition = defined.value();
      adopt_channels(definition.config);
      if (definition.config.name.empty()) {
        const std::string base = base_name(definition.config.rank);
        definition.config.name = definition.graph ? definition.graph->state().name_layer(base) : name_layer(base);
      }
      state->trainable = definition.trainable;
      state->definition = std::move(definition);
      return {};
    });
    return state;
  } catch (...) {
    return nullptr;
  }
}

}  // namespace detail

template <int rank>
ConvTranspose<rank>::ConvTranspose(const Arguments &arguments)
    : TransposedConvolution(detail::make_state([&] { return define(arguments); })) {
  build_first_layer(state_.get());
}

template <int rank>
Result<ConvTranspose<rank>> ConvTranspose<rank>::from_config(std::string_view json, const CustomObjects &custom_objects,
                                                             const std::optional<Graph> &graph) {
  return detail::guarded([&]() -> Result<ConvTranspose> {
    ConvTranspose layer(detail::make_state([&]() -> Result<LayerDefinition> {
      Result<LayerDefinition> definition = read_definition(json, rank, custom_objects);
      if (!definition.ok()) return definition;
      if (Status status = check_definition(definition.value(), rank); !status.ok()) return status;
      definition.value().graph = graph;
      return definition;
    }));
    build_first_layer(layer.state_.get());
    if (Status status = layer.status(); !status.ok()) return status;
    return layer;
  });
}

template <int rank>
Result<ConvTranspose<rank>> ConvTranspose<rank>::from_config(const LayerConfig &config,
                                                             const std::optional<Graph> &graph) {
  return detail::guarded([&]() -> Result<ConvTranspose> {
    ConvTranspose layer(detail::make_state([&]() -> Result<LayerDefinition> {
      LayerDefinition definition = {config, config.activation};
      if (Status status = check_definition(definition, rank); !status.ok()) return status;
      definition.graph = graph;
      return definition;
    }));
    if (Status status = layer.status(); !status.ok()) return status;
    return layer;
  });
}

template <int rank>
Result<ConvTranspose<rank>> ConvTranspose<rank>::deep_copy() const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Result<ConvTranspose> {
    ConvTranspose copy(detail::make_state([&]() -> Result<LayerDefinition> { return state_->definition; }));
    if (Status status = copy.status(); !status.ok()) return status;
    if (Status status = detail::copy_state(*state_, *copy.state_); !status.ok()) return status;
    return copy;
  });
}

template class ConvTranspose<1>;
template class ConvTranspose<2>;
template class ConvTranspose<3>;

}  // namespace tconv
