// The random numbers of initializers, as statistics: each is from the distribution that Keras documents. The seeds are
// fixed, so a test that passes passes always; its thresholds are those that a right generator of another seed would
// pass with a probability of 99.9 % or more.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "tconv/initializers.h"

namespace tconv {
namespace {

using namespace initializers;

constexpr std::int64_t count = 40000;
constexpr double truncated_deviation = 0.87962566103423978;

std::vector<double> draw(const Initializer &initializer, const Shape &shape = {count}) {
  const Result<Tensor> tensor = initializer(shape);
  EXPECT_TRUE(tensor.ok()) << tensor.status().message();
  if (!tensor.ok()) return {};
  return {tensor.value().data.begin(), tensor.value().data.end()};
}

double mean(const std::vector<double> &values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// sum((x[i] - mean) * (x[i + lag] - mean)) / n: the variance for lag 0.
double covariance(const std::vector<double> &values, std::size_t lag) {
  const double center = mean(values);
  double sum = 0;
  for (std::size_t i = 0; i + lag < values.size(); ++i) sum += (values[i] - center) * (values[i + lag] - center);
  return sum / static_cast<double>(values.size());
}

double normal_cdf(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }

double truncated_cdf(double x) {
  return std::clamp((normal_cdf(x) - normal_cdf(-2)) / (normal_cdf(2) - normal_cdf(-2)), 0.0, 1.0);
}

// The largest distance between the values' distribution and `cdf`, times sqrt(n).
double kolmogorov_smirnov(std::vector<double> values, const std::function<double(double)> &cdf) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  double distance = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double p = cdf(values[i]), before = static_cast<double>(i) / n;
    distance = std::max({distance, std::abs(p - before), std::abs(p - before - 1 / n)});
  }
  return distance * std::sqrt(n);
}

// `values` have this mean, deviation and distribution and do not depend on their neighbours. Kolmogorov's distribution
// exceeds 1.95 with a probability of 0.001; the mean is normal, and so nearly are the variance, whose deviation is at
// most that of a normal one, and the correlations.
void expect_distribution(const std::vector<double> &values, double center, double deviation,
                         const std::function<double(double)> &cdf) {
  const auto n = static_cast<double>(values.size());
  ASSERT_GE(values.size(), 20000u);
  EXPECT_LT(kolmogorov_smirnov(values, cdf), 1.95);
  EXPECT_NEAR(mean(values), center, 3.3 * deviation / std::sqrt(n));
  EXPECT_NEAR(covariance(values, 0) / (deviation * deviation), 1, 3.3 * std::sqrt(2 / n));
  for (const std::size_t lag : {1u, 2u, 3u}) {
    EXPECT_LT(std::abs(covariance(values, lag) / covariance(values, 0)), 3.5 / std::sqrt(n)) << "lag " << lag;
  }
}

TEST(InitializerNumbers, UniformIsUniform) {
  for (const std::uint64_t seed : {0u, 1u, 123u}) {
    const std::vector<double> values = draw(random_uniform({.minval = -2, .maxval = 6, .seed = seed}));
    expect_distribution(values, 2, 8 / std::sqrt(12.0), [](double x) { return (x + 2) / 8; });
    EXPECT_GE(*std::min_element(values.begin(), values.end()), -2);
    EXPECT_LT(*std::max_element(values.begin(), values.end()), 6);
    // Both ends are reached: each would be missed with a probability of exp(-8).
    EXPECT_LT(*std::min_element(values.begin(), values.end()), -2 + 8 * 8.0 / count);
    EXPECT_GT(*std::max_element(values.begin(), values.end()), 6 - 8 * 8.0 / count);
  }
}

// Half of the numbers of this interval would round to an end outside it.
TEST(InitializerNumbers, UniformStaysInsideAfterRounding) {
  for (const double value : draw(random_uniform({.minval = 1, .maxval = 1 + 0x1p-23, .seed = 1}))) EXPECT_EQ(value, 1);
  for (const double value : draw(random_uniform({.minval = 0.7, .maxval = 0.70000006, .seed = 1}))) {
    EXPECT_GE(value, 0.7);
    EXPECT_LT(value, 0.70000006);
  }
  for (const double value : draw(random_uniform({.minval = 3, .maxval = 3, .seed = 1}))) EXPECT_EQ(value, 3);
}

TEST(InitializerNumbers, NormalIsNormal) {
  for (const std::uint64_t seed : {0u, 1u, 123u}) {
    const std::vector<double> values = draw(random_normal({.mean = 1, .stddev = 3, .seed = seed}));
    expect_distribution(values, 1, 3, [](double x) { return normal_cdf((x - 1) / 3); });
    // P(all of n within a) = (1 - 2 Phi(-a))^n: below 0.0005 for 3.55, above 0.999 for 5.6.
    const double above = *std::max_element(values.begin(), values.end()) - 1;
    const double below = 1 - *std::min_element(values.begin(), values.end());
    EXPECT_GT(std::max(above, below), 3.55 * 3);
    EXPECT_LT(std::max(above, below), 5.6 * 3);
  }
}

TEST(InitializerNumbers, TruncatedNormalIsTruncatedAtTwoDeviations) {
  for (const std::uint64_t seed : {0u, 1u, 123u}) {
    const std::vector<double> values = draw(truncated_normal({.mean = -1, .stddev = 0.5, .seed = seed}));
    expect_distribution(values, -1, 0.5 * truncated_deviation, [](double x) { return truncated_cdf((x + 1) / 0.5); });
    EXPECT_GE(*std::min_element(values.begin(), values.end()), -2 - 1e-6);
    EXPECT_LE(*std::max_element(values.begin(), values.end()), 1e-6);
    // The density at the bounds is 0.0566 a deviation: a number so near is missed with a probability of exp(-11).
    EXPECT_LT(*std::min_element(values.begin(), values.end()), -2 + 0.0025);
    EXPECT_GT(*std::max_element(values.begin(), values.end()), -0.0025);
  }
}

// Empirically, of a kernel with 576 taps * filters and 432 taps * channels. initializers_test.cpp compares the same
// limits and deviations with Keras'.
TEST(InitializerNumbers, ScalingInitializersHaveTheVarianceTheyAreNamedFor) {
  const Shape shape = {3, 3, 64, 48};
  const auto uniform = [&](const Initializer &initializer, double limit) {
    const std::vector<double> values = draw(initializer, shape);
    expect_distribution(values, 0, limit / std::sqrt(3.0), [&](double x) { return (x + limit) / (2 * limit); });
    EXPECT_LE(*std::max_element(values.begin(), values.end()), limit);
    EXPECT_GT(*std::max_element(values.begin(), values.end()), limit * 0.9994);
  };
  const auto truncated = [&](const Initializer &initializer, double deviation) {
    expect_distribution(draw(initializer, shape), 0, deviation,
                        [&](double x) { return truncated_cdf(x / deviation * truncated_deviation); });
  };
  uniform(glorot_uniform(1), std::sqrt(6.0 / (576 + 432)));
  uniform(he_uniform(2), std::sqrt(6.0 / 576));
  uniform(lecun_uniform(3), std::sqrt(3.0 / 576));
  truncated(glorot_normal(4), std::sqrt(2.0 / (576 + 432)));
  truncated(he_normal(5), std::sqrt(2.0 / 576));
  truncated(lecun_normal(6), std::sqrt(1.0 / 576));
  uniform(variance_scaling({.scale = 4, .mode = "fan_out", .distribution = "uniform", .seed = 7}),
          std::sqrt(12.0 / 432));
  const double deviation = std::sqrt(4.0 / 432);
  truncated(variance_scaling({.scale = 4, .mode = "fan_out", .seed = 8}), deviation);
  expect_distribution(
      draw(variance_scaling({.scale = 4, .mode = "fan_out", .distribution = "untruncated_normal", .seed = 9}), shape),
      0, deviation, [&](double x) { return normal_cdf(x / deviation); });
}

TEST(InitializerNumbers, SeedsDecideAndNothingElse) {
  const auto numbers = [](Seed seed) {
    return std::vector{draw(random_normal({.seed = seed}), {50}), draw(random_uniform({.seed = seed}), {50}),
                       draw(truncated_normal({.seed = seed}), {50}), draw(he_normal(seed), {5, 10}),
                       draw(orthogonal(1, seed), {5, 10})};
  };
  const std::uint64_t high = std::uint64_t{1} << 32;
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(numbers(7)[i], numbers(7)[i]);
    EXPECT_NE(numbers(7)[i], numbers(8)[i]);
    EXPECT_NE(numbers(7)[i], numbers(7 + high)[i]);
    EXPECT_NE(numbers({})[i], numbers({})[i]);
  }
  const Initializer seeded = he_uniform(3), unseeded = he_uniform();
  EXPECT_EQ(draw(seeded, {40}), draw(seeded, {40}));
  EXPECT_NE(draw(unseeded, {40}), draw(unseeded, {40}));
  // Streams of neighbouring seeds do not correlate.
  const std::vector<double> one = draw(random_normal({.stddev = 1, .seed = 1}));
  const std::vector<double> two = draw(random_normal({.stddev = 1, .seed = 2}));
  EXPECT_LT(std::abs(std::inner_product(one.begin(), one.end(), two.begin(), 0.0)), 3.5 * std::sqrt(double{count}));
}

