// How many elements an array has, and the most that tconv addresses: offsets are 32-bit integers in an emitted kernel.
// Private to runtime/.
#ifndef TCONV_RUNTIME_ELEMENTS_H
#define TCONV_RUNTIME_ELEMENTS_H

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

#include "tconv/tensor.h"

namespace tconv {

// nullopt where there are more than 2^31-1. No size may be negative, but an unknown one counts as 1: nothing smaller is
// worth running.
inline std::optional<std::int64_t> count_elements(const Shape &shape) {
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  std::int64_t elements = 1;
  for (const std::int64_t size : shape) {
    const std::int64_t known = size == unknown ? 1 : size;
    if (elements > most / known) return std::nullopt;
    elements *= known;
  }
  return elements;
}

}  // namespace tconv

#endif
