// TensorFlow's rules for names and for sharing variables (tensorflow/python/ops/variable_scope.py).
#include <fmt/format.h>

#include <optional>
#include <utility>

#include "graph_state.h"
#include "message.h"

namespace tconv {
namespace detail {
namespace {

Status check_scope_name(std::string_view name) {
  const bool empty_part = name.empty() || name.front() == '/' || name.back() == '/' || name.find("//") != name.npos;
  if (!empty_part) return {};
  return invalid_argument(fmt::format(
      "a variable scope's name {} must not be empty, nor have an empty part before or after a '/'", quote(name)));
}

// The variable of a request, which the graph keeps; null where it has to be made. The graph's mutex is held.
Result<const Variable *> find(const GraphState &graph, const std::string &path, Reuse reuse,
                              const VariableRequest &request) {
  const std::string name = fmt::format("{}/{}", path, request.name);
  const auto found = graph.by_path.find(name);
  if (found == graph.by_path.end()) {
    if (reuse != Reuse::yes) return nullptr;
    return invalid_argument(fmt::format(
        "variable {} does not exist: Reuse::yes only finds variables, Reuse::automatic makes them", quote(name)));
  }
  if (reuse == Reuse::no) {
    return invalid_argument(fmt::format(
        "variable {} exists: give the layer another name, or share it by Reuse::yes or Reuse::automatic", quote(name)));
  }
  if (found->second.shape() == request.shape) return &found->second;
  return invalid_argument(fmt::format("variable {} is shared, but has shape {}, not {}", quote(name),
                                      tuple(found->second.shape()), tuple(request.shape)));
}

Result<std::vector<const Variable *>> find_all(const GraphState &graph, const std::string &path, Reuse reuse,
                                               std::span<const VariableRequest> requests) {
  std::vector<const Variable *> variables;
  for (const VariableRequest &request : requests) {
    const Result<const Variable *> variable = find(graph, path, reuse, request);
    if (!variable.ok()) return variable.status();
    variables.push_back(variable.value());
  }
  return variables;
}

}  // namespace

std::string ScopeState::path(const std::string &layer) const {
  return name.empty() ? layer : fmt::format("{}/{}", name, layer);
}

void ScopeState::open(const std::string &inner) {
  const std::lock_guard lock(mutex);
  opened.insert(inner);
}

std::string ScopeState::name_layer(const std::string &given, const std::string &base, Reuse own_reuse) {
  const std::lock_guard lock(mutex);
  std::string layer = given.empty() ? base : given;
  if (given.empty() && own_reuse == Reuse::no) {
    layer = first_free(
        base, [&](const std::string &one) { return opened.contains(one) || graph.state().is_layer_scope(path(one)); });
  }
  opened.insert(layer);
  return layer;
}

Result<std::vector<Variable>> get_variables(GraphState &graph, const std::string &path, Reuse reuse, bool trainable,
                                            std::span<const VariableRequest> requests) {
  Result<std::vector<const Variable *>> found = [&] {
    const std::lock_guard lock(graph.mutex);
    return find_all(graph, path, reuse, requests);
  }();
  if (!found.ok()) return found.status();
  std::vector<std::optional<Variable>> made;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    made.emplace_back();
    if (found.value()[i]) continue;
    Result<Tensor> value = initial_value(requests[i]);
    if (!value.ok()) return value.status();
    made.back() = make_variable(requests[i], path, std::move(value).value());
  }
  const std::lock_guard lock(graph.mutex);
  // Another thread may have made them meanwhile.
  found = find_all(graph, path, reuse, requests);
  if (!found.ok()) return found.status();
  std::vector<Variable> variables;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (found.value()[i]) {
      variables.push_back(*found.value()[i]);
      continue;
    }
    variables.push_back(*made[i]);
    graph.by_path.emplace(made[i]->path(), *made[i]);
    graph.variables.push_back(*made[i]);
    if (trainable && requests[i].trainable) graph.trainable_variables.push_back(*made[i]);
  }
  return variables;
}

}  // namespace detail

VariableScope::VariableScope() : VariableScope(Graph()) {}

VariableScope::VariableScope(const Graph &graph, Reuse reuse) : state_(std::make_shared<detail::ScopeState>()) {
  state_->graph = graph;
  state_->reuse = reuse;
}

VariableScope::VariableScope(const VariableScope &outer, std::string_view name, Reuse reuse)
    : VariableScope(outer.graph(), reuse == Reuse::no ? outer.reuse() : reuse) {
  state_->error = outer.status().ok() ? detail::check_scope_name(name) : outer.status();
  state_->name = outer.state().path(std::string(name));
  outer.state().open(std::string(name));
}

Status VariableScope::status() const { return state_->error; }
const std::string &VariableScope::name() const { return state_->name; }
Reuse VariableScope::reuse() const { return state_->reuse; }
const Graph &VariableScope::graph() const { return state_->graph; }

}  // namespace tconv
