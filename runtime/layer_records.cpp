// The record of a layer's calls, and the losses and updates that go with them.
#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "keras_object_parts.h"
#include "layer_state.h"
#include "message.h"
#include "tconv/base_layer.h"

namespace tconv {
namespace {

using detail::LayerState;
using detail::Node;

Status no_graph(const LayerState &state, std::string_view member) {
  return {StatusCode::failed_precondition,
          fmt::format("{} of {}: calls are recorded only in a layer that is constructed with .graph", member,
                      quote(state.definition.config.name))};
}

// Null equals null alone.
bool same(const std::shared_ptr<const Tensor> &recorded, const Tensor *inputs) {
  if (recorded == nullptr || inputs == nullptr) return recorded == nullptr && inputs == nullptr;
  return recorded->shape == inputs->shape && recorded->data.size() == inputs->data.size() &&
         (inputs->data.empty() ||
          std::memcmp(recorded->data.data(), inputs->data.data(), inputs->data.size() * sizeof(float)) == 0);
}

std::shared_ptr<const Tensor> copy(const Tensor *inputs) {
  return inputs == nullptr ? nullptr : std::make_shared<const Tensor>(*inputs);
}

// What `find` finds among the nodes, of which there is one at least; `asked` is the call in messages.
template <typename Find>
auto find_among_nodes(const LayerState &state, const std::string &asked, Find find) -> decltype(find({})) {
  if (!state.definition.graph) return no_graph(state, asked);
  const std::lock_guard lock(state.mutex);
  const std::vector<Node> &nodes = state.records.nodes;
  if (!nodes.empty()) return find(nodes);
  return Status(StatusCode::failed_precondition,
                fmt::format("{} of {}, which was never called", asked, quote(state.definition.config.name)));
}

Result<Node> node_at(const LayerState &state, const char *member, int index) {
  const std::string asked = fmt::format("{}({})", member, index);
  return find_among_nodes(state, asked, [&](const std::vector<Node> &nodes) -> Result<Node> {
    if (index >= 0 && static_cast<std::size_t>(index) < nodes.size()) return nodes[static_cast<std::size_t>(index)];
    return invalid_argument(fmt::format("{} of {}, which was called {} time{}", asked,
                                        quote(state.definition.config.name), nodes.size(),
                                        nodes.size() == 1 ? "" : "s"));
  });
}

Result<Node> only_node(const LayerState &state, const char *member) {
  const std::string asked = fmt::format("{}()", member);
  return find_among_nodes(state, asked, [&](const std::vector<Node> &nodes) -> Result<Node> {
    if (nodes.size() == 1) return nodes.front();
    return Status(StatusCode::failed_precondition,
                  fmt::format("{} of {}, which was called {} times: use get_{}_at()", asked,
                              quote(state.definition.config.name), nodes.size(), member));
  });
}

// Of all calls, where they agree.
Result<Shape> common_shape(const LayerState &state, const char *member, std::shared_ptr<const Tensor> Node::*tensor) {
  const std::string asked = fmt::format("{}()", member);
  return find_among_nodes(state, asked, [&](const std::vector<Node> &nodes) -> Result<Shape> {
    const Shape &shape = (nodes.front().*tensor)->shape;
    for (const Node &node : nodes) {
      if ((node.*tensor)->shape == shape) continue;
      return Status(
          StatusCode::failed_precondition,
          fmt::format("{} of {}, whose calls have different ones, {} and {}: use get_{}_at()", asked,
                      quote(state.definition.config.name), tuple(shape), tuple((node.*tensor)->shape), member));
    }
    return shape;
  });
}

// The unconditional losses that are computed when they are asked for. The mutex is not held.
Status append_penalties(const Layer &layer, const LayerState &state, std::vector<float> &losses) {
  const Result<std::vector<Variable>> variables = layer.trainable_weights();
  if (!variables.ok()) return variables.status();
  for (const Variable &variable : variables.value()) {
    if (variable.regularizer().is_none()) continue;
    const Result<float> loss = variable.regularizer()(*detail::value_of(variable));
    if (!loss.ok()) return {loss.status().code(), fmt::format("{}: {}", variable.path(), loss.status().message())};
    losses.push_back(loss.value());
  }
  std::vector<std::function<float()>> functions;
  {
    const std::lock_guard lock(state.mutex);
    functions = state.records.loss_functions;
  }
  for (std::size_t i = 0; i < functions.size(); ++i) {
    const std::string name = fmt::format("{} of {}", i, state.definition.config.name);
    const Result<float> loss =
        detail::call_function("add_loss() function", name, [&]() -> Result<float> { return functions[i](); });
    if (!loss.ok()) return loss.status();
    losses.push_back(loss.value());
  }
  return {};
}

}  // namespace

Result<Tensor> TransposedConvolution::apply(const Tensor &input) {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Result<Tensor> {
    Result<Tensor> output = detail::compute(*state_, input, true);
    if (!output.ok()) return output;
    const Result<std::optional<float>> loss = detail::activity_loss(*state_, output.value());
    if (!loss.ok()) return loss.status();
    Node node;
    if (state_->definition.graph) node = {copy(&input), copy(&output.value())};
    const std::lock_guard lock(state_->mutex);
    detail::Records &records = state_->records;
    if (!state_->definition.graph) {
      records.latest_activity_loss = loss.value();
      return output;
    }
    if (loss.value()) records.losses.push_back({*loss.value(), node.input});
    records.nodes.push_back(std::move(node));
    return output;
  });
}

