// Draws that are the same on every machine: the standard's distributions are not.
#ifndef TCONV_TESTS_RANDOM_H
#define TCONV_TESTS_RANDOM_H

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace tconv::test {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // Both ends included.
  std::int64_t operator()(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }

  bool one_in(std::int64_t n) { return (*this)(1, n) == 1; }

  template <typename T, std::size_t n>
  T one_of(const T (&values)[n]) {
    return values[static_cast<std::size_t>((*this)(0, static_cast<std::int64_t>(n) - 1))];
  }

  // From -scale to scale.
  std::vector<float> floats(std::int64_t count, float scale) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float &value : values) value = scale * static_cast<float>((*this)(-10000, 10000)) / 10000.0f;
    return values;
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace tconv::test

#endif
