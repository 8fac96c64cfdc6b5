// What the cost models know of a processor's core: how fast it feeds its multiply-add units, and what lies behind its
// second-level cache.
#ifndef TCONV_GENERATORS_CORE_H
#define TCONV_GENERATORS_CORE_H

#include <string>

namespace tconv {

// The share of the multiply-add peak at which a register tile of so many vectors of columns by so many rows runs:
// no_loads - a_row / rows - a_vector / vectors, from `least` to 1. Fewer rows load weights more often, fewer vectors
// broadcast elements.
struct Feed {
  double no_loads, a_row, a_vector, least;

  bool operator==(const Feed &) const = default;
};

// What is fetched of weights that come from beyond the second-level cache.
enum class Fetch {
  ahead,       // what the sums need next, past the second level: TargetSchedule::prefetch
  next_point,  // what Winograd's next products need, into the second level: TargetSchedule::fetch
};

struct Core {
  // Of vectors of 16 floats, whose weights stay in the first-level cache, or come from the second for each register
  // tile.
  Feed first_level, second_level;
  // Input channels whose multiply-adds are unrolled where that divides them.
  int unrolled;
  // Direct sums are held up by weights from the second level, too.
  bool waits_for_second_level;
  // Cycles over those that the models of a near core count: of planes, and where their weights come from the second
  // level for each register tile, of other sums over positions, and of lane sums.
  double planes, far_planes, positions, lane_sums;
  // Cycles of an element that is transposed in blocks, and where all of them have more bytes than `transposed_bytes`.
  double transposed, far_transposed, transposed_bytes;

  // Bytes that a task's arrays may have together to be found again in the second-level cache; what an element of larger
  // ones costs in Winograd's method, in multiply-adds: of the transformed input, and of the products where the output
  // is as large.
  double second_level_bytes;
  double far_input, far_product;
  // By Strassen's method, where input and output together have more bytes than `transposed_bytes`.
  double memory_input, memory_product;

  // How many times as fast as direct sums Winograd's method has to be expected to be, as the model is not exact.
  double least_winograd_gain;
  // And Strassen's products.
  double least_strassen_gain;

  // Bytes of the third level, a core's share; bytes a cycle that come in from there and from memory; the share of the
  // multiply-adds with some weights beside which the next ones come in.
  double third_level_bytes;
  double third_level_rate, memory_rate;
  double hides_third_level, hides_memory;
  // Of weights of so many bytes, all together.
  double weights_rate(double bytes) const { return bytes > third_level_bytes ? memory_rate : third_level_rate; }
  Fetch fetch;

  bool operator==(const Core &) const = default;
};

// Of a processor as processor_name() names it; the slowest that is known where it is none of the known.
const Core &core_of(const std::string &processor);

// The share of the peak, of vectors of so many floats; fewer sums than the units keep in flight leave them idle.
double use_of_sums(const Core &core, int lanes, int vectors, int rows, bool from_second_level);

}  // namespace tconv

#endif
