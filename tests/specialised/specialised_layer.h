// The random layers that are compiled ahead of time: drawn once to emit their kernels, and once more, from the same
// seed, by the program that runs them.
#ifndef TCONV_TESTS_SPECIALISED_LAYER_H
#define TCONV_TESTS_SPECIALISED_LAYER_H

#include <cstdint>

#include "random/random_layer.h"

namespace tconv::test {

inline bool is_depthwise(std::uint64_t index) { return index % 23 == 8; }

// Every host batch has those for all paths together and for one, every target some.
inline bool has_few_outputs(std::uint64_t index) {
  return index % 23 == 3 || index % 23 == 9 || index % 23 == 17 || index % 23 == 20;
}

// The same for those that vectors over positions suit.
inline bool has_planes(std::uint64_t index) {
  return index % 23 == 4 || index % 23 == 11 || index % 23 == 14 || index % 23 == 22;
}

// Of those with few outputs, one that Winograd's method does not take.
inline bool is_exact(std::uint64_t index) { return index % 23 == 9; }

// Compiled with Winograd's method wherever it is possible, however narrow the layer.
inline bool uses_winograd(std::uint64_t index) {
  return !is_depthwise(index) && !has_few_outputs(index) && !has_planes(index) && (index % 8 == 2 || index % 8 == 5);
}

inline RandomLayer draw_specialised(std::uint64_t index) {
  Limits limits;
  limits.rank = static_cast<int>(index % 3) + 1;
  limits.calls_of_open_layer = 4;
  limits.most_channels = 136;
  limits.depthwise = is_depthwise(index);
  limits.few_outputs = has_few_outputs(index);
  limits.planes = has_planes(index);
  limits.short_phases = uses_winograd(index);
  return draw_layer(500000 + 1000 * index, limits);
}

inline bool is_baked(std::uint64_t index) { return index % 4 == 1; }

// A line of the table that specialised_layers writes.
struct SpecialisedLayer {
  const tconv_kernel *kernel;
  const tconv_layer *layer;
  std::uint64_t index;
};

}  // namespace tconv::test

#endif
