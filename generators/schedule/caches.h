// What lies behind a core's second-level cache, as far as a choice of method depends on it: how fast weights come in
// that do not stay there.
#ifndef TCONV_GENERATORS_CACHES_H
#define TCONV_GENERATORS_CACHES_H

#include <cstdint>
#include <string>

namespace tconv {

struct Caches {
  double third_level;                    // bytes, a core's share
  double third_level_rate, memory_rate;  // bytes a cycle
  // The share of the multiply-adds that are computed with some weights beside which further ones come in.
  double hides_third_level, hides_memory;
  // Blocks of one size are right whatever the weights: they come in fast enough to be read once a block.
  bool near;
  // Bytes that a task's arrays may have together to be found there again; what an element of larger ones costs in
  // Winograd's method, in multiply-adds: of the transformed input, and of the products where the output is as large.
  double second_level;
  double far_input, far_product;
  // What sums take longer whose weights come from the second level for each register tile.
  double from_second_level;
  // Non-temporal fetches from the third level are faster than loads alone.
  bool fetches_ahead;

  bool operator==(const Caches &) const = default;
};

// Of a processor as processor_name() names it; of the slowest known where it is none of the known.
const Caches &caches_of(const std::string &processor);

}  // namespace tconv

#endif
