// A layer's variables: made by build(), exchanged by set_weights() and get_weights().
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "graph_state.h"
#include "layer_check.h"
#include "layer_state.h"
#include "message.h"
#include "tconv/weights.h"
#include "tensor_check.h"

namespace tconv {
namespace detail {
namespace {

struct Requests {
  LayerConfig config;
  tconv_layer layer;
  std::vector<VariableRequest> variables;  // the kernel, and the bias if there is one
};

// What build() makes for so many channels.
Result<Requests> requests_for(const LayerDefinition &d, std::int64_t in_channels) {
  Requests requests = {d.config, {}, {}};
  requests.config.in_channels = in_channels;
  requests.config.input_shape.reset();
  const Result<tconv_layer> layer = describe(requests.config);
  if (!layer.ok()) return layer.status();
  requests.layer = layer.value();
  requests.variables.push_back(
      {"kernel", kernel_shape(requests.config), d.kernel_initializer, d.kernel_regularizer, d.kernel_constraint});
  if (d.config.use_bias) {
    requests.variables.push_back(
        {"bias", {d.config.filters}, d.bias_initializer, d.bias_regularizer, d.bias_constraint});
  }
  return requests;
}

// Gives the layer, and its graph, new variables: all or none. The mutex is held.
Status add_own(LayerState &state, const std::vector<Variable> &made) {
  state.variables.reserve(state.variables.size() + made.size());
  if (state.definition.graph) {
    if (Status status = state.definition.graph->state().add(made, state.trainable); !status.ok()) return status;
  }
  state.variables.insert(state.variables.end(), made.begin(), made.end());
  return {};
}

// Values for the requests, from `given` or the initializers.
Result<std::vector<Tensor>> initial_values(const Requests &requests, std::span<const Tensor> given) {
  if (!given.empty()) return std::vector<Tensor>(given.begin(), given.end());
  std::vector<Tensor> values;
  for (const VariableRequest &request : requests.variables) {
    Result<Tensor> value = initial_value(request);
    if (!value.ok()) return value.status();
    values.push_back(std::move(value).value());
  }
  return values;
}

std::shared_ptr<const Built> make_built(const Requests &requests, const std::vector<Variable> &variables) {
  const std::optional<Variable> bias = variables.size() > 1 ? std::optional(variables.back()) : std::nullopt;
  return std::make_shared<const Built>(Built{requests.config, requests.layer, variables.front(), bias});
}

// Another thread may have built the layer meanwhile; its variables then stay.
Result<std::shared_ptr<const Built>> publish(LayerState &state, const Requests &requests, std::vector<Tensor> values) {
  const std::lock_guard lock(state.mutex);
  if (state.built) return state.built;
  std::vector<Variable> made;
  for (std::size_t i = 0; i < values.size(); ++i) {
    made.push_back(make_variable(requests.variables[i], scope_name(state), std::move(values[i])));
  }
  std::shared_ptr<const Built> built = make_built(requests, made);
  if (Status status = add_own(state, made); !status.ok()) return status;
  return state.built = std::move(built);
}

}  // namespace

const std::string &scope_name(LayerState &state) {
  if (state.scope_name.empty()) {
    const std::string &name = state.definition.config.name;
    state.scope_name = state.definition.graph ? state.definition.graph->state().scope_layer(name) : name;
  }
  return state.scope_name;
}

Result<std::shared_ptr<const Built>> build(LayerState &state, std::int64_t in_channels, std::span<const Tensor> given) {
  const Result<Requests> requests = requests_for(state.definition, in_channels);
  if (!requests.ok()) return requests.status();
  if (state.get_variables) {
    const Result<std::vector<Variable>> variables = state.get_variables(requests.value().variables);
    if (!variables.ok()) return variables.status();
    const std::lock_guard lock(state.mutex);
    return state.built = make_built(requests.value(), variables.value());
  }
  Result<std::vector<Tensor>> values = initial_values(requests.value(), given);
  if (!values.ok()) return values.status();
  return publish(state, requests.value(), std::move(values).value());
}

Result<std::shared_ptr<const Built>> build_for(LayerState &state, const Shape &input_shape) {
  std::shared_ptr<const Built> built;
  {
    const std::lock_guard lock(state.mutex);
    if (Status status = check_input(current_config(state), input_shape); !status.ok()) return status;
    built = state.built;
  }
  if (built == nullptr) {
    Result<std::shared_ptr<const Built>> made = build(state, input_shape[channel_axis(state.definition.config)]);
    if (!made.ok()) return made;
    built = std::move(made).value();
  }
  const std::lock_guard lock(state.mutex);
  // Two threads may have built for different channels at once.
  if (Status status = check_input(built->config, input_shape); !status.ok()) return status;
  if (state.built_for.empty()) state.built_for = input_shape;
  return built;
}

Result<Variable> make_and_add(LayerState &state, const VariableRequest &request, bool or_find) {
  Result<Tensor> value = initial_value(request);
  if (!value.ok()) return value.status();
  const std::lock_guard lock(state.mutex);
  for (const Variable &variable : state.variables) {
    if (!or_find || variable.name() != request.name) continue;
    if (variable.shape() == request.shape) return variable;
    return invalid_argument(fmt::format("variable {} exists with shape {}, not {}", quote(variable.path()),
                                        tuple(variable.shape()), tuple(request.shape)));
  }
  const Variable made = make_variable(request, scope_name(state), std::move(value).value());
  if (Status status = add_own(state, {made}); !status.ok()) return status;
  return made;
}

std::vector<Variable> weights_in_order(const LayerState &state) {
  std::vector<Variable> weights = state.variables;
  std::stable_partition(weights.begin(), weights.end(), [](const Variable &v) { return v.trainable(); });
  return weights;
}

namespace {

// The arrays that set_weights() takes, as "kernel (3, 3, 8, 4), bias (8,)".
struct Expected {
  std::string name;
  Shape shape;
};

std::string list(const std::vector<Expected> &expected) {
  std::string text;
  for (const Expected &one : expected) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", one.name, open_tuple(one.shape));
  }
  return text.empty() ? "none" : text;
}

// What the layer will have once it is built for the channels of the kernel given.
std::vector<Expected> expected_arrays(const LayerState &state, std::span<const Tensor> given, std::size_t &kernel_at) {
  std::vector<Expected> expected;
  for (const Variable &variable : weights_in_order(state)) expected.push_back({variable.name(), variable.shape()});
  if (state.built) return expected;
  const auto trainable = [](const Variable &variable) { return variable.trainable(); };
  const auto extra = std::count_if(state.variables.begin(), state.variables.end(), trainable);
  kernel_at = static_cast<std::size_t>(extra);
  LayerConfig config = state.definition.config;
  if (config.in_channels == unknown && kernel_at < given.size()) {
    config.in_channels = kernel_channels(config, given[kernel_at].shape);
  }
  auto at =
      expected.insert(expected.begin() + static_cast<std::ptrdiff_t>(kernel_at), {"kernel", kernel_shape(config)});
  if (config.use_bias) expected.insert(at + 1, {"bias", {config.filters}});
  return expected;
}

Status exchange_weights(LayerState &state, std::span<const Tensor> given) {
  std::vector<Expected> expected;
  std::size_t kernel_at = 0;
  bool built;
  {
    const std::lock_guard lock(state.mutex);
    expected = expected_arrays(state, given, kernel_at);
    built = state.built != nullptr;
  }
  if (given.size() != expected.size()) {
    return invalid_argument(fmt::format("set_weights() got {} arrays, but the layer {} has {}: {}", given.size(),
                                        quote(state.definition.config.name), expected.size(), list(expected)));
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Status status = check_tensor(expected[i].name.c_str(), given[i], expected[i].shape);
    if (!status.ok()) return status;
  }
  // Copies first, so that nothing is half set when the memory ends; and all at once for a call that begins meanwhile.
  std::vector<std::shared_ptr<const Tensor>> values;
  for (const Tensor &tensor : given) values.push_back(std::make_shared<const Tensor>(tensor));
  if (!built) {
    const std::span<const Tensor> own = given.subspan(kernel_at, state.definition.config.use_bias ? 2 : 1);
    const std::int64_t channels = kernel_channels(state.definition.config, own.front().shape);
    if (Status status = build(state, channels, own).status(); !status.ok()) return status;
  }
  const std::lock_guard lock(state.mutex);
  const std::vector<Variable> weights = weights_in_order(state);
  const auto same_shape = [](const Variable &variable, const auto &value) { return variable.shape() == value->shape; };
  if (!std::equal(weights.begin(), weights.end(), values.begin(), values.end(), same_shape)) {
    return Status(StatusCode::failed_precondition,
                  fmt::format("set_weights() got {} arrays for the layer {}, which another thread has given {} other "
                              "variables meanwhile",
                              given.size(), quote(state.definition.config.name), weights.size()));
  }
  for (std::size_t i = 0; i < weights.size(); ++i) {
    VariableState &variable = weights[i].state();
    const std::lock_guard variable_lock(variable.mutex);
    variable.value = values[i];
  }
  if (state.built_for.empty()) {
    state.built_for.assign(count(state.definition.config.rank) + 2, unknown);
    state.built_for[channel_axis(state.definition.config)] = state.built->config.in_channels;
  }
  return {};
}

}  // namespace

Status copy_state(const LayerState &from, LayerState &to) {
  std::vector<Variable> variables;
  std::vector<std::shared_ptr<const Tensor>> values;
  std::shared_ptr<const Built> built;
  {
    const std::lock_guard lock(from.mutex);
    variables = from.variables;
    for (const Variable &variable : variables) values.push_back(value_of(variable));
    built = from.built;
    to.trainable = from.trainable;
    to.built_for = from.built_for;
    to.kernels = from.kernels;
  }
  const std::lock_guard lock(to.mutex);
  std::vector<Variable> copies;
  std::optional<Variable> kernel, bias;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const VariableState &v = variables[i].state();
    const VariableRequest request = {v.name, v.shape, {}, v.regularizer, v.constraint, v.trainable};
    copies.push_back(make_variable(request, scope_name(to), *values[i]));
    if (built != nullptr && variables[i] == built->kernel) kernel = copies.back();
    if (built != nullptr && built->bias && variables[i] == *built->bias) bias = copies.back();
  }
  if (Status status = add_own(to, copies); !status.ok()) return status;
  if (kernel) to.built = std::make_shared<Built>(Built{built->config, built->layer, *kernel, bias});
  return {};
}

}  // namespace detail

