#include "tconv/functional.h"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>

#include "define_layer.h"
#include "graph_state.h"
#include "layer_state.h"
#include "message.h"
#include "tensor_check.h"

namespace tconv {
namespace {

// What the packed weights depend on beside the variables' values.
std::string geometry_key(const tconv_layer &layer) {
  std::string key = fmt::format("{} {} {} {} {} {}", layer.rank, layer.channels_last, layer.in_channels,
                                layer.out_channels, layer.groups, layer.activation);
  for (int d = 0; d < layer.rank; ++d) {
    const tconv_rule &r = layer.rule[d];
    key += fmt::format(" {} {} {} {} {}", r.padding, r.kernel, r.stride, r.dilation, r.output_padding);
  }
  return key;
}

std::shared_ptr<detail::PackCache> pack_cache(detail::GraphState &graph, const std::string &key) {
  const std::lock_guard lock(graph.mutex);
  std::shared_ptr<detail::PackCache> &cache = graph.packed[key];
  if (cache == nullptr) cache = std::make_shared<detail::PackCache>();
  return cache;
}

// The arguments that the functional forms have not, and those that mean something else in them.
template <int rank>
Result<LayerDefinition> define(const VariableScope &scope, const ConvTransposeArguments<rank> &arguments) {
  if (Status status = scope.status(); !status.ok()) return status;
  if (arguments.input_shape) {
    return invalid_argument(fmt::format("input_shape {} is an argument of a layer: a functional form has its inputs",
                                        open_tuple(*arguments.input_shape)));
  }
  if (arguments.graph && !(*arguments.graph == scope.graph())) {
    return invalid_argument(fmt::format("the graph given is not that of the scope {}", quote(scope.name())));
  }
  ConvTransposeArguments<rank> own = arguments;
  own.name.clear();
  own.graph.reset();
  own.use_bias = own.use_bias && !own.bias_initializer.is_none();
  return define_layer(own, DataFormat::channels_last);
}

Result<Tensor> call(const VariableScope &scope, const Tensor &inputs, LayerDefinition definition,
                    const std::string &given_name, Reuse reuse) {
  detail::ScopeState &scope_state = scope.state();
  detail::GraphState &graph = scope.graph().state();
  const std::string base = base_name(definition.config.rank);
  if (!given_name.empty()) {
    if (Status status = VariableScope(scope, given_name).status(); !status.ok()) return status;
  }
  if (Status status = compute_output_shape(definition.config, inputs.shape).status(); !status.ok()) return status;
  if (Status status = check_elements_given("input", inputs.shape, inputs.data.size()); !status.ok()) return status;
  const std::string name = scope_state.name_layer(given_name, base, reuse);
  const std::string path = scope_state.path(name);
  const Reuse effective = reuse == Reuse::no ? scope.reuse() : reuse;
  definition.config.name = name;
  const bool trainable = definition.trainable;
  const std::unique_ptr<detail::LayerState> state =
      detail::make_state([&]() -> Result<LayerDefinition> { return std::move(definition); });
  if (state == nullptr) return Status(StatusCode::resource_exhausted, "out of memory");
  if (!state->error.ok()) return state->error;
  state->get_variables = [&](std::span<const detail::VariableRequest> requests) {
    return detail::get_variables(graph, path, effective, trainable, requests);
  };
  const Result<std::shared_ptr<const detail::Built>> built = detail::build_for(*state, inputs.shape);
  if (!built.ok()) return built.status();
  state->packed = pack_cache(graph, fmt::format("{} {}", path, geometry_key(built.value()->layer)));
  Result<Tensor> output = detail::compute(*state, inputs, false);
  if (!output.ok()) return output;
  const Result<std::optional<float>> loss = detail::activity_loss(*state, output.value());
  if (!loss.ok()) return loss.status();
  if (!loss.value()) return output;
  const std::lock_guard lock(graph.mutex);
  graph.activity_losses.push_back(*loss.value());
  return output;
}

template <int rank>
Result<Tensor> conv_transpose(const VariableScope &scope, const Tensor &inputs,
                              const ConvTransposeArguments<rank> &arguments, Reuse reuse) {
  return detail::guarded([&]() -> Result<Tensor> {
    Result<LayerDefinition> definition = define(scope, arguments);
    if (!definition.ok()) return definition.status();
    return call(scope, inputs, std::move(definition).value(), arguments.name, reuse);
  });
}

}  // namespace

Result<Tensor> conv1d_transpose(const VariableScope &scope, const Tensor &inputs,
                                const ConvTransposeArguments<1> &arguments, Reuse reuse) {
  return conv_transpose(scope, inputs, arguments, reuse);
}

Result<Tensor> conv2d_transpose(const VariableScope &scope, const Tensor &inputs,
                                const ConvTransposeArguments<2> &arguments, Reuse reuse) {
  return conv_transpose(scope, inputs, arguments, reuse);
}

Result<Tensor> conv3d_transpose(const VariableScope &scope, const Tensor &inputs,
                                const ConvTransposeArguments<3> &arguments, Reuse reuse) {
  return conv_transpose(scope, inputs, arguments, reuse);
}

}  // namespace tconv