// The engine's bits are the standard's, so these hold for every compiler and machine; a Mersenne twister and a seed_seq
// written in Python give them too.
TEST(InitializerNumbers, NumbersOfASeedStay) {
  const std::vector<double> uniform = draw(random_uniform({.minval = 0, .maxval = 1, .seed = 42}), {3});
  const std::vector<double> normal = draw(random_normal({.stddev = 1, .seed = 42}), {3});
  const std::vector<double> uniform_then = {0.33139143, 0.59035704, 0.49355583};
  const std::vector<double> normal_then = {-1.25308446, -0.79918045, -1.05686277};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(uniform[i], uniform_then[i], 1e-6);
    EXPECT_NEAR(normal[i], normal_then[i], 1e-6);
  }
}

TEST(InitializerNumbers, OrthogonalHasOrthonormalRowsOrColumns) {
  const auto check = [](const Shape &shape, double gain) {
    const std::vector<double> values = draw(orthogonal(gain, 11), shape);
    const auto columns = static_cast<std::size_t>(shape.back());
    const std::size_t rows = values.size() / columns;
    const bool wide = rows < columns;
    const std::size_t vectors = std::min(rows, columns), length = std::max(rows, columns);
    const auto at = [&](std::size_t v, std::size_t i) {
      return wide ? values[v * columns + i] : values[i * columns + v];
    };
    for (std::size_t v = 0; v < vectors; ++v) {
      for (std::size_t w = 0; w <= v; ++w) {
        double product = 0;
        for (std::size_t i = 0; i < length; ++i) product += at(v, i) * at(w, i);
        ASSERT_NEAR(product, v == w ? gain * gain : 0, 1e-5) << v << " " << w;
      }
    }
  };
  for (const Shape &shape : {Shape{60, 20}, {20, 60}, {32, 32}, {3, 3, 8, 16}, {2, 1, 3, 40}, {1, 1}, {1, 9}, {9, 1}}) {
    check(shape, 1);
    check(shape, -1.5);
  }
}

