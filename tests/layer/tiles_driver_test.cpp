// The C driver of Winograd's method (tconv/run_tiles.h) and its weights, with functions written by hand: random layers
// of every rank, cut in every way, compared with the definition in double.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "driver_case.h"
#include "reference_split.h"
#include "reference_strassen.h"
#include "reference_tiles.h"

namespace tconv::test {
namespace {

constexpr int layers = 400, channels_first_layers = 100, apart_layers = 200, merged_layers = 300, split_layers = 80,
              strassen_layers = 300;

// One to seven taps a phase, four in three dimensions; any crop.
tconv_rule random_rule(Random &random, int rank) {
  tconv_rule rule = {TCONV_PADDING_EXPLICIT, 1, 1, 1, 0, 0, 0, TCONV_UNSET};
  rule.stride = random(1, rank == 3 ? 2 : 3);
  rule.kernel = random(1, (rank == 3 ? 4 : TCONV_MOST_TILE_TAPS) * rule.stride);
  rule.pad_begin = random(-3, rule.kernel);
  rule.pad_end = random(-3, rule.kernel);
  rule.output_padding = random(0, rule.stride - 1);
  return rule;
}

std::int32_t random_outputs(Random &random, std::int64_t taps) {
  for (;;) {
    const std::int64_t outputs = random(1, TCONV_MOST_TILE_OUTPUTS);
    if (tconv_find_interpolation(outputs, taps) != nullptr) return static_cast<std::int32_t>(outputs);
  }
}

Case random_case(Random &random, bool channels_last) {
  Case c;
  c.layer.rank = static_cast<std::int32_t>(random(1, 3));
  c.layer.channels_last = channels_last ? 1 : 0;
  c.problem.channels_last = channels_last;
  c.tiling.transpose_input = c.tiling.transpose_output = 1 - c.layer.channels_last;
  c.layer.groups = random.one_of({1, 1, 2, 3});
  c.layer.in_channels = c.layer.groups * random(1, 5);
  c.layer.out_channels = c.layer.groups * random.one_of({1, 2, 3, 5, 9});
  c.layer.batch = TCONV_UNSET;
  c.problem.batch = random(0, 2);
  c.problem.in_channels = c.layer.in_channels;
  c.problem.out_channels = c.layer.out_channels;
  c.problem.groups = c.layer.groups;
  c.tiling.panel = static_cast<std::int32_t>(random.one_of({1, 4, 16}));
  c.tiling.block_bytes = random.one_of({4, 1024, 8192, 1 << 20});
  for (std::int32_t &outputs : c.tiling.tile_outputs[0]) outputs = 1;
  for (int d = 0; d < c.layer.rank; ++d) {
    const int lead = TCONV_MAX_RANK - c.layer.rank + d;
    tconv_dim &dim = c.problem.dim[static_cast<std::size_t>(lead)];
    do {
      c.layer.rule[d] = random_rule(random, c.layer.rank);
      c.size[d] = random(0, c.layer.rank == 1 ? 40 : c.layer.rank == 2 ? 11 : 5);
    } while (!tconv_resolve(&c.layer.rule[d], c.size[d], &dim));
    c.layer.size[d] = random(0, 1) ? TCONV_UNSET : c.size[d];
    const std::int64_t taps = tconv_most_taps(&dim);
    c.tiling.tile_outputs[0][lead] = random_outputs(random, taps);
    if (taps > 1 && c.layer.channels_last && random(0, 3) > 0)
      c.tiling.tile_outputs[1][lead] = random_outputs(random, taps - tconv_has_shorter_phases(&dim));
    // A fixed single input has one kind of phases: an open one keeps both.
    if (d > 0 && c.size[d] == 1) c.layer.size[d] = TCONV_UNSET;
    if (tconv_taps_are_phases(&c.layer.rule[d], c.layer.size[d])) {
      c.tiling.tile_outputs[0][lead] = 1;
      c.tiling.tile_outputs[1][lead] = 0;
    }
  }
  c.torch_order = random(0, 1) != 0;
  return c;
}

// With channels first, phases that have tiles of their own, computed with the others.
Case random_apart_case(Random &random) {
  for (;;) {
    Case c = random_case(random, false);
    int apart = 0;
    for (int d = 0; d < c.layer.rank; ++d) {
      const int lead = TCONV_MAX_RANK - c.layer.rank + d;
      const tconv_dim &dim = c.problem.dim[static_cast<std::size_t>(lead)];
      const std::int64_t taps = tconv_most_taps(&dim);
      if (taps == 1 || tconv_taps_are_phases(&c.layer.rule[d], c.layer.size[d]) || random(0, 3) == 0) continue;
      const std::int32_t own = random_outputs(random, taps - tconv_has_shorter_phases(&dim));
      if (c.tiling.tile_outputs[0][lead] % own != 0) continue;
      c.tiling.tile_outputs[1][lead] = own;
      ++apart;
    }
    if (apart > 0) return c;
  }
}

// One group and merged phases. One channel need not be transposed.
Case random_merged_case(Random &random) {
  Case c = random_case(random, random(0, 2) > 0);
  c.layer.groups = c.problem.groups = 1;
  for (std::int32_t &own : c.tiling.tile_outputs[1]) own = 0;
  c.tiling.merge_phases = c.tiling.dense_phases = 1;
  if (c.layer.out_channels == 1) c.tiling.transpose_output = 0;
  return c;
}

// Few enough multiply-adds to run under sanitizers.
Case random_small_case(Random &random) {
  constexpr std::int64_t most = 1 << 10;
  for (;;) {
    Case c = random_case(random, random(0, 1) != 0);
    std::int64_t taps = c.problem.batch;
    for (const tconv_dim &dim : c.problem.dim) taps *= dim.in * dim.kernel;
    if (taps <= most) return c;
  }
}

// One group, tiles of one output; phases with a tap fewer are of their own sort, or not.
Case random_split_case(Random &random) {
  Case c = random_small_case(random);
  c.layer.groups = c.problem.groups = 1;
  c.layer.in_channels = c.problem.in_channels = random.one_of({1, 5, 16, 32, 40});
  c.layer.out_channels = c.problem.out_channels = random.one_of({1, 16, 17, 33});
  c.tiling.bf16x3 = 1;
  c.tiling.panel = static_cast<std::int32_t>(random.one_of({16, 32}));
  for (int d = 0; d < TCONV_MAX_RANK; ++d) {
    const tconv_dim &dim = c.problem.dim[static_cast<std::size_t>(d)];
    c.tiling.tile_outputs[0][d] = 1;
    c.tiling.tile_outputs[1][d] =
        tconv_most_taps(&dim) > 1 && tconv_has_shorter_phases(&dim) && random(0, 3) > 0 ? 1 : 0;
  }
  return c;
}

// One group, as many taps as phases in each dimension; one or two dimensions in pairs, of an even stride.
Case random_strassen_case(Random &random) {
  Case c = random_case(random, random(0, 1) != 0);
  c.layer.groups = c.problem.groups = 1;
  c.tiling.strassen = 1;
  c.layer.in_channels = c.problem.in_channels = 4 * random(1, 5);
  c.layer.out_channels = c.problem.out_channels = random.one_of({1, 3, 4, 9, 17});
  int paired = 0;
  for (int d = 0; d < TCONV_MAX_RANK; ++d) {
    c.tiling.tile_outputs[0][d] = 1;
    c.tiling.tile_outputs[1][d] = 0;
  }
  for (int d = c.layer.rank - 1; d >= 0; --d) {
    const int lead = TCONV_MAX_RANK - c.layer.rank + d;
    const bool in_pairs = paired < 2 && (random(0, 2) > 0 || (d == 0 && paired == 0));
    const std::int64_t stride = in_pairs ? random.one_of({2, 2, 4}) : random(1, 3);
    // Whole strides may be cut off at both ends, or added in front.
    c.size[d] = random(0, c.layer.rank == 1 ? 40 : c.layer.rank == 2 ? 11 : 5);
    const std::int64_t begin = c.size[d] > 2 ? random(-1, 1) : 0, end = c.size[d] > 2 ? random(0, 1) : 0;
    c.layer.rule[d] = {TCONV_PADDING_EXPLICIT, stride, stride, 1, 0, begin * stride, end * stride, TCONV_UNSET};
    c.layer.size[d] = random(0, 1) ? TCONV_UNSET : c.size[d];
    tconv_resolve(&c.layer.rule[d], c.size[d], &c.problem.dim[static_cast<std::size_t>(lead)]);
    if (!in_pairs) continue;
    c.tiling.tile_outputs[0][lead] = TCONV_STRASSEN_SIDE;
    ++paired;
  }
  return c;
}

std::string describe(const Case &c) {
  std::string text = "rank " + std::to_string(c.layer.rank) + " channels_last " +
                     std::to_string(c.layer.channels_last) + " batch " + std::to_string(c.problem.batch) + " ci " +
                     std::to_string(c.layer.in_channels) + " co " + std::to_string(c.layer.out_channels) + " groups " +
                     std::to_string(c.layer.groups);
  for (std::size_t d = 0; d < TCONV_MAX_RANK; ++d) {
    const tconv_dim &dim = c.problem.dim[d];
    text += " [in " + std::to_string(dim.in) + " k " + std::to_string(dim.kernel) + " s " + std::to_string(dim.stride) +
            " crop " + std::to_string(dim.crop) + " out " + std::to_string(dim.out) + " tiles of " +
            std::to_string(c.tiling.tile_outputs[0][d]) + ", " + std::to_string(c.tiling.tile_outputs[1][d]) + "]";
  }
  if (c.tiling.merge_phases) text += " merged";
  if (c.tiling.bf16x3) text += " bf16x3";
  if (c.tiling.strassen) text += " strassen";
  return text + " panel " + std::to_string(c.tiling.panel) + " block_bytes " + std::to_string(c.tiling.block_bytes);
}

// How a call on seven threads shares the units of each block, of the longest phases.
struct Shares {
  std::int64_t parts = 0, units = 0;
};

Shares shares_of(const Case &c, const tconv_kernel &kernel) {
  tconv_dims dims;
  tconv_cuts cuts;
  tconv_resolve_layer(&c.layer, c.size, &dims);
  tconv_cut_call(&kernel, kernel.paths, &c.layer, &dims, c.problem.batch, 7, &cuts);
  const tconv_tile_grid grid = tconv_find_tile_grid(&c.tiling, &c.layer, &dims, 0);
  return {cuts.blocks[0].parts, tconv_tile_units(&c.tiling, &c.layer, &grid)};
}

// Kinds of phases beside the first that have any.
int kinds_of(const Case &c) {
  tconv_dims dims;
  int kinds = 0;
  tconv_resolve_layer(&c.layer, c.size, &dims);
  for (int kind = 1; kind < TCONV_TILE_KINDS; ++kind)
    if (tconv_has_kind(&c.tiling, kind)) kinds += tconv_find_tile_grid(&c.tiling, &c.layer, &dims, kind).phases > 0;
  return kinds;
}

// Of an output, at most.
double products_of(const Case &c, const tconv_dims &dims) {
  auto products = static_cast<double>(tconv_group_inputs(&c.layer));
  for (const tconv_dim &dim : dims.dim) products *= static_cast<double>(tconv_most_taps(&dim));
  return products;
}

// Compares the layer with the definition. No `parts` where it has no output.
void check_case(const Case &c, Random &random, Shares *shares) {
  // The memory beside the output is written again by the next panel, as are staged outputs.
  reference_expects_nan = c.tiling.transpose_output == 0 && c.tiling.merge_phases == 0;
  ReferenceTileKernel reference(c.tiling);
  if (c.tiling.bf16x3) set_split_functions(reference);
  if (c.tiling.strassen) set_strassen_functions(reference);
  Outcome outcome = {};
  tconv_dims dims;
  ASSERT_TRUE(tconv_resolve_layer(&c.layer, c.size, &dims));
  // Half an ulp of a product's mean magnitude; all but long tiles keep to two thirds of that.
  const std::int32_t *const outputs = &c.tiling.tile_outputs[0][0];
  const bool is_long =
      std::any_of(outputs, outputs + 2 * TCONV_MAX_RANK, [](int n) { return n > TCONV_FEW_TILE_OUTPUTS; });
  const double a_product = is_long ? 1.5e-8 : 1e-8;
  const double tolerance =
      std::max(1e-5, a_product * products_of(c, dims) * tconv_winograd_error(&c.tiling, &c.layer, &dims));
  ASSERT_NO_FATAL_FAILURE(expect_definition(c, reference.kernel, random, tolerance, &outcome));
  if (!outcome.empty) *shares = shares_of(c, reference.kernel);
}

// The same of `count` layers that `draw` makes of their indices; `visit` is called with those that have outputs, and
// `empty` counts the others.
template <typename Draw, typename Visit>
void check_cases(int count, Random &random, Draw draw, int *empty, Visit visit) {
  for (int i = 0; i < count; ++i) {
    const Case c = draw(i);
    SCOPED_TRACE("layer " + std::to_string(i) + ": " + describe(c));
    Shares shares;
    ASSERT_NO_FATAL_FAILURE(check_case(c, random, &shares));
    *empty += shares.parts == 0;
    if (shares.parts > 0) visit(c, shares);
  }
}

TEST_F(Driver, TilesOfRandomLayersAreTheDefinitionWhateverTheCutAndTheThreads) {
  Random random(2);
  int empty = 0, whole = 0, unequal = 0, kinds = 0, kinds_with_phases = 0;
  const auto draw = [&](int i) { return random_case(random, i < layers); };
  const auto count = [&](const Case &c, const Shares &shares) {
    for (int kind = 1; kind < TCONV_TILE_KINDS; ++kind) kinds += tconv_has_kind(&c.tiling, kind);
    kinds_with_phases += kinds_of(c);
    whole += shares.parts == 1;
    unequal += shares.units % shares.parts != 0;
  };
  ASSERT_NO_FATAL_FAILURE(check_cases(layers + channels_first_layers, random, draw, &empty, count));
  EXPECT_LT(empty, layers / 2);
  EXPECT_GT(whole, layers / 10);
  EXPECT_GT(unequal, layers / 20);
  EXPECT_GT(kinds, layers / 2);
  EXPECT_GT(kinds_with_phases, layers / 6);
}

TEST_F(Driver, TilesTransposedApartAreTheDefinitionWhateverTheCutAndTheThreads) {
  Random random(5);
  int empty = 0, kinds_with_phases = 0, several_units = 0, together = 0;
  const auto draw = [&](int) { return random_apart_case(random); };
  const auto count = [&](const Case &c, const Shares &shares) {
    kinds_with_phases += kinds_of(c);
    several_units += shares.parts > 1;
    together += c.layer.rank == 3 && (c.tiling.tile_outputs[1][0] == 0 || c.tiling.tile_outputs[1][1] == 0);
  };
  ASSERT_NO_FATAL_FAILURE(check_cases(apart_layers, random, draw, &empty, count));
  EXPECT_LT(empty, apart_layers / 2);
  EXPECT_GT(kinds_with_phases, apart_layers / 4);
  EXPECT_GT(several_units, apart_layers / 10);
  EXPECT_GT(together, apart_layers / 10);
}

TEST_F(Driver, TilesOfMergedPhasesAreTheDefinitionWhateverTheCutAndTheThreads) {
  Random random(3);
  int empty = 0, transposed = 0, several_panels = 0, shared = 0;
  const auto draw = [&](int) { return random_merged_case(random); };
  const auto count = [&](const Case &c, const Shares &shares) {
    transposed += c.tiling.transpose_output;
    several_panels += shares.units > 1;
    shared += shares.parts > 1;
  };
  ASSERT_NO_FATAL_FAILURE(check_cases(merged_layers, random, draw, &empty, count));
  EXPECT_LT(empty, merged_layers / 2);
  EXPECT_GT(transposed, merged_layers / 10);
  EXPECT_GT(several_panels, merged_layers / 4);
  EXPECT_GT(shared, merged_layers / 10);
}

TEST_F(Driver, SumsOfSplitNumbersAreTheDefinitionWhateverTheCutAndTheThreads) {
  Random random(4);
  int empty = 0, kinds_with_phases = 0, shared = 0;
  const auto draw = [&](int) { return random_split_case(random); };
  const auto count = [&](const Case &c, const Shares &shares) {
    kinds_with_phases += kinds_of(c);
    shared += shares.parts > 1;
  };
  ASSERT_NO_FATAL_FAILURE(check_cases(split_layers, random, draw, &empty, count));
  EXPECT_LT(empty, split_layers / 2);
  EXPECT_GT(kinds_with_phases, split_layers / 8);
  EXPECT_GT(shared, split_layers / 40);
}

TEST_F(Driver, StrassensProductsAreTheDefinitionWhateverTheCutAndTheThreads) {
  Random random(7);
  int empty = 0, twice = 0, shared = 0, hanging = 0, first = 0;
  const auto draw = [&](int) { return random_strassen_case(random); };
  const auto count = [&](const Case &c, const Shares &shares) {
    twice += tconv_channel_parts(&c.tiling, 0) == 4;
    shared += shares.parts > 1;
    first += !c.layer.channels_last;
    for (int d = 0; d < TCONV_MAX_RANK; ++d)
      hanging += tconv_is_paired(&c.tiling, d) && c.problem.dim[static_cast<std::size_t>(d)].in % 2 != 0;
  };
  ASSERT_NO_FATAL_FAILURE(check_cases(strassen_layers, random, draw, &empty, count));
  EXPECT_LT(empty, strassen_layers / 2);
  EXPECT_GT(twice, strassen_layers / 8);
  EXPECT_GT(shared, strassen_layers / 20);
  EXPECT_GT(hanging, strassen_layers / 5);
  EXPECT_GT(first, strassen_layers / 5);
}

TEST(SplitNumbers, PartsAddUpToTheNumber) {
  Random random(6);
  for (int i = 0; i < 100000; ++i) {
    const float value = std::ldexp(static_cast<float>(random(-(1 << 24), 1 << 24)), static_cast<int>(random(-80, 80)));
    float rest = value;
    double sum = 0;
    for (int part = 0; part < TCONV_SPLIT_PARTS; ++part) {
      const float before = rest;
      sum += static_cast<double>(from_bf16(tconv_split_part(part, before, &rest)));
      EXPECT_LE(std::abs(rest), std::ldexp(std::abs(before), -8));
    }
    ASSERT_EQ(sum, static_cast<double>(value));
  }
}

TEST(SplitNumbers, WhatIsNoNumberStaysNone) {
  for (const std::uint32_t bits : {0x7f800000u, 0xff800000u, 0x7fc00000u, 0x7fffffffu, 0x7f800001u}) {
    float rest, sum = 0;
    std::memcpy(&rest, &bits, sizeof rest);
    for (int part = 0; part < TCONV_SPLIT_PARTS; ++part) sum += from_bf16(tconv_split_part(part, rest, &rest));
    EXPECT_TRUE(std::isnan(sum)) << bits;
  }
}

}  // namespace
}  // namespace tconv::test
