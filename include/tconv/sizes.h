// A size for each spatial dimension, as Keras' arguments take it.
#ifndef TCONV_SIZES_H
#define TCONV_SIZES_H

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace tconv {

// One integer for all spatial dimensions, or one for each, outermost first; Keras' None when empty.
template <int rank>
class Sizes {
 public:
  Sizes() noexcept {}  // not defaulted: g++ 12 fails on a layer in a default member initialiser then
  Sizes(std::nullopt_t) {}
  Sizes(std::integral auto every) : given_(true) { values_.fill(static_cast<std::int64_t>(every)); }
  template <std::integral... T>
  requires(sizeof...(T) == static_cast<std::size_t>(rank) && rank > 1) Sizes(T... each)
      : given_(true), values_{static_cast<std::int64_t>(each)...} {}

  std::span<const std::int64_t> values() const {
    return given_ ? std::span<const std::int64_t>(values_) : std::span<const std::int64_t>();
  }

 private:
  bool given_ = false;
  std::array<std::int64_t, static_cast<std::size_t>(rank)> values_ = {};
};

}  // namespace tconv

#endif
