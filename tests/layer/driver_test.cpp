// The C driver (tconv/run.h and what it includes) with a hand-written kernel: random layers of every rank and layout,
// cut in every way, compared with the definition in double. Needs Halide's runtime and no compiler.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "driver_case.h"

namespace tconv::test {
namespace {

constexpr int layers = 600;

tconv_rule random_rule(Random &random, int rank, bool pixel_shuffle) {
  tconv_rule rule = {};
  if (pixel_shuffle) {
    const std::int64_t size = random(1, 3);
    return {TCONV_PADDING_KERAS_SAME, size, size, 1, TCONV_UNSET, 0, 0, TCONV_UNSET};
  }
  rule.padding = static_cast<std::int32_t>(random(TCONV_PADDING_KERAS_VALID, TCONV_PADDING_TFLITE_VALID));
  rule.kernel = random(1, rank == 3 ? 4 : 6);
  rule.stride = random(1, 4);
  rule.dilation = random(1, 3);
  rule.output_padding = random(TCONV_UNSET, 2);
  rule.output = TCONV_UNSET;
  if (rule.padding == TCONV_PADDING_EXPLICIT) {
    rule.pad_begin = random(-3, 6);
    rule.pad_end = random(-3, 6);
  }
  if (rule.padding >= TCONV_PADDING_ONNX_UPPER && (rule.padding >= TCONV_PADDING_TFLITE_SAME || random(0, 1))) {
    rule.output = random(0, 20);
  }
  return rule;
}

// Draws until every rule accepts its size.
Case random_case(Random &random) {
  Case c;
  const bool pixel_shuffle = random(0, 3) == 0;
  c.layer.rank = static_cast<std::int32_t>(random(1, 3));
  c.layer.channels_last = static_cast<std::int32_t>(random(0, 1));
  c.layer.groups = random.one_of({1, 1, 2, 3});
  c.layer.in_channels = c.layer.groups * random(1, 5);
  c.layer.out_channels = c.layer.groups * random.one_of({1, 2, 3, 5, 9, 17});
  c.layer.batch = TCONV_UNSET;
  c.problem.batch = random(0, 3);
  c.problem.in_channels = c.layer.in_channels;
  c.problem.out_channels = c.layer.out_channels;
  c.problem.groups = c.layer.groups;
  c.problem.channels_last = c.layer.channels_last != 0;
  for (int d = 0; d < c.layer.rank; ++d) {
    tconv_dim &dim = c.problem.dim[static_cast<std::size_t>(TCONV_MAX_RANK - c.layer.rank + d)];
    do {
      c.layer.rule[d] = random_rule(random, c.layer.rank, pixel_shuffle);
      c.size[d] = random(0, c.layer.rank == 1 ? 40 : c.layer.rank == 2 ? 12 : 6);
    } while (!tconv_resolve(&c.layer.rule[d], c.size[d], &dim));
    c.layer.size[d] = tconv_rule_is_size_free(&c.layer.rule[d]) && random(0, 1) ? TCONV_UNSET : c.size[d];
  }
  c.tiling.panel = static_cast<std::int32_t>(random.one_of({1, 4, 16}));
  c.tiling.merge_phases = static_cast<std::int32_t>(random(0, 1));
  c.tiling.dense_phases = static_cast<std::int32_t>(random(0, 1));
  if (random(0, 1)) {
    for (std::int64_t &tile : c.tile) tile = random.one_of({1, 2, 3, 5, 8});
  }
  c.tiling.transpose_input = random(0, 5) == 0 ? 1 : 0;
  c.tiling.transpose_output = random(0, 5) == 0 ? 1 : 0;
  c.tiling.lane_sums = random(0, 3) == 0 ? 1 : 0;
  c.tiling.block_bytes = random.one_of({4, 256, 2048, 1 << 20});
  c.torch_order = random(0, 1) != 0;
  const bool writes_last = tconv_writes_channels_last(&c.tiling, &c.layer) != 0;
  if (c.layer.groups == 1 && writes_last && !c.tiling.lane_sums && random(0, 1)) {
    c.tiling.merge_phases = 2;
    c.tiling.dense_phases = 1;
  }
  return c;
}

// Draws until the layer is one whose phases can be united.
Case random_united_case(Random &random) {
  for (;;) {
    Case c = random_case(random);
    std::int64_t phases = 1, dilation = 1;
    for (const tconv_dim &dim : c.problem.dim) {
      phases *= dim.stride;
      dilation = std::max(dilation, dim.dilation);
    }
    if (c.layer.groups != 1 || c.layer.channels_last || dilation != 1 || 2 * phases > TCONV_MAX_PANEL) continue;
    c.tiling.merge_phases = 3;
    c.tiling.dense_phases = 1;
    c.tiling.transpose_input = c.tiling.transpose_output = c.tiling.lane_sums = 0;
    c.tiling.panel = static_cast<std::int32_t>(random(1, 2) * phases);
    return c;
  }
}

std::string describe(const Case &c) {
  std::string text = "rank " + std::to_string(c.layer.rank) + " channels_last " +
                     std::to_string(c.layer.channels_last) + " batch " + std::to_string(c.problem.batch) + " ci " +
                     std::to_string(c.layer.in_channels) + " co " + std::to_string(c.layer.out_channels) + " groups " +
                     std::to_string(c.layer.groups);
  for (const tconv_dim &d : c.problem.dim) {
    text += " [in " + std::to_string(d.in) + " k " + std::to_string(d.kernel) + " s " + std::to_string(d.stride) +
            " d " + std::to_string(d.dilation) + " crop " + std::to_string(d.crop) + " out " + std::to_string(d.out) +
            "]";
  }
  const tconv_tiling &t = c.tiling;
  return text + " panel " + std::to_string(t.panel) + " merge " + std::to_string(t.merge_phases) + " dense " +
         std::to_string(t.dense_phases) + " tile " + std::to_string(c.tile[0]) + "," + std::to_string(c.tile[1]) + "," +
         std::to_string(c.tile[2]) + " block_bytes " + std::to_string(t.block_bytes) + " transpose " +
         std::to_string(t.transpose_input) + std::to_string(t.transpose_output) + " lane_sums " +
         std::to_string(t.lane_sums);
}

TEST_F(Driver, RandomLayersAreTheDefinitionsWhateverTheCutAndTheThreads) {
  Random random(1);
  int copied = 0, in_place = 0, empty = 0, rows_of_phases = 0;
  for (int i = 0; i < layers; ++i) {
    const Case c = random_case(random);
    SCOPED_TRACE("layer " + std::to_string(i) + ": " + describe(c));
    reference_tile = {c.tile[2], c.tile[1], c.tile[0]};
    // The memory beside the output is written again by the next block.
    reference_expects_nan = c.tiling.transpose_output == 0;
    rows_of_phases += tconv_is_row_of_phases(&c.tiling) != 0;
    const ReferenceKernel reference(c.tiling, c.tile);
    Outcome outcome = {};
    ASSERT_NO_FATAL_FAILURE(expect_definition(c, reference.kernel, random, sum_tolerance, &outcome));
    empty += outcome.empty;
    (outcome.copied ? copied : in_place) += 1;
  }
  // The draw reaches what it is there for.
  EXPECT_GT(copied, layers / 10);
  EXPECT_GT(in_place, layers / 10);
  EXPECT_GT(empty, layers / 20);
  EXPECT_GT(rows_of_phases, layers / 20);
}

// Images beyond TCONV_FETCHED_IMAGE_BYTES, rows of whose planes are fetched ahead of their copies.
TEST_F(Driver, LargePlanesAreTheDefinition) {
  Random random(4);
  for (const std::int64_t block_bytes : {4 << 10, 256 << 10}) {
    Case c;
    c.layer.rank = 2;
    c.layer.groups = 1;
    c.problem.in_channels = c.layer.in_channels = 9;
    c.problem.out_channels = c.layer.out_channels = 1;
    c.problem.channels_last = false;
    c.problem.batch = c.layer.batch = 1;
    for (int d = 0; d < c.layer.rank; ++d) {
      c.size[d] = c.layer.size[d] = d == 0 ? 331 : 383;
      c.layer.rule[d] = {TCONV_PADDING_KERAS_SAME, d == 0 ? 3 : 1, 1, 1, TCONV_UNSET, 0, 0, TCONV_UNSET};
      ASSERT_TRUE(tconv_resolve(&c.layer.rule[d], c.size[d], &c.problem.dim[static_cast<std::size_t>(1 + d)]));
    }
    ASSERT_GT(c.problem.inputs() * static_cast<std::int64_t>(sizeof(float)), TCONV_FETCHED_IMAGE_BYTES);
    c.tile = {1, 2, 8};
    c.tiling.panel = 1;
    c.tiling.block_bytes = block_bytes;
    reference_tile = {c.tile[2], c.tile[1], c.tile[0]};
    const ReferenceKernel reference(c.tiling, c.tile);
    Outcome outcome = {};
    ASSERT_NO_FATAL_FAILURE(expect_definition(c, reference.kernel, random, sum_tolerance, &outcome));
    EXPECT_TRUE(outcome.copied);
  }
}

TEST_F(Driver, UnitedPhasesAreTheDefinitionWhetherTilesAreShiftedOrOutputsStaged) {
  Random random(2);
  int copied = 0, in_place = 0, empty = 0, shifted = 0;
  for (int i = 0; i < layers; ++i) {
    const Case c = random_united_case(random);
    SCOPED_TRACE("layer " + std::to_string(i) + ": " + describe(c));
    const ReferenceKernel reference(c.tiling, c.tile);
    reference_tile = {c.tile[2], c.tile[1], c.tile[0]};
    reference_strides = {c.problem.dim[2].stride, c.problem.dim[1].stride, c.problem.dim[0].stride};
    const tconv_dims dims = {{c.problem.dim[0], c.problem.dim[1], c.problem.dim[2]}};
    const int shifts = tconv_shifts_tiles(&c.tiling, &reference.path, &c.layer, &dims);
    // The memory beside the output is written again by the next block.
    reference_expects_nan = shifts != 0;
    Outcome outcome = {};
    ASSERT_NO_FATAL_FAILURE(expect_definition(c, reference.kernel, random, sum_tolerance, &outcome));
    empty += outcome.empty;
    shifted += shifts;
    (outcome.copied ? copied : in_place) += 1;
  }
  EXPECT_GT(copied, layers / 10);
  EXPECT_GT(in_place, layers / 60);
  EXPECT_GT(empty, layers / 20);
  EXPECT_GT(shifted, layers / 10);
}

}  // namespace
}  // namespace tconv::test
