// TensorFlow's graph and variable scopes, as far as a library that runs at once has them.
//
// A graph is where variables have names. Layers that are given one keep a record of their calls (tconv/base_layer.h);
// without one, the default, a layer is what TensorFlow calls eager and keeps nothing. A scope is the part of a graph in
// which the functional forms (tconv/functional.h) look their variables up:
//
//     tconv::VariableScope scope;                              // of a graph of its own
//     tconv::VariableScope decoder(scope, "decoder");          // with tf.variable_scope("decoder"):
//     auto y = tconv::conv2d_transpose(decoder, x, {.filters = 8, .kernel_size = 3, .name = "up"});
//     auto z = tconv::conv2d_transpose(decoder, y2, {.filters = 8, .kernel_size = 3, .name = "up"}, tconv::Reuse::yes);
//
// Handles: copies are the same graph or scope, which lives as long as one of them or a layer that uses it. A graph
// keeps its variables, also those of layers that are gone. There is no default graph. Threads: any use at once; a call
// that shares variables reads kernel and bias one after the other.
#ifndef TCONV_GRAPH_H
#define TCONV_GRAPH_H

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tconv/status.h"
#include "tconv/variable.h"

namespace tconv {

namespace detail {
struct GraphState;
struct ScopeState;
}  // namespace detail

class Graph {
 public:
  Graph();  // a new one
  Graph(const Graph &) = default;
  Graph &operator=(const Graph &) = default;

  // In the order in which they were made; the second those that were made trainable by a trainable layer, TensorFlow's
  // collection TRAINABLE_VARIABLES.
  Result<std::vector<Variable>> variables() const;
  Result<std::vector<Variable>> trainable_variables() const;

  // TensorFlow's collection REGULARIZATION_LOSSES: the activity losses of the functional calls made so far, in their
  // order, then those of the regularized variables at their present values.
  Result<std::vector<float>> regularization_losses() const;

  // Forgets the former. Until then every functional call with an activity regularizer adds one.
  Status clear_activity_losses();

  bool operator==(const Graph &other) const { return state_ == other.state_; }
  detail::GraphState &state() const { return *state_; }

 private:
  std::shared_ptr<detail::GraphState> state_;
};

// Whether a scope makes variables or finds them. TensorFlow's False or None, True and AUTO_REUSE.
enum class Reuse {
  no,        // makes them, and refuses names that are taken; within a scope that reuses, as that scope
  yes,       // finds them, and refuses names that are not there
  automatic  // finds those that are there and makes the others
};

class VariableScope {
 public:
  // The root scope, whose name is empty, of a new or a given graph.
  VariableScope();
  explicit VariableScope(const Graph &graph, Reuse reuse = Reuse::no);
  // The scope `name` within another. Opening a scope again gives the same variables, and default names count from the
  // start, so that a second pass over the same code finds the same names.
  VariableScope(const VariableScope &outer, std::string_view name, Reuse reuse = Reuse::no);
  VariableScope(const VariableScope &) = default;
  VariableScope &operator=(const VariableScope &) = default;

  // A name that is empty, or begins or ends with a '/', is an error here and in each call within the scope.
  Status status() const;
  const std::string &name() const;  // "decoder/block"
  Reuse reuse() const;
  const Graph &graph() const;

  detail::ScopeState &state() const { return *state_; }

 private:
  std::shared_ptr<detail::ScopeState> state_;
};

}  // namespace tconv

#endif
