// tconv/minimal_filter.h: the transforms compute what a filter computes. tconv/winograd.h: the shared tiles hold every
// output of every phase once, over a window that has all its inputs.
#include "tconv/winograd.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <vector>

namespace {

struct Filter {
  int outputs, taps;
};

class Transforms : public testing::TestWithParam<Filter> {};

// The result is linear in the weights and in the window, so unit vectors say it all.
TEST_P(Transforms, AreTheFilterOnUnitVectors) {
  const auto [outputs, taps] = GetParam();
  const tconv_interpolation *const f = tconv_find_interpolation(outputs, taps);
  ASSERT_NE(f, nullptr);
  const int points = outputs + taps - 1;
  EXPECT_EQ(f->count, points);
  for (int output = 0; output < outputs; ++output)
    for (int tap = 0; tap < taps; ++tap)
      for (int at = 0; at < points; ++at) {
        double sum = 0;
        for (int p = 0; p < points; ++p)
          sum += tconv_output_factor(f, output, p, outputs) * tconv_weight_factor(f, p, tap, taps) * f->input[p][at];
        EXPECT_NEAR(sum, at == output + tap ? 1.0 : 0.0, 1e-14) << output << " " << tap << " " << at;
      }
}

INSTANTIATE_TEST_SUITE_P(All, Transforms,
                         testing::Values(Filter{1, 1}, Filter{2, 2}, Filter{3, 2}, Filter{4, 2}, Filter{2, 3},
                                         Filter{3, 3}, Filter{4, 3}, Filter{2, 4}, Filter{3, 4}, Filter{4, 4},
                                         Filter{2, 5}, Filter{3, 5}, Filter{4, 5}, Filter{2, 6}, Filter{3, 6},
                                         Filter{2, 7}, Filter{5, 2}, Filter{6, 2}, Filter{7, 2}, Filter{5, 3},
                                         Filter{6, 3}, Filter{5, 4}));

TEST(Transforms, OtherSizesHaveNone) {
  for (const Filter f :
       {Filter{1, 2}, Filter{8, 2}, Filter{7, 3}, Filter{4, 6}, Filter{3, 7}, Filter{2, 8}, Filter{0, 0}, Filter{2, 1}})
    EXPECT_EQ(tconv_find_interpolation(f.outputs, f.taps), nullptr);
}

// Counts each phase in `phases`.
void expect_tiles_cover(const tconv_dim &dim, const tconv_tiles &tiles, std::vector<int> &phases) {
  const std::int64_t outputs = tiles.outputs;
  for (std::int64_t index = 0; index < tiles.phases; ++index) {
    const std::int64_t r = tconv_nth_phase(&dim, &tiles, index);
    const tconv_tile_phase phase = tconv_find_tile_phase(&dim, &tiles, r);
    ++phases[static_cast<std::size_t>(r)];
    std::vector<int> seen(static_cast<std::size_t>(phase.run.extent));
    ASSERT_LE(phase.end, tiles.count);
    for (std::int64_t t = phase.first; t < phase.end; ++t) {
      bool any = false;
      for (std::int64_t j = 0; j < outputs; ++j) {
        const std::int64_t q = outputs * t + j - phase.shift;
        if (q < 0 || q >= phase.run.extent) continue;
        any = true;
        ++seen[static_cast<std::size_t>(q)];
        // Tap i of the tile's meets what the phase's own tap reads.
        for (std::int64_t i = 0; i < phase.run.taps; ++i)
          EXPECT_EQ(tiles.low + outputs * t + j + phase.lead + i, q + phase.run.offset + i);
      }
      EXPECT_TRUE(any) << "tile " << t;
    }
    for (const int times : seen) EXPECT_EQ(times, 1);
    EXPECT_LE(phase.lead + phase.run.taps, tiles.taps);
    EXPECT_GE(phase.lead, 0);
  }
}

TEST(Tiles, HoldEveryOutputOfEveryPhaseOnce) {
  for (std::int64_t stride = 1; stride <= 4; ++stride)
    for (std::int64_t kernel = 1; kernel <= TCONV_MOST_TILE_TAPS * stride; ++kernel)
      for (std::int64_t begin = -3; begin <= kernel; ++begin)
        for (const std::int64_t in : {1, 2, 7, 8, 9}) {
          const tconv_rule rule = {TCONV_PADDING_EXPLICIT, kernel, stride, 1, stride - 1, begin, 1, TCONV_UNSET};
          tconv_dim dim;
          if (!tconv_resolve(&rule, in, &dim)) continue;
          SCOPED_TRACE(testing::Message() << "k " << kernel << " s " << stride << " crop " << begin << " in " << in);
          for (std::int64_t outputs = 1; outputs <= TCONV_MOST_TILE_OUTPUTS; ++outputs) {
            std::vector<int> shared(static_cast<std::size_t>(stride)), own = shared;
            expect_tiles_cover(dim, tconv_find_tiles(&dim, outputs, 0, 0), shared);
            for (const int times : shared) EXPECT_EQ(times, 1);
            if (tconv_most_taps(&dim) == 1) continue;
            const tconv_tiles first = tconv_find_tiles(&dim, outputs, 2, 0),
                              second = tconv_find_tiles(&dim, outputs, 2, 1);
            for (const tconv_tiles &tiles : {first, second}) {
              expect_tiles_cover(dim, tiles, own);
              for (std::int64_t i = 0; i < tiles.phases; ++i) {
                const tconv_tile_phase phase = tconv_find_tile_phase(&dim, &tiles, tconv_nth_phase(&dim, &tiles, i));
                EXPECT_EQ(phase.run.taps, tiles.taps);
                if (kernel % stride == 0) {
                  EXPECT_EQ(phase.shift, 0);
                }
              }
            }
            for (const int times : own) EXPECT_EQ(times, 1);
          }
        }
}

// The case that the method is made for: output 2q reads q - 1 and q, output 2q + 1 reads q and q + 1.
TEST(Tiles, OfStrideTwoShareWindowsOfThreeInputs) {
  const tconv_dim dim = {32, 4, 2, 1, 1, 64};
  const tconv_tiles tiles = tconv_find_tiles(&dim, 2, 0, 0);
  EXPECT_EQ(tiles.points, 3);
  EXPECT_EQ(tiles.low, -1);
  EXPECT_EQ(tiles.count, 17);
  const tconv_tile_phase even = tconv_find_tile_phase(&dim, &tiles, 0), odd = tconv_find_tile_phase(&dim, &tiles, 1);
  EXPECT_EQ(even.shift, 0);
  EXPECT_EQ(even.end, 16);
  EXPECT_EQ(odd.shift, 1);
  EXPECT_EQ(odd.end, 17);
}

// Apart, neither phase has a tile that hangs over an end; their windows start one apart.
TEST(Tiles, OfStrideTwoApartHangOverNoEnd) {
  const tconv_dim dim = {32, 4, 2, 1, 1, 64};
  const tconv_tiles first = tconv_find_tiles(&dim, 4, 4, 0), second = tconv_find_tiles(&dim, 4, 4, 1);
  EXPECT_TRUE(tconv_sorts_are_alike(&dim, 4, 4));
  EXPECT_EQ(first.low, -1);
  EXPECT_EQ(second.low, 0);
  for (const tconv_tiles &tiles : {first, second}) {
    EXPECT_EQ(tiles.phases, 1);
    EXPECT_EQ(tiles.points, 5);
    EXPECT_EQ(tiles.count, 8);
  }
  const tconv_dim odd = {32, 5, 2, 1, 1, 65};
  EXPECT_FALSE(tconv_sorts_are_alike(&odd, 2, 2));
  EXPECT_EQ(tconv_find_tiles(&odd, 2, 2, 1).taps, 2);
}

TEST(Tiles, RowsThatFollowOneAnotherAreOne) {
  const std::int64_t stored[] = {2, 3, 4};
  const std::int64_t cases[][2][TCONV_MAX_RANK] = {
      {{2, 3, 4}, {1, 1, 24}}, {{1, 3, 4}, {1, 1, 12}}, {{2, 2, 4}, {2, 1, 8}}, {{2, 3, 3}, {2, 3, 3}}};
  for (const auto &[count, wanted] : cases) {
    std::int64_t joined[TCONV_MAX_RANK];
    tconv_join_tile_rows(stored, count, joined);
    EXPECT_TRUE(std::equal(std::begin(wanted), std::end(wanted), joined)) << joined[0] << joined[1] << joined[2];
  }
}

}  // namespace
