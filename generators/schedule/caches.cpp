#include "schedule/caches.h"

namespace tconv {

namespace {

// A few cores share a third level that lies among them. Measured on Zen 5 (amd-26-2), one thread.
constexpr Caches near_third_level = {.third_level = 20 << 20,
                                     .third_level_rate = 20,
                                     .memory_rate = 13,
                                     .hides_third_level = 1,
                                     .hides_memory = 0.5,
                                     .near = true,
                                     .second_level = 1 << 20,
                                     .far_input = 14,
                                     .far_product = 20,
                                     .from_second_level = 1,
                                     .fetches_ahead = true};

// All cores share a third level in slices across a mesh, which holds what left the second level. Measured on a Xeon
// with AMX and 2 MB of second level a core, whose name was hidden (intel-6-167), one thread: it reads 7 bytes a cycle
// from the third level, 3 to 4 from memory. Non-temporal fetches pass by the second level and by the hardware that
// fetches into it: 6 GB/s in place of 24, which made layers of much weight two to four times slower.
constexpr Caches far_third_level = {.third_level = 32 << 20,
                                    .third_level_rate = 8,
                                    .memory_rate = 4,
                                    .hides_third_level = 0,
                                    .hides_memory = 0,
                                    .near = false,
                                    .second_level = 1300 << 10,
                                    .far_input = 45,
                                    .far_product = 28,
                                    .from_second_level = 1.2,
                                    .fetches_ahead = false};

}  // namespace

const Caches &caches_of(const std::string &processor) {
  return processor.starts_with("amd-") ? near_third_level : far_third_level;
}

}  // namespace tconv
