// A layer's variable: a kernel, a bias, or what add_weight() made. A handle: copies are the same variable, which lives
// as long as one of them. Threads: any use at once; a call that runs keeps the value that it began with.
#ifndef TCONV_VARIABLE_H
#define TCONV_VARIABLE_H

#include <memory>
#include <string>
#include <string_view>

#include "tconv/constraints.h"
#include "tconv/regularizers.h"
#include "tconv/status.h"
#include "tconv/tensor.h"

namespace tconv {

namespace detail {
struct VariableState;
}

class Variable {
 public:
  // A moved-from variable stays usable: there is no move.
  Variable(const Variable &) = default;
  Variable &operator=(const Variable &) = default;

  const std::string &name() const;  // "kernel"
  const std::string &path() const;  // "conv2d_transpose/kernel", the layer's scope_name() in front
  const Shape &shape() const;
  std::string_view dtype() const;  // "float32"
  bool trainable() const;          // as it was made; the layer's own flag is not in it
  const Regularizer &regularizer() const;
  const Constraint &constraint() const;

  Result<Tensor> value() const;  // a copy

  // Replaces the value by one of the same shape.
  Status assign(Tensor value);

  // Replaces the value by its projection onto the constraint, as Keras' optimizers do after each update. What another
  // thread assigns meanwhile is lost.
  Status project();

  bool operator==(const Variable &other) const { return state_ == other.state_; }

  detail::VariableState &state() const { return *state_; }

 private:
  friend struct detail::VariableState;
  explicit Variable(std::shared_ptr<detail::VariableState> state) : state_(std::move(state)) {}

  std::shared_ptr<detail::VariableState> state_;
};

}  // namespace tconv

#endif
