// Keras' constraints: the projection of a variable that an optimizer applies after each update; tconv has no optimizer,
// Variable::project() applies it. Given by name ("non_neg"), by config, by the functions below or as a function of the
// user's, as initializers.h shows. Value types; copies share what is constant. Threads: any use at once; a user's
// function has to allow it too.
#ifndef TCONV_CONSTRAINTS_H
#define TCONV_CONSTRAINTS_H

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tconv/status.h"
#include "tconv/tensor.h"

namespace tconv {

namespace detail {
class ConstraintObject;
}

class Constraint {
 public:
  // Returns a tensor of the same shape; may throw, which the caller gets as a Status.
  using Function = std::function<Tensor(const Tensor &value)>;

  Constraint() noexcept {}                // none
  Constraint(std::nullptr_t) noexcept {}  // the same
  // Keras' name or the JSON object that serialize() writes; status() says what is wrong with it.
  Constraint(const char *identifier) : Constraint(std::string_view(identifier == nullptr ? "null" : identifier)) {}
  Constraint(const std::string &identifier) : Constraint(std::string_view(identifier)) {}
  Constraint(std::string_view identifier);
  Constraint(std::string name, Function function);

  bool is_none() const;
  Status status() const;

  // The projected tensor; none returns its argument. Errors: the constructor's; an axis that the tensor does not have;
  // a function's tensor of another shape.
  Result<Tensor> operator()(const Tensor &value) const;

  // As keras.constraints.serialize() writes it, "null" for none; "" with an error in status().
  std::string serialize() const;

  explicit Constraint(std::shared_ptr<const detail::ConstraintObject> object);
  const detail::ConstraintObject *object() const { return object_.get(); }

 private:
  std::shared_ptr<const detail::ConstraintObject> object_;  // null: none
};

namespace constraints {

// The axes that a norm is taken over; negative ones count from the last, as in Keras.
using Axes = std::vector<std::int64_t>;

struct MaxNormArguments {
  double max_value = 2;
  Axes axis = {0};
};
struct MinMaxNormArguments {
  double min_value = 0, max_value = 1;
  double rate = 1;  // below 1: only so much of the way
  Axes axis = {0};
};

Constraint max_norm(const MaxNormArguments & = {});
Constraint min_max_norm(const MinMaxNormArguments & = {});
Constraint unit_norm(const Axes &axis = {0});
Constraint non_neg();

}  // namespace constraints
}  // namespace tconv

#endif
