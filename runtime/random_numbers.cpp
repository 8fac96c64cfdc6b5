// Uniform, normal and orthogonal numbers from an engine's bits; see random_numbers.h.
#include "random_numbers.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

namespace tconv {
namespace {

// In (0, 1), without the ends: the middle of one of 2^52 equal parts.
double open_unit(RandomEngine &engine) { return (static_cast<double>(engine() >> 12) + 0.5) * 0x1p-52; }

// Box and Muller, "A note on the generation of random normal deviates", 1958: two numbers from two uniform ones.
class StandardNormal {
 public:
  explicit StandardNormal(RandomEngine &engine) : engine_(engine) {}

  double next() {
    if (spare_) {
      const double value = *spare_;
      spare_.reset();
      return value;
    }
    const double radius = std::sqrt(-2 * std::log(open_unit(engine_)));
    const double angle = 2 * std::numbers::pi * open_unit(engine_);
    spare_ = radius * std::sin(angle);
    return radius * std::cos(angle);
  }

 private:
  RandomEngine &engine_;
  std::optional<double> spare_;
};

constexpr float infinity = std::numeric_limits<float>::infinity();

float least_from(double bound) {
  const float nearest = static_cast<float>(bound);
  return nearest < bound ? std::nextafter(nearest, infinity) : nearest;
}

float largest_below(double bound) {
  const float nearest = static_cast<float>(bound);
  return nearest < bound ? nearest : std::nextafter(nearest, -infinity);
}

// Row-major, rows >= columns. Makes the columns orthonormal by the modified Gram-Schmidt process, whose inner loops run
// along rows; it is the QR factorisation whose R has a positive diagonal.
void orthonormalise(std::vector<double> &matrix, std::size_t columns) {
  const std::size_t rows = matrix.size() / columns;
  std::vector<double> products(columns);
  for (std::size_t j = 0; j < columns; ++j) {
    double squares = 0;
    for (std::size_t i = 0; i < rows; ++i) squares += matrix[i * columns + j] * matrix[i * columns + j];
    const double norm = std::sqrt(squares);
    std::fill(products.begin(), products.end(), 0.0);
    for (std::size_t i = 0; i < rows; ++i) {
      double *const row = &matrix[i * columns];
      row[j] /= norm;
      for (std::size_t k = j + 1; k < columns; ++k) products[k] += row[j] * row[k];
    }
    for (std::size_t i = 0; i < rows; ++i) {
      double *const row = &matrix[i * columns];
      for (std::size_t k = j + 1; k < columns; ++k) row[k] -= row[j] * products[k];
    }
  }
}

}  // namespace

RandomEngine random_engine(const std::optional<std::uint64_t> &seed) {
  if (seed) {
    std::seed_seq words{static_cast<std::uint32_t>(*seed), static_cast<std::uint32_t>(*seed >> 32)};
    return RandomEngine(words);
  }
  std::random_device device;
  std::seed_seq words{device(), device(), device(), device()};
  return RandomEngine(words);
}

void fill_uniform(RandomEngine &engine, double minval, double maxval, std::span<float> values) {
  // Rounding to float32 can leave the interval at either end.
  const float least = least_from(minval), largest = largest_below(maxval);
  if (least > largest) {
    std::fill(values.begin(), values.end(), static_cast<float>(minval));
    return;
  }
  for (float &value : values) {
    value = std::clamp(static_cast<float>(minval + (maxval - minval) * open_unit(engine)), least, largest);
  }
}

void fill_normal(RandomEngine &engine, double mean, double stddev, std::span<float> values) {
  StandardNormal standard(engine);
  for (float &value : values) value = static_cast<float>(mean + stddev * standard.next());
}

void fill_truncated_normal(RandomEngine &engine, double mean, double stddev, std::span<float> values) {
  StandardNormal standard(engine);
  for (float &value : values) {
    double deviations = standard.next();
    while (std::abs(deviations) > 2) deviations = standard.next();
    value = static_cast<float>(mean + stddev * deviations);
  }
}

void fill_orthogonal(RandomEngine &engine, double gain, std::size_t columns, std::span<float> values) {
  const std::size_t rows = values.size() / columns;
  const std::size_t fewer = std::min(rows, columns);
  std::vector<double> matrix(values.size());
  StandardNormal standard(engine);
  for (double &value : matrix) value = standard.next();
  // One pass leaves products of about 2^-53 times the matrix's condition, which is large for some; a second one, of
  // which the condition is 1, does not.
  orthonormalise(matrix, fewer);
  orthonormalise(matrix, fewer);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      values[i * columns + j] =
          static_cast<float>(gain * (rows < columns ? matrix[j * rows + i] : matrix[i * columns + j]));
    }
  }
}

}  // namespace tconv
