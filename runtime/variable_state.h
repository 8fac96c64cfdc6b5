// What a Variable is a handle of. Private to runtime/.
#ifndef TCONV_RUNTIME_VARIABLE_STATE_H
#define TCONV_RUNTIME_VARIABLE_STATE_H

#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "tconv/initializers.h"
#include "tconv/variable.h"

namespace tconv::detail {

// What a variable is made from.
struct VariableRequest {
  std::string name;
  Shape shape;
  Initializer initializer;
  Regularizer regularizer;
  Constraint constraint;
  bool trainable = true;
};

struct VariableState {
  static Variable handle(std::shared_ptr<VariableState> state) { return Variable(std::move(state)); }

  // Constant after construction.
  std::string name, path;
  Shape shape;
  Regularizer regularizer;
  Constraint constraint;
  bool trainable = true;

  mutable std::mutex mutex;
  // Replaced, never changed: who holds it keeps what it was, and its address tells whether it still is the value.
  std::shared_ptr<const Tensor> value;
};

inline std::shared_ptr<const Tensor> value_of(const Variable &variable) {
  const std::lock_guard lock(variable.state().mutex);
  return variable.state().value;
}

// Both may throw std::bad_alloc. The value has the request's shape.
Variable make_variable(const VariableRequest &request, const std::string &scope_name, Tensor value);
Result<Tensor> initial_value(const VariableRequest &request);

}  // namespace tconv::detail

#endif
