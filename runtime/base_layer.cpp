// What a layer says of itself, and its variables.
#include "tconv/base_layer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "layer_check.h"
#include "layer_state.h"
#include "message.h"

namespace tconv {
namespace {

using detail::LayerState;

// For a layer without a state.
Status moved_from() {
  return {StatusCode::failed_precondition, "the layer was moved from, or there was no memory to make it"};
}

Status check_request(const LayerState &state, const char *member, const WeightArguments &a) {
  const std::string where = fmt::format("{}() of {}", member, quote(state.definition.config.name));
  if (Status status = check_layer_name(a.name); !status.ok()) {
    return {status.code(), fmt::format("{}: {}", where, status.message())};
  }
  if (a.name.empty()) return invalid_argument(fmt::format("{}: the name is missing", where));
  if (Status status = check_dtype(a.dtype); !status.ok()) {
    return {status.code(), fmt::format("{}: {}", where, status.message())};
  }
  for (const std::int64_t size : a.shape) {
    if (size >= 0) continue;
    return invalid_argument(fmt::format("{}: shape {} has a negative or unknown size", where, open_tuple(a.shape)));
  }
  for (const Status &status : {a.initializer.status(), a.regularizer.status(), a.constraint.status()}) {
    if (!status.ok()) return {status.code(), fmt::format("{}: {}", where, status.message())};
  }
  return check_elements(quote(a.name).c_str(), a.shape);
}

detail::VariableRequest to_request(const WeightArguments &a) {
  return {a.name, a.shape, a.initializer, a.regularizer, a.constraint, a.trainable};
}

}  // namespace

Layer::Layer(std::unique_ptr<detail::LayerState> state) : state_(std::move(state)) {}
Layer::Layer(Layer &&) noexcept = default;
Layer &Layer::operator=(Layer &&) noexcept = default;
Layer::~Layer() = default;

Status Layer::status() const {
  return detail::guarded([&]() -> Status { return state_ == nullptr ? moved_from() : state_->error; });
}

const std::string &Layer::name() const {
  static const std::string empty;
  return state_ == nullptr ? empty : state_->definition.config.name;
}

Result<std::string> Layer::scope_name() const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Result<std::string> {
    const std::lock_guard lock(state_->mutex);
    if (!state_->scope_name.empty()) return state_->scope_name;
    return Status(StatusCode::failed_precondition,
                  fmt::format("scope_name() of {}, which has not been used: it is determined when the layer's first "
                              "variable is made",
                              quote(name())));
  });
}

std::string_view Layer::dtype() const { return "float32"; }

Result<Graph> Layer::graph() const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Result<Graph> {
    if (state_->definition.graph) return *state_->definition.graph;
    return Status(StatusCode::failed_precondition,
                  fmt::format("graph() of {}, which runs without one: construct the layer with .graph", quote(name())));
  });
}

Regularizer Layer::activity_regularizer() const {
  return state_ == nullptr ? Regularizer() : state_->definition.activity_regularizer;
}

bool Layer::trainable() const {
  if (state_ == nullptr) return false;
  const std::lock_guard lock(state_->mutex);
  return state_->trainable;
}

Status Layer::set_trainable(bool trainable) {
  if (Status error = status(); !error.ok()) return error;
  const std::lock_guard lock(state_->mutex);
  state_->trainable = trainable;
  return {};
}

Result<std::vector<Variable>> Layer::weights() const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Result<std::vector<Variable>> {
    const std::lock_guard lock(state_->mutex);
    return detail::weights_in_order(*state_);
  });
}

Result<std::vector<Variable>> Layer::trainable_weights() const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Result<std::vector<Variable>> {
    const std::lock_guard lock(state_->mutex);
    std::vector<Variable> weights;
    if (!state_->trainable) return weights;
    for (const Variable &variable : state_->variables) {
      if (variable.trainable()) weights.push_back(variable);
    }
    return weights;
  });
}

Result<std::vector<Variable>> Layer::non_trainable_weights() const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Result<std::vector<Variable>> {
    const std::lock_guard lock(state_->mutex);
    std::vector<Variable> weights = detail::weights_in_order(*state_);
    if (state_->trainable) std::erase_if(weights, [](const Variable &variable) { return variable.trainable(); });
    return weights;
  });
}

Result<std::vector<Variable>> Layer::variables() const { return weights(); }
Result<std::vector<Variable>> Layer::trainable_variables() const { return trainable_weights(); }
Result<std::vector<Variable>> Layer::non_trainable_variables() const { return non_trainable_weights(); }

Result<Variable> Layer::add_weight(const WeightArguments &arguments) {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Result<Variable> {
    if (Status status = check_request(*state_, "add_weight", arguments); !status.ok()) return status;
    return detail::make_and_add(*state_, to_request(arguments), false);
  });
}

Result<Variable> Layer::add_variable(const WeightArguments &arguments) {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Result<Variable> {
    if (Status status = check_request(*state_, "add_variable", arguments); !status.ok()) return status;
    if (!state_->definition.graph && !arguments.regularizer.is_none()) {
      return Status(StatusCode::failed_precondition,
                    fmt::format("add_variable() of {} with a regularizer: the layer has no graph, use add_weight()",
                                quote(name())));
    }
    return detail::make_and_add(*state_, to_request(arguments), true);
  });
}

}  // namespace tconv