// Uniform over the orthogonal group: every entry of an n * n matrix has the mean 0 and the variance 1 / n, its sign is
// positive half of the time. Without the diagonal's signs of QR, the first column's would not be.
TEST(InitializerNumbers, OrthogonalIsUniform) {
  constexpr std::size_t matrices = 2000, n = 4;
  std::vector<double> positive(n * n), squares(n * n);
  for (std::size_t seed = 0; seed < matrices; ++seed) {
    const std::vector<double> values = draw(orthogonal(1, seed), {n, n});
    for (std::size_t i = 0; i < n * n; ++i) {
      positive[i] += values[i] > 0 ? 1 : 0;
      squares[i] += values[i] * values[i];
    }
  }
  // 4 deviations: 16 entries of two statistics. The variance of a squared entry is 2 (n - 1) / (n^2 (n + 2)).
  const double spread = std::sqrt(2.0 * (n - 1) / (n * n * (n + 2)));
  for (std::size_t i = 0; i < n * n; ++i) {
    EXPECT_NEAR(positive[i] / matrices, 0.5, 4 * 0.5 / std::sqrt(double{matrices})) << i;
    EXPECT_NEAR(squares[i] / matrices, 1.0 / n, 4 * spread / std::sqrt(double{matrices})) << i;
  }
}

}  // namespace
}  // namespace tconv
