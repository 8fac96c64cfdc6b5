#include "schedule/core.h"

#include <algorithm>

#include "schedule/schedule.h"

namespace tconv {

namespace {

// A few cores share a third level that lies among them. Measured on Zen 5 (amd-26-2), one thread: register tiles of 1
// to 4 vectors by 2 to 16 rows; with weights from the second level, relative to 4 x 6, 4 x 4 0.93, 4 x 5 0.96, 2 x 8
// 0.945, 2 x 11 0.96. Where Winograd's method was expected to be 1.08 to 1.1 times as fast, it was 1.24 times on two
// layers of k3 s2 (AVX2); where Strassen's products were expected to be 1.03 times as fast, they were 0.97 to 1.09.
constexpr Core near_third_level = {.first_level = {1.1, 0.24, 0.24, 0},
                                   .second_level = {1.23, 0.84, 0.36, 0},
                                   .unrolled = 1,
                                   .waits_for_second_level = false,
                                   .planes = 1,
                                   .far_planes = 1,
                                   .positions = 1,
                                   .lane_sums = 1,
                                   .transposed = 0.5,
                                   .far_transposed = 1.2,
                                   .transposed_bytes = 16 << 20,
                                   .second_level_bytes = 1 << 20,
                                   .far_input = 14,
                                   .far_product = 20,
                                   .memory_input = 24,
                                   .memory_product = 14,
                                   .least_winograd_gain = 1.08,
                                   .least_strassen_gain = 1.05,
                                   .third_level_bytes = 20 << 20,
                                   .third_level_rate = 20,
                                   .memory_rate = 13,
                                   .hides_third_level = 1,
                                   .hides_memory = 0.5,
                                   .fetch = Fetch::ahead};

// All cores share a third level in slices across a mesh, which holds what left the second level. Measured on a Xeon
// with AMX and 2 MB of second level a core, whose name was hidden (intel-6-167), one thread, with AVX-512. Of a peak of
// 225 GFLOP/s, tiles of 2 x 8, 2 x 13, 3 x 8 and 4 x 6 made 178, 190, 196 and 190 from the first level, 152, 162, 168
// and 163 from the second; planes took 1.0 to 1.35 times as long as expected of Zen 5, lane sums 1.2, sums over
// positions 1.6 to 1.9. The third level gives 7 bytes a cycle, memory 3 to 4. Non-temporal fetches pass by the second
// level and by the hardware that fetches into it: 6 GB/s in place of 24, which made layers of much weight two to four
// times slower. Where Winograd's method was expected to be 1.02 to 1.06 times as fast, it was 0.93 to 1.3 times on six
// layers, 1.09 in the mean; where 1.01, 0.7. An element that was transposed took 1.2 cycles in the third level, 1.3
// to 3.8 in memory.
constexpr Core far_third_level = {.first_level = {1.1, 0.5, 0.5, 0.3},
                                  .second_level = {1.0, 1.0, 0.37, 0.3},
                                  .unrolled = 4,
                                  .waits_for_second_level = true,
                                  .planes = 1.15,
                                  .far_planes = 1.4,
                                  .positions = 1.8,
                                  .lane_sums = 1.25,
                                  .transposed = 1.1,
                                  .far_transposed = 2.5,
                                  .transposed_bytes = 4 << 20,
                                  .second_level_bytes = 1300 << 10,
                                  .far_input = 45,
                                  .far_product = 28,
                                  .memory_input = 45,
                                  .memory_product = 28,
                                  .least_winograd_gain = 1.015,
                                  .least_strassen_gain = 1.1,
                                  .third_level_bytes = 32 << 20,
                                  .third_level_rate = 8,
                                  .memory_rate = 4,
                                  .hides_third_level = 0,
                                  .hides_memory = 0,
                                  .fetch = Fetch::next_point};

}  // namespace

const Core &core_of(const std::string &processor) {
  return processor.starts_with("amd-") ? near_third_level : far_third_level;
}

// Shorter vectors load less in a cycle, as much as a near core's.
double use_of_sums(const Core &core, int lanes, int vectors, int rows, bool from_second_level) {
  const Core &one = lanes < 16 ? near_third_level : core;
  const Feed &feed = from_second_level ? one.second_level : one.first_level;
  const double fed = feed.no_loads - feed.a_row / rows - feed.a_vector / vectors;
  return busy_share(vectors * rows) * std::clamp(fed, feed.least, 1.0);
}

}  // namespace tconv
