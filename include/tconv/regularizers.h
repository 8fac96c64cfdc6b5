// Keras' regularizers: the penalty of a kernel, a bias or an output. Given by name ("l2"), by config, by the functions
// below or as a function of the user's, as initializers.h shows. Value types; copies share what is constant. Threads:
// any use at once; a user's function has to allow it too.
#ifndef TCONV_REGULARIZERS_H
#define TCONV_REGULARIZERS_H

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "tconv/status.h"
#include "tconv/tensor.h"

namespace tconv {

namespace detail {
class RegularizerObject;
}

class Regularizer {
 public:
  // May throw, which the caller gets as a Status.
  using Function = std::function<float(const Tensor &tensor)>;

  Regularizer() noexcept {}                // none
  Regularizer(std::nullptr_t) noexcept {}  // the same
  // Keras' name or the JSON object that serialize() writes; status() says what is wrong with it.
  Regularizer(const char *identifier) : Regularizer(std::string_view(identifier == nullptr ? "null" : identifier)) {}
  Regularizer(const std::string &identifier) : Regularizer(std::string_view(identifier)) {}
  Regularizer(std::string_view identifier);
  Regularizer(std::string name, Function function);

  bool is_none() const;
  Status status() const;

  // The penalty, summed in double precision; 0 for none. Not divided by the batch: that is what layers do.
  Result<float> operator()(const Tensor &tensor) const;

  // As keras.regularizers.serialize() writes it, "null" for none; "" with an error in status().
  std::string serialize() const;

  explicit Regularizer(std::shared_ptr<const detail::RegularizerObject> object);
  const detail::RegularizerObject *object() const { return object_.get(); }

 private:
  std::shared_ptr<const detail::RegularizerObject> object_;  // null: none
};

namespace regularizers {

Regularizer l1(double l1 = 0.01);                 // l1 * sum(|x|)
Regularizer l2(double l2 = 0.01);                 // l2 * sum(x^2)
Regularizer l1_l2(double l1 = 0, double l2 = 0);  // both
// factor * sum(|inner products of different normalised rows (or columns)|) / 2 / pairs; of two-dimensional tensors
// only.
Regularizer orthogonal_regularizer(double factor = 0.01, std::string_view mode = "rows");

}  // namespace regularizers
}  // namespace tconv

#endif
