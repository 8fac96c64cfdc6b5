// What a layer holds: its definition, its variables, the kernels that were compiled for it, and the record of its
// calls. Private to runtime/.
#ifndef TCONV_RUNTIME_LAYER_STATE_H
#define TCONV_RUNTIME_LAYER_STATE_H

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "guarded.h"
#include "kernel_choice.h"
#include "layer_definition.h"
#include "pack_cache.h"
#include "tconv/layer.h"
#include "variable_state.h"

namespace tconv::detail {

// What build() makes. Constant from then on, but for the variables' values.
struct Built {
  LayerConfig config;  // with in_channels, without input_shape
  tconv_layer layer;   // with open batch and sizes
  Variable kernel;
  std::optional<Variable> bias;
};

// One call of a layer that has a graph.
struct Node {
  std::shared_ptr<const Tensor> input, output;
};

// What add_loss() and add_update() were given. Null inputs: unconditional.
struct Loss {
  float value;
  std::shared_ptr<const Tensor> inputs;
};
struct RecordedUpdate {
  Layer::Update update;
  std::shared_ptr<const Tensor> inputs;
};

struct Records {
  std::vector<Node> nodes;
  std::vector<Loss> losses;
  std::optional<float> latest_activity_loss;  // without a graph
  std::vector<std::function<float()>> loss_functions;
  std::vector<RecordedUpdate> updates;
};

struct LayerState {
  // Constant after construction.
  Status error;
  LayerDefinition definition;
  // Makes or finds the variables of build(), all or none; empty: makes them for this layer alone.
  std::function<Result<std::vector<Variable>>(std::span<const VariableRequest>)> get_variables;
  std::shared_ptr<PackCache> packed = std::make_shared<PackCache>();

  mutable std::mutex mutex;  // of all that follows; held neither while a kernel nor while a function of the user's runs
  bool trainable = true;
  std::string scope_name;  // empty before the first use
  std::shared_ptr<const Built> built;
  std::vector<Variable> variables;  // in the order in which they were made
  Shape built_for;                  // of build(), else of the first call; empty: none
  std::vector<RegisteredKernel> kernels;
  Records records;
};

// Never throws; null where there is no memory. What `define` refuses becomes the layer's error.
std::unique_ptr<LayerState> make_state(const std::function<Result<LayerDefinition>()> &define);

// The layer's config with the channels of the weights, where there are any. The mutex is held.
inline const LayerConfig &current_config(const LayerState &state) {
  return state.built ? state.built->config : state.definition.config;
}

// The definition as it is now. The mutex is not held, here and below where nothing else is said.
LayerDefinition current_definition(const LayerState &state);

// Makes the variables that build() makes, unless they are there. `given`, where there are any, are their values.
Result<std::shared_ptr<const Built>> build(LayerState &state, std::int64_t in_channels,
                                           std::span<const Tensor> given = {});

// The same for an input, whose shape is checked; notes the first one's.
Result<std::shared_ptr<const Built>> build_for(LayerState &state, const Shape &input_shape);

// What the layer's variables are called before the '/'. The mutex is held.
const std::string &scope_name(LayerState &state);

// Another variable of the layer's own; with `or_find` the one of that name, if its shape is the same.
Result<Variable> make_and_add(LayerState &state, const VariableRequest &request, bool or_find);

// All variables: the trainable ones, then the others. The mutex is held.
std::vector<Variable> weights_in_order(const LayerState &state);

// Into a state that has the same definition and nothing else yet.
Status copy_state(const LayerState &from, LayerState &to);

// A whole call, which builds where `build_first`. Records nothing.
Result<Tensor> compute(LayerState &state, const Tensor &input, bool build_first);

// The activity regularizer's penalty, divided by the batch as in Keras; nullopt without one.
Result<std::optional<float>> activity_loss(const LayerState &state, const Tensor &output);

// The kernel for calls of this shape, whose batch and spatial sizes may be open. The shape has been checked; the mutex
// is held.
Result<KernelChoice> choose(const LayerState &state, const Shape &input_shape);

}  // namespace tconv::detail

#endif
