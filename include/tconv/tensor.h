// A dense float32 array that owns its memory, row-major: the last dimension has stride 1, as NumPy's default has.
#ifndef TCONV_TENSOR_H
#define TCONV_TENSOR_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tconv {

using Shape = std::vector<std::int64_t>;

// A shape whose sizes may be open, as Keras' None is.
inline constexpr std::int64_t unknown = -1;

struct Tensor {
  Shape shape;
  std::vector<float> data;  // exactly the product of `shape` elements
};

}  // namespace tconv

#endif
