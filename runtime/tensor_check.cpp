// Arrays against their shapes; see tensor_check.h.
#include "tensor_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "elements.h"
#include "message.h"

namespace tconv {

Status check_elements_given(const char *what, const Shape &shape, std::size_t elements) {
  if (std::any_of(shape.begin(), shape.end(), [](std::int64_t size) { return size < 0; })) {
    return invalid_argument(
        fmt::format("the {}'s shape {} has a size that is open or negative", what, open_tuple(shape)));
  }
  const std::optional<std::int64_t> wanted = count_elements(shape);
  if (!wanted) {
    return {StatusCode::unsupported, fmt::format("the {} {} is too large: tconv addresses at most 2^31-1 elements per "
                                                 "array",
                                                 what, tuple(shape))};
  }
  if (static_cast<std::size_t>(*wanted) == elements) return {};
  return invalid_argument(
      fmt::format("the {} has {} elements, but its shape {} has {}", what, elements, tuple(shape), *wanted));
}

Status check_tensor(const char *what, const Tensor &tensor, const Shape &wanted) {
  if (tensor.shape == wanted) return check_elements_given(what, tensor.shape, tensor.data.size());
  return invalid_argument(
      fmt::format("the {} has the shape {}, but it must be {}", what, open_tuple(tensor.shape), open_tuple(wanted)));
}

}  // namespace tconv
