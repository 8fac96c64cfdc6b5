#include "tconv/variable.h"

#include <fmt/format.h>

#include <utility>

#include "guarded.h"
#include "message.h"
#include "tensor_check.h"
#include "variable_state.h"

namespace tconv {
namespace detail {

Variable make_variable(const VariableRequest &request, const std::string &scope_name, Tensor value) {
  auto state = std::make_shared<VariableState>();
  state->name = request.name;
  state->path = fmt::format("{}/{}", scope_name, request.name);
  state->shape = request.shape;
  state->regularizer = request.regularizer;
  state->constraint = request.constraint;
  state->trainable = request.trainable;
  state->value = std::make_shared<const Tensor>(std::move(value));
  return VariableState::handle(std::move(state));
}

Result<Tensor> initial_value(const VariableRequest &request) {
  Result<Tensor> value = request.initializer(request.shape);
  if (value.ok()) return value;
  return Status(value.status().code(),
                fmt::format("{} {}: {}", request.name, open_tuple(request.shape), value.status().message()));
}

}  // namespace detail

const std::string &Variable::name() const { return state_->name; }
const std::string &Variable::path() const { return state_->path; }
const Shape &Variable::shape() const { return state_->shape; }
std::string_view Variable::dtype() const { return "float32"; }
bool Variable::trainable() const { return state_->trainable; }
const Regularizer &Variable::regularizer() const { return state_->regularizer; }
const Constraint &Variable::constraint() const { return state_->constraint; }

Result<Tensor> Variable::value() const {
  return detail::guarded([&]() -> Result<Tensor> { return *detail::value_of(*this); });
}

Status Variable::assign(Tensor value) {
  return detail::guarded([&]() -> Status {
    if (Status status = check_tensor(state_->path.c_str(), value, state_->shape); !status.ok()) return status;
    auto shared = std::make_shared<const Tensor>(std::move(value));
    const std::lock_guard lock(state_->mutex);
    state_->value.swap(shared);
    return {};
  });
}

Status Variable::project() {
  if (state_->constraint.is_none()) return {};
  return detail::guarded([&]() -> Status {
    Result<Tensor> projected = state_->constraint(*detail::value_of(*this));
    if (!projected.ok()) return projected.status();
    return assign(std::move(projected).value());
  });
}

}  // namespace tconv
