// Axes as Keras' configs write them, and what they mean for a shape; see axis_groups.h.
#include "axis_groups.h"

#include <fmt/format.h>

#include "message.h"

namespace tconv::detail {
namespace {

std::string spell(const Shape &axes) {
  return axes.size() == 1 ? fmt::format("axis {}", axes[0]) : fmt::format("axis {}", tuple(axes));
}

}  // namespace

Axes read_axes(const Fields &fields) {
  const Json *const value = fields.find("axis");
  if (value == nullptr) return std::nullopt;
  if (value->is_array()) return fields.list("axis", 0).value_or(Shape());
  return Shape{fields.integer("axis", 0)};
}

Result<AxisGroups> AxisGroups::make(const std::string &what, const Axes &axes, const Shape &shape) {
  const auto rank = static_cast<std::int64_t>(shape.size());
  std::vector<bool> reduced(shape.size(), !axes);
  for (const std::int64_t axis : axes.value_or(Shape())) {
    if (axis < -rank || axis >= rank) {
      return invalid_argument(
          fmt::format("{} of {}: {} is not an axis of shape {}", spell(*axes), what, axis, tuple(shape)));
    }
    const auto d = static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
    if (reduced[d]) {
      return invalid_argument(
          fmt::format("{} of {}: axis {} of shape {} is given twice", spell(*axes), what, d, tuple(shape)));
    }
    reduced[d] = true;
  }
  AxisGroups groups(shape);
  for (std::size_t d = shape.size(); d-- > 0;) {
    const auto size = static_cast<std::size_t>(shape[d]);
    groups.elements_ *= size;
    if (reduced[d]) continue;
    groups.strides_[d] = groups.count_;
    groups.count_ *= size;
  }
  return groups;
}

}  // namespace tconv::detail
