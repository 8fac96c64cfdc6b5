// How the C driver cuts a call into tasks, and which worker has which.
#include "tconv/shares.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

#include "driver_case.h"
#include "reference_tiles.h"

namespace tconv::test {
namespace {

constexpr int row_kind = 1 << 1, column_kind = 1 << 2;  // bits of dimensions 1 and 2

// k3 s2: phases of two taps and of one in each dimension, in tiles of four outputs and of one.
Case short_and_long_phases(std::int64_t size, std::int64_t channels) {
  Case c;
  c.layer.rank = 2;
  c.layer.groups = c.layer.batch = c.layer.channels_last = 1;
  c.layer.in_channels = c.layer.out_channels = channels;
  c.tiling.panel = static_cast<std::int32_t>(channels);
  c.tiling.block_bytes = 1 << 20;
  c.tiling.tile_outputs[0][0] = 1;
  for (int d = 0; d < 2; ++d) {
    c.size[d] = c.layer.size[d] = size;
    c.layer.rule[d] = {TCONV_PADDING_KERAS_SAME, 3, 2, 1, TCONV_UNSET, 0, 0, TCONV_UNSET};
    c.tiling.tile_outputs[0][1 + d] = 4;
    c.tiling.tile_outputs[1][1 + d] = 1;
  }
  return c;
}

tconv_cuts cut(const Case &c, std::int64_t threads) {
  const ReferenceTileKernel reference(c.tiling);
  tconv_dims dims = {};
  tconv_cuts cuts = {};
  EXPECT_TRUE(tconv_resolve_layer(&c.layer, c.size, &dims));
  tconv_cut_call(&reference.kernel, &reference.path, &c.layer, &dims, 1, threads, &cuts);
  return cuts;
}

// Of 8 x 8 positions in 2 x 2 tiles of 25 points, twice 2 x 8 of 5 and 8 x 8 of one: 100, 80, 80 and 64 products.
TEST(Shares, FewTilesAreSharedOutByWholeKinds) {
  const tconv_cuts cuts = cut(short_and_long_phases(8, 64), 2);
  ASSERT_EQ(cuts.workers, 2);
  for (const int kind : {0, row_kind, column_kind, row_kind | column_kind}) {
    const int worker = kind == row_kind || kind == column_kind ? 1 : 0;
    SCOPED_TRACE(kind);
    EXPECT_EQ(cuts.blocks[kind].tasks, 1);
    EXPECT_EQ(tconv_first_tile_task(&cuts.blocks[kind], worker, 2), 0);
    EXPECT_EQ(tconv_first_tile_task(&cuts.blocks[kind], worker + 1, 2), 1);
  }
}

TEST(Shares, ManyTilesAreSharedOutKindByKind) {
  Case c = short_and_long_phases(96, 64);
  c.tiling.block_bytes = 64 << 10;
  const tconv_cuts cuts = cut(c, 2);
  for (const int kind : {0, row_kind, column_kind, row_kind | column_kind}) {
    const tconv_blocks &blocks = cuts.blocks[kind];
    SCOPED_TRACE(kind);
    EXPECT_GE(blocks.tasks, 4);
    EXPECT_EQ(tconv_first_tile_task(&blocks, 1, 2), blocks.tasks / 2);
  }
}

TEST(Shares, EveryTaskHasOneWorkerAndNoneHasMuchMoreThanItsShare) {
  for (const std::int64_t size : {1, 3, 8, 17, 40})
    for (std::int64_t threads = 1; threads <= 8; ++threads) {
      SCOPED_TRACE(testing::Message() << size << " positions, " << threads << " threads");
      const Case c = short_and_long_phases(size, 8);
      const tconv_cuts cuts = cut(c, threads);
      EXPECT_LE(cuts.workers, threads);
      for (const int kind : {0, row_kind, column_kind, row_kind | column_kind}) {
        const tconv_blocks &blocks = cuts.blocks[kind];
        EXPECT_EQ(tconv_first_tile_task(&blocks, 0, cuts.workers), 0);
        EXPECT_EQ(tconv_first_tile_task(&blocks, cuts.workers, cuts.workers), blocks.tasks);
        for (std::int64_t worker = 0; worker < cuts.workers; ++worker)
          EXPECT_LE(tconv_first_tile_task(&blocks, worker, cuts.workers),
                    tconv_first_tile_task(&blocks, worker + 1, cuts.workers));
      }
      if (size < 40 || threads == 1) continue;
      EXPECT_EQ(cuts.workers, threads);
      EXPECT_LE(tconv_most_cost(&cuts, &c.tiling) * threads, TCONV_COST / 8 * 9);
    }
}

// Rows of 64 positions in five blocks of 13, the last of 12: three blocks are a fifth more than half. In nine of 8, of
// which the last has 4, the worker that has five has a sixteenth more.
TEST(Shares, BlocksAreEvenWhereNoWorkerHasATenthMore) {
  const auto even = [](std::int64_t positions, std::int64_t size, std::int64_t threads) {
    tconv_blocks blocks = {};
    blocks.quotients[0] = blocks.quotients[2] = blocks.size[0] = blocks.size[2] = 1;
    blocks.quotients[1] = positions;
    blocks.size[1] = size;
    tconv_count_blocks(&blocks);
    return tconv_is_even(&blocks, 1, threads) != 0;
  };
  EXPECT_FALSE(even(64, 13, 2));
  EXPECT_TRUE(even(64, 11, 2));
  EXPECT_TRUE(even(68, 8, 2));
  EXPECT_FALSE(even(70, 10, 3));
  EXPECT_TRUE(even(90, 10, 3));
}

// Merged phases of 28 x 28 positions in 7 x 7 tiles: no number of whole rows is even for two threads.
TEST(Shares, RowsOfTilesAreNotCutToBeEven) {
  Case c = short_and_long_phases(28, 64);
  c.layer.rule[0].kernel = c.layer.rule[1].kernel = 4;
  c.tiling.tile_outputs[1][1] = c.tiling.tile_outputs[1][2] = 0;
  c.tiling.merge_phases = c.tiling.dense_phases = 1;
  c.tiling.block_bytes = 1 << 30;
  c.layer.out_channels = 1;
  c.tiling.panel = 4;
  const tconv_cuts cuts = cut(c, 2);
  EXPECT_EQ(cuts.blocks[0].size[2], cuts.blocks[0].quotients[2]);
}

}  // namespace
}  // namespace tconv::test
