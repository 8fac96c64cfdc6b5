// What every Keras layer has beside its computation: names, variables, losses, updates, and the record of its calls.
//
// Records: a node is one call through operator() or apply(), and holds that call's input and output. A layer keeps
// nodes only where it was given a Graph (tconv/graph.h); they live as long as the layer. Without one it runs as
// TensorFlow's eager mode does: what the documents call an error in eager mode is failed_precondition here. Where a
// member takes `inputs`, it means the calls whose input was equal to that tensor, shape and bits; null is Keras' None.
// Masks: a transposed convolution does not support masking, so that the masks of a node are None.
// Errors: Keras' ValueError and TypeError are invalid_argument, its RuntimeError and AttributeError
// failed_precondition, and so is what comes before build(). In a graph, a path that is taken is invalid_argument. Every
// member returns the constructor's error where there was one, and fails in a layer that was
// moved from.
#ifndef TCONV_BASE_LAYER_H
#define TCONV_BASE_LAYER_H

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tconv/graph.h"
#include "tconv/initializers.h"
#include "tconv/status.h"
#include "tconv/tensor.h"
#include "tconv/variable.h"

namespace tconv {

namespace detail {
struct LayerState;
}

struct WeightArguments {
  std::string name;
  Shape shape;
  std::string dtype = "float32";
  Initializer initializer = {};  // None: glorot_uniform
  Regularizer regularizer = {};
  bool trainable = true;
  Constraint constraint = {};
};

class Layer {
 public:
  using Update = std::function<Status()>;

  // The constructor's verdict on its arguments.
  Status status() const;

  const std::string &name() const;         // empty where status() is not ok
  Result<std::string> scope_name() const;  // what the variables' paths begin with; an error before the first use
  std::string_view dtype() const;          // "float32"
  Result<Graph> graph() const;             // the one that was given; an error without one
  Regularizer activity_regularizer() const;

  bool trainable() const;
  Status set_trainable(bool trainable);  // of a layer that is not, no variable is

  // The variables: weights() are the trainable ones, then the others, each in the order in which they were made.
  // variables() is the same list, and so is each pair below.
  Result<std::vector<Variable>> weights() const;
  Result<std::vector<Variable>> variables() const;
  Result<std::vector<Variable>> trainable_weights() const;
  Result<std::vector<Variable>> trainable_variables() const;
  Result<std::vector<Variable>> non_trainable_weights() const;
  Result<std::vector<Variable>> non_trainable_variables() const;

  // A new variable, which set_weights() and get_weights() then have too. add_variable() returns the one that has the
  // name already, if its shape is the same, and without a graph takes no regularizer.
  Result<Variable> add_weight(const WeightArguments &arguments);
  Result<Variable> add_variable(const WeightArguments &arguments);

  // All losses: those of calls and those added as numbers, in their order; then the penalties of the trainable
  // variables and the functions added, computed now. Without a graph, of the calls only the latest counts.
  Result<std::vector<float>> losses() const;
  // Those of one call's input, or for null the unconditional ones.
  Result<std::vector<float>> get_losses_for(const Tensor *inputs) const;
  Status add_loss(float loss, const Tensor *inputs = nullptr);
  Status add_loss(std::function<float()> loss);

  // Updates are functions for the caller to run. add_update() is ignored without a graph. A layer that is not trainable
  // has none.
  Result<std::vector<Update>> updates() const;
  Result<std::vector<Update>> get_updates_for(const Tensor *inputs) const;
  Status add_update(Update update, const Tensor *inputs = nullptr);

  // Of the only call; an error with none or several, but the shapes may then still be equal.
  Result<Tensor> input() const;
  Result<Tensor> output() const;
  Result<Shape> input_shape() const;
  Result<Shape> output_shape() const;
  Result<std::optional<Tensor>> input_mask() const;
  Result<std::optional<Tensor>> output_mask() const;

  // Of the call `node_index`, 0 the first.
  Result<Tensor> get_input_at(int node_index) const;
  Result<Tensor> get_output_at(int node_index) const;
  Result<Shape> get_input_shape_at(int node_index) const;
  Result<Shape> get_output_shape_at(int node_index) const;
  Result<std::optional<Tensor>> get_input_mask_at(int node_index) const;
  Result<std::optional<Tensor>> get_output_mask_at(int node_index) const;

 protected:
  explicit Layer(std::unique_ptr<detail::LayerState> state);
  Layer(Layer &&) noexcept;
  Layer &operator=(Layer &&) noexcept;
  ~Layer();

  std::unique_ptr<detail::LayerState> state_;  // null in a layer that was moved from
};

}  // namespace tconv

#endif
