#include "tconv/graph.h"

#include <fmt/format.h>

#include "graph_state.h"
#include "guarded.h"
#include "message.h"

namespace tconv {
namespace detail {

std::string UniqueNames::next(const std::string &base) {
  const std::uint64_t number = given_[base]++;
  return number == 0 ? base : fmt::format("{}_{}", base, number);
}

std::string name_layer(const std::string &base) {
  static std::mutex mutex;
  static UniqueNames names;
  const std::lock_guard lock(mutex);
  return names.next(base);
}

std::string GraphState::name_layer(const std::string &base) {
  const std::lock_guard lock(mutex);
  return layer_names.next(base);
}

std::string GraphState::scope_layer(const std::string &name) {
  const std::lock_guard lock(mutex);
  const auto taken = [&](const std::string &scope) {
    const auto found = by_path.lower_bound(scope + "/");
    return (found != by_path.end() && found->first.starts_with(scope + "/")) || layer_scopes.contains(scope);
  };
  std::string scope = first_free(name, taken);
  layer_scopes.insert(scope);
  return scope;
}

bool GraphState::is_layer_scope(const std::string &path) const {
  const std::lock_guard lock(mutex);
  return layer_scopes.contains(path);
}

Status GraphState::add(std::span<const Variable> made, bool trainable) {
  const std::lock_guard lock(mutex);
  for (const Variable &variable : made) {
    if (!by_path.contains(variable.path())) continue;
    return invalid_argument(fmt::format("variable {} exists in the layer's graph", quote(variable.path())));
  }
  for (const Variable &variable : made) {
    by_path.emplace(variable.path(), variable);
    variables.push_back(variable);
    if (trainable && variable.trainable()) trainable_variables.push_back(variable);
  }
  return {};
}

}  // namespace detail

Graph::Graph() : state_(std::make_shared<detail::GraphState>()) {}

Result<std::vector<Variable>> Graph::variables() const {
  return detail::guarded([&]() -> Result<std::vector<Variable>> {
    const std::lock_guard lock(state_->mutex);
    return state_->variables;
  });
}

Result<std::vector<Variable>> Graph::trainable_variables() const {
  return detail::guarded([&]() -> Result<std::vector<Variable>> {
    const std::lock_guard lock(state_->mutex);
    return state_->trainable_variables;
  });
}

Result<std::vector<float>> Graph::regularization_losses() const {
  return detail::guarded([&]() -> Result<std::vector<float>> {
    std::vector<float> losses;
    std::vector<Variable> variables;
    {
      const std::lock_guard lock(state_->mutex);
      losses = state_->activity_losses;
      variables = state_->variables;
    }
    for (const Variable &variable : variables) {
      if (variable.regularizer().is_none()) continue;
      const Result<float> loss = variable.regularizer()(*detail::value_of(variable));
      if (!loss.ok()) return loss.status();
      losses.push_back(loss.value());
    }
    return losses;
  });
}

Status Graph::clear_activity_losses() {
  return detail::guarded([&]() -> Status {
    const std::lock_guard lock(state_->mutex);
    state_->activity_losses.clear();
    return {};
  });
}

}  // namespace tconv
