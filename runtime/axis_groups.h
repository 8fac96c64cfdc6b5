// Sums over some axes of a tensor, as NumPy's `axis` names them: an integer, a list, or null for all. Used by the
// constraints and by Softmax. Private to runtime/.
#ifndef TCONV_RUNTIME_AXIS_GROUPS_H
#define TCONV_RUNTIME_AXIS_GROUPS_H

#include <cstddef>
#include <cstdint>
#include <optional>

#include "layer_json.h"
#include "tconv/tensor.h"

namespace tconv::detail {

// nullopt: all axes.
using Axes = std::optional<Shape>;

// The field "axis", which must be there. Whether a tensor has the axes shows when there is one.
Axes read_axes(const Fields &fields);

// The elements of a dense tensor in groups: those that differ only along `axes` are in one.
class AxisGroups {
 public:
  // Errors: an axis that the shape does not have, or one that is given twice; `what` names whose axes these are.
  static Result<AxisGroups> make(const std::string &what, const Axes &axes, const Shape &shape);

  std::size_t count() const { return count_; }

  // visit(element, group) for all elements in the order of the tensor.
  template <typename Visit>
  void for_each(Visit visit) const {
    Shape at(shape_.size(), 0);
    std::size_t group = 0;
    for (std::size_t element = 0; element < elements_; ++element) {
      visit(element, group);
      for (std::size_t d = shape_.size(); d-- > 0;) {
        group += strides_[d];
        if (++at[d] < shape_[d]) break;
        group -= strides_[d] * static_cast<std::size_t>(shape_[d]);
        at[d] = 0;
      }
    }
  }

 private:
  explicit AxisGroups(const Shape &shape) : shape_(shape), strides_(shape.size(), 0) {}

  Shape shape_;
  std::vector<std::size_t> strides_;  // between groups; 0 along an axis that groups reach over
  std::size_t elements_ = 1;
  std::size_t count_ = 1;
};

}  // namespace tconv::detail

#endif
