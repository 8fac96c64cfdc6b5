// The check that an array from outside has the shape that it must have, and as many elements as it says. Private to
// runtime/.
#ifndef TCONV_RUNTIME_TENSOR_CHECK_H
#define TCONV_RUNTIME_TENSOR_CHECK_H

#include <cstddef>

#include "tconv/status.h"
#include "tconv/tensor.h"

namespace tconv {

// A shape without open sizes that has `elements` elements; `what` names the array.
Status check_elements_given(const char *what, const Shape &shape, std::size_t elements);

// A tensor of the shape `wanted`, complete.
Status check_tensor(const char *what, const Tensor &tensor, const Shape &wanted);

}  // namespace tconv

#endif
