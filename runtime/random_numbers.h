// The random numbers of initializers. Each depends on nothing but the engine's bits, which the C++ standard fixes, and
// on libm: std::uniform_real_distribution and its like differ from one standard library to the next. Private to
// runtime/.
#ifndef TCONV_RUNTIME_RANDOM_NUMBERS_H
#define TCONV_RUNTIME_RANDOM_NUMBERS_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>

namespace tconv {

using RandomEngine = std::mt19937_64;

// Seeded through std::seed_seq from the seed's low and high 32 bits; from std::random_device without one.
RandomEngine random_engine(const std::optional<std::uint64_t> &seed);

// In [minval, maxval), as float32 too; minval where no float32 lies between them.
void fill_uniform(RandomEngine &engine, double minval, double maxval, std::span<float> values);

void fill_normal(RandomEngine &engine, double mean, double stddev, std::span<float> values);

// The same, of those within two deviations of the mean; their deviation is 0.8796... of `stddev`.
void fill_truncated_normal(RandomEngine &engine, double mean, double stddev, std::span<float> values);

// A row-major matrix of values.size() / columns rows: its columns are orthonormal, or its rows where they are fewer,
// times the gain; uniform over all such matrices. `columns` is not 0.
void fill_orthogonal(RandomEngine &engine, double gain, std::size_t columns, std::span<float> values);

}  // namespace tconv

#endif