Status TransposedConvolution::build(const Shape &input_shape) {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Status {
    const Result<Shape> output = compute_output_shape(input_shape);
    if (!output.ok()) return output.status();
    if (Status status = detail::build_for(*state_, input_shape).status(); !status.ok()) return status;
    const std::lock_guard lock(state_->mutex);
    state_->built_for = input_shape;
    return {};
  });
}

bool TransposedConvolution::built() const {
  if (state_ == nullptr) return false;
  const std::lock_guard lock(state_->mutex);
  return state_->built != nullptr;
}

Status TransposedConvolution::set_weights(std::span<const Tensor> weights) {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&] { return detail::exchange_weights(*state_, weights); });
}

Result<std::vector<Tensor>> TransposedConvolution::get_weights() const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Result<std::vector<Tensor>> {
    std::vector<std::shared_ptr<const Tensor>> values;
    {
      const std::lock_guard lock(state_->mutex);
      for (const Variable &variable : detail::weights_in_order(*state_)) values.push_back(detail::value_of(variable));
    }
    std::vector<Tensor> copies;
    for (const std::shared_ptr<const Tensor> &value : values) copies.push_back(*value);
    return copies;
  });
}

Result<std::int64_t> TransposedConvolution::count_params() const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Result<std::int64_t> {
    const std::lock_guard lock(state_->mutex);
    if (state_->built == nullptr) {
      return Status(StatusCode::failed_precondition, fmt::format("count_params() of {}, which is not built: call "
                                                                 "build(input_shape) first",
                                                                 quote(name())));
    }
    std::size_t params = 0;
    for (const Variable &variable : state_->variables) params += detail::value_of(variable)->data.size();
    return static_cast<std::int64_t>(params);
  });
}

}  // namespace tconv