Result<std::vector<float>> Layer::losses() const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Result<std::vector<float>> {
    std::vector<float> losses;
    {
      const std::lock_guard lock(state_->mutex);
      for (const detail::Loss &loss : state_->records.losses) losses.push_back(loss.value);
      if (state_->records.latest_activity_loss) losses.push_back(*state_->records.latest_activity_loss);
    }
    if (Status status = append_penalties(*this, *state_, losses); !status.ok()) return status;
    return losses;
  });
}

Result<std::vector<float>> Layer::get_losses_for(const Tensor *inputs) const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Result<std::vector<float>> {
    if (!state_->definition.graph) return no_graph(*state_, "get_losses_for()");
    std::vector<float> losses;
    {
      const std::lock_guard lock(state_->mutex);
      for (const detail::Loss &loss : state_->records.losses) {
        if (same(loss.inputs, inputs)) losses.push_back(loss.value);
      }
    }
    if (inputs != nullptr) return losses;
    if (Status status = append_penalties(*this, *state_, losses); !status.ok()) return status;
    return losses;
  });
}

Status Layer::add_loss(float loss, const Tensor *inputs) {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Status {
    if (!state_->definition.graph) return no_graph(*state_, "add_loss()");
    detail::Loss recorded = {loss, copy(inputs)};
    const std::lock_guard lock(state_->mutex);
    state_->records.losses.push_back(std::move(recorded));
    return {};
  });
}

Status Layer::add_loss(std::function<float()> loss) {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Status {
    if (!state_->definition.graph) return no_graph(*state_, "add_loss()");
    if (!loss) return invalid_argument(fmt::format("add_loss() of {}: the function is empty", quote(name())));
    const std::lock_guard lock(state_->mutex);
    state_->records.loss_functions.push_back(std::move(loss));
    return {};
  });
}

Result<std::vector<Layer::Update>> Layer::updates() const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Result<std::vector<Update>> {
    const std::lock_guard lock(state_->mutex);
    std::vector<Update> updates;
    if (!state_->trainable) return updates;
    for (const detail::RecordedUpdate &recorded : state_->records.updates) updates.push_back(recorded.update);
    return updates;
  });
}

Result<std::vector<Layer::Update>> Layer::get_updates_for(const Tensor *inputs) const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Result<std::vector<Update>> {
    if (!state_->definition.graph) return no_graph(*state_, "get_updates_for()");
    const std::lock_guard lock(state_->mutex);
    std::vector<Update> updates;
    if (!state_->trainable) return updates;
    for (const detail::RecordedUpdate &recorded : state_->records.updates) {
      if (same(recorded.inputs, inputs)) updates.push_back(recorded.update);
    }
    return updates;
  });
}

Status Layer::add_update(Update update, const Tensor *inputs) {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Status {
    if (!update) return invalid_argument(fmt::format("add_update() of {}: the function is empty", quote(name())));
    if (!state_->definition.graph) return {};
    detail::RecordedUpdate recorded = {std::move(update), copy(inputs)};
    const std::lock_guard lock(state_->mutex);
    state_->records.updates.push_back(std::move(recorded));
    return {};
  });
}

namespace {

template <typename Value>
Result<Value> of_node(const Result<Node> &node, Value (*value)(const Node &)) {
  if (!node.ok()) return node.status();
  return value(node.value());
}

Tensor input_of(const Node &node) { return *node.input; }
Tensor output_of(const Node &node) { return *node.output; }
Shape input_shape_of(const Node &node) { return node.input->shape; }
Shape output_shape_of(const Node &node) { return node.output->shape; }
std::optional<Tensor> mask_of(const Node &) { return std::nullopt; }

// A member that asks for the only call, or for one by its index.
template <typename Value, typename Find>
Result<Value> ask(const Layer &layer, Value (*value)(const Node &), Find find) {
  if (Status error = layer.status(); !error.ok()) return error;
  return detail::guarded([&] { return of_node(find(), value); });
}

}  // namespace

Result<Tensor> Layer::input() const {
  return ask(*this, input_of, [&] { return only_node(*state_, "input"); });
}
Result<Tensor> Layer::output() const {
  return ask(*this, output_of, [&] { return only_node(*state_, "output"); });
}
Result<std::optional<Tensor>> Layer::input_mask() const {
  return ask(*this, mask_of, [&] { return only_node(*state_, "input_mask"); });
}
Result<std::optional<Tensor>> Layer::output_mask() const {
  return ask(*this, mask_of, [&] { return only_node(*state_, "output_mask"); });
}
Result<Shape> Layer::input_shape() const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&] { return common_shape(*state_, "input_shape", &Node::input); });
}
Result<Shape> Layer::output_shape() const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&] { return common_shape(*state_, "output_shape", &Node::output); });
}

Result<Tensor> Layer::get_input_at(int node_index) const {
  return ask(*this, input_of, [&] { return node_at(*state_, "get_input_at", node_index); });
}
Result<Tensor> Layer::get_output_at(int node_index) const {
  return ask(*this, output_of, [&] { return node_at(*state_, "get_output_at", node_index); });
}
Result<Shape> Layer::get_input_shape_at(int node_index) const {
  return ask(*this, input_shape_of, [&] { return node_at(*state_, "get_input_shape_at", node_index); });
}
Result<Shape> Layer::get_output_shape_at(int node_index) const {
  return ask(*this, output_shape_of, [&] { return node_at(*state_, "get_output_shape_at", node_index); });
}
Result<std::optional<Tensor>> Layer::get_input_mask_at(int node_index) const {
  return ask(*this, mask_of, [&] { return node_at(*state_, "get_input_mask_at", node_index); });
}
Result<std::optional<Tensor>> Layer::get_output_mask_at(int node_index) const {
  return ask(*this, mask_of, [&] { return node_at(*state_, "get_output_mask_at", node_index); });
}

}  // namespace tconv
