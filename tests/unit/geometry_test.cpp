// geometry.h against the definition itself, in this file's own arithmetic: which (output, input, tap) triples meet, for
// many random dimensions, and extents that the frameworks' own rules and programs give.
#include "tconv/geometry.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace {

using Triples = std::multiset<std::tuple<std::int64_t, std::int64_t, std::int64_t>>;

std::string text(const tconv_dim &d) {
  return fmt::format("in {} kernel {} stride {} dilation {} crop {} out {}", d.in, d.kernel, d.stride, d.dilation,
                     d.crop, d.out);
}

// o = i * stride + t * dilation - crop, 0 <= o < out.
Triples by_definition(const tconv_dim &d) {
  Triples triples;
  for (std::int64_t i = 0; i < d.in; ++i) {
    for (std::int64_t t = 0; t < d.kernel; ++t) {
      const std::int64_t o = i * d.stride + t * d.dilation - d.crop;
      if (o >= 0 && o < d.out) triples.insert({o, i, t});
    }
  }
  return triples;
}

// What a kernel that walks the runs would add up. `written` counts the outputs.
Triples by_runs(const tconv_dim &d, int merge, std::multiset<std::int64_t> &written) {
  Triples triples;
  std::int64_t count = 0;
  for (std::int64_t first = 0; first < d.stride; first += count) {
    const tconv_run run = tconv_phase_run(&d, first, merge);
    count = run.count;
    EXPECT_EQ(run.first, first);
    EXPECT_GE(count, 1);
    if (count < 1) return {};
    for (std::int64_t q = 0; q < run.extent; ++q) {
      for (std::int64_t p = 0; p < count; ++p) {
        const std::int64_t o = d.stride * q + first + p;
        written.insert(o);
        for (std::int64_t j = 0; j < run.taps; ++j) {
          const std::int64_t i = q + run.offset + j * run.step;
          if (i >= 0 && i < d.in) triples.insert({o, i, run.first_tap + p - j * run.tap_step});
        }
      }
    }
  }
  return triples;
}

// The same of the run of all phases, of whose taps and outputs some do not exist. `unused` counts positions of the
// window that no phase reads.
Triples by_united_run(const tconv_dim &d, std::multiset<std::int64_t> &written, std::int64_t &unused) {
  Triples triples;
  const tconv_run run = tconv_united_run(&d);
  EXPECT_EQ(run.first, 0);
  EXPECT_EQ(run.count, d.stride);
  EXPECT_EQ(run.step, 1);
  std::vector<bool> used(static_cast<std::size_t>(std::max<std::int64_t>(run.taps, 0)));
  for (std::int64_t q = 0; q < run.extent; ++q) {
    for (std::int64_t p = 0; p < run.count; ++p) {
      const std::int64_t o = d.stride * q + p;
      if (o < d.out) written.insert(o);
      for (std::int64_t j = 0; j < run.taps; ++j) {
        const std::int64_t tap = run.first_tap + p - j * run.tap_step, i = q + run.offset + j;
        if (tap < 0 || tap >= d.kernel) continue;
        used[static_cast<std::size_t>(j)] = true;
        if (i >= 0 && i < d.in && o < d.out) triples.insert({o, i, tap});
      }
    }
  }
  unused = run.extent > 0 ? std::count(used.begin(), used.end(), false) : 0;
  return triples;
}

std::multiset<std::int64_t> all_outputs(const tconv_dim &d) {
  std::multiset<std::int64_t> outputs;
  for (std::int64_t o = 0; o < d.out; ++o) outputs.insert(outputs.end(), o);
  return outputs;
}

class RandomDimensions : public testing::Test {
 protected:
  std::int64_t in(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(generator_() % static_cast<std::uint64_t>(high - low + 1));
  }

  // Explicit pads of either sign: crops in front and behind, and zeros added.
  tconv_rule next() {
    return {TCONV_PADDING_EXPLICIT, in(1, 7), in(1, 5), in(1, 4), in(0, 3), in(-4, 6), in(-4, 6), TCONV_UNSET};
  }

  std::mt19937_64 generator_{20150531};
};

TEST_F(RandomDimensions, RunsMeetExactlyTheTriplesOfTheDefinition) {
  int legal = 0, empty = 0, gaps = 0;
  for (int trial = 0; trial < 20000; ++trial) {
    const tconv_rule rule = next();
    tconv_dim d;
    if (!tconv_resolve(&rule, in(0, 6), &d)) {
      EXPECT_LT(d.out, 0) << text(d);
      continue;
    }
    ++legal;
    empty += d.out == 0;
    gaps += d.kernel < d.stride;
    const Triples expected = by_definition(d);
    for (const int merge : {0, 1}) {
      std::multiset<std::int64_t> written;
      ASSERT_EQ(by_runs(d, merge, written), expected) << text(d) << " merge " << merge;
      ASSERT_EQ(written, all_outputs(d)) << text(d) << " merge " << merge;
    }
  }
  EXPECT_GT(legal, 10000);
  EXPECT_GT(empty, 100);
  EXPECT_GT(gaps, 1000);
}

TEST_F(RandomDimensions, AUnitedRunReadsTheUnionOfItsPhasesWindows) {
  int legal = 0, cropped = 0;
  for (int trial = 0; trial < 20000; ++trial) {
    tconv_rule rule = next();
    rule.dilation = 1;
    tconv_dim d;
    if (!tconv_resolve(&rule, in(0, 6), &d)) continue;
    ++legal;
    cropped += d.out % d.stride != 0;
    std::multiset<std::int64_t> written;
    std::int64_t unused = 0;
    ASSERT_EQ(by_united_run(d, written, unused), by_definition(d)) << text(d);
    ASSERT_EQ(written, all_outputs(d)) << text(d);
    ASSERT_EQ(unused, 0) << text(d);
  }
  EXPECT_GT(legal, 10000);
  EXPECT_GT(cropped, 1000);
}

TEST_F(RandomDimensions, ExplicitPadsCutTheFullExtentAtBothEnds) {
  for (int trial = 0; trial < 5000; ++trial) {
    const tconv_rule rule = next();
    const std::int64_t extent = in(1, 6);
    tconv_dim d;
    const bool legal = tconv_resolve(&rule, extent, &d) != 0;
    std::int64_t last = 0;  // of the positions that any tap of any input reaches
    for (std::int64_t i = 0; i < extent; ++i) {
      for (std::int64_t t = 0; t < rule.kernel; ++t) last = std::max(last, i * rule.stride + t * rule.dilation);
    }
    const std::int64_t out = last + 1 + rule.output_padding - rule.pad_begin - rule.pad_end;
    EXPECT_EQ(d.out, out);
    EXPECT_EQ(legal, out >= 0);
    EXPECT_EQ(d.crop, rule.pad_begin);
  }
}

TEST(Phases, MergeSharesOneWindowAndNothingElse) {
  // kernel 4, stride 2, crop 1: phases (-1, 0) and (0, 1) read different inputs; without the crop they are one run.
  const tconv_dim cropped = {8, 4, 2, 1, 1, 16}, plain = {8, 4, 2, 1, 0, 18};
  EXPECT_EQ(tconv_phase_run(&cropped, 0, 1).count, 1);
  EXPECT_EQ(tconv_phase_run(&plain, 0, 1).count, 2);
  EXPECT_EQ(tconv_phase_run(&plain, 0, 0).count, 1);
  // kernel == stride: every phase in one run of one tap.
  const tconv_dim shuffle = {8, 3, 3, 1, 0, 24};
  EXPECT_EQ(tconv_phase_run(&shuffle, 0, 1).count, 3);
  EXPECT_EQ(tconv_phase_run(&shuffle, 0, 1).taps, 1);
  // Dilated taps do not fall into neighbouring phases.
  const tconv_dim dilated = {8, 3, 3, 2, 0, 26};
  EXPECT_EQ(tconv_phase_run(&dilated, 0, 1).count, 1);
}

TEST(Phases, ThoseThatNoTapReachesHaveNone) {
  const tconv_dim gaps = {4, 1, 3, 1, 0, 12};
  EXPECT_EQ(tconv_phase(&gaps, 0).taps, 1);
  EXPECT_EQ(tconv_phase(&gaps, 1).taps, 0);
  EXPECT_EQ(tconv_phase(&gaps, 2).taps, 0);
  EXPECT_EQ(tconv_phase(&gaps, 2).extent, 4);
}

struct Extent {
  tconv_rule rule;
  std::int64_t in, out, crop;
};

void expect_extents(const std::vector<Extent> &cases) {
  for (std::size_t i = 0; i < cases.size(); ++i) {
    tconv_dim d;
    EXPECT_TRUE(tconv_resolve(&cases[i].rule, cases[i].in, &d)) << "case " << i;
    EXPECT_EQ(d.out, cases[i].out) << "case " << i;
    EXPECT_EQ(d.crop, cases[i].crop) << "case " << i;
  }
}

// The columns of a rule: padding, kernel, stride, dilation, output_padding, pad_begin, pad_end, output.
constexpr std::int64_t none = TCONV_UNSET;

TEST(Extents, KerasValid) {
  const auto rule = [](std::int64_t k, std::int64_t s, std::int64_t d, std::int64_t op) {
    return tconv_rule{TCONV_PADDING_KERAS_VALID, k, s, d, op, 0, 0, none};
  };
  expect_extents({{rule(3, 2, 1, none), 5, 11, 0},
                  {rule(2, 2, 1, none), 5, 10, 0},
                  {rule(1, 3, 1, none), 5, 15, 0},  // not 13: the gap behind the last one is kept
                  {rule(1, 3, 1, 0), 5, 13, 0},
                  {rule(3, 2, 1, 1), 5, 12, 0},
                  {rule(3, 1, 2, none), 5, 9, 0},
                  {rule(3, 2, 1, none), 0, 1, 0}});
}

TEST(Extents, KerasSame) {
  const auto rule = [](std::int64_t k, std::int64_t s, std::int64_t d, std::int64_t op) {
    return tconv_rule{TCONV_PADDING_KERAS_SAME, k, s, d, op, 0, 0, none};
  };
  expect_extents({{rule(3, 2, 1, none), 5, 10, 0},
                  {rule(4, 2, 1, none), 5, 10, 1},
                  {rule(5, 2, 1, none), 5, 10, 1},
                  {rule(2, 3, 1, none), 5, 15, 0},
                  {rule(3, 2, 1, 0), 5, 9, 1},
                  {rule(3, 2, 1, 1), 5, 10, 0},
                  {rule(4, 2, 1, 0), 5, 8, 2},
                  {rule(3, 1, 2, none), 5, 5, 2}});
}

TEST(Extents, Torch) {
  const auto rule = [](std::int64_t k, std::int64_t s, std::int64_t d, std::int64_t op, std::int64_t pad) {
    return tconv_rule{TCONV_PADDING_EXPLICIT, k, s, d, op, pad, pad, none};
  };
  // (in - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1, from PyTorch's documentation.
  expect_extents({{rule(4, 2, 1, 0, 1), 32, 64, 1}, {rule(3, 2, 1, 1, 1), 5, 10, 1}, {rule(3, 2, 3, 2, 0), 5, 17, 0}});
}

TEST(Extents, Onnx) {
  // The examples of the operator's own test suite: convtranspose_pads, _kernel_shape, _output_shape,
  // _autopad_same, _dilations.
  expect_extents({{{TCONV_PADDING_EXPLICIT, 3, 3, 1, 0, 1, 1, none}, 3, 7, 1},
                  {{TCONV_PADDING_EXPLICIT, 3, 2, 1, 0, 2, 2, none}, 3, 3, 2},
                  {{TCONV_PADDING_EXPLICIT, 3, 3, 1, 1, 0, 0, none}, 3, 10, 0},
                  {{TCONV_PADDING_ONNX_LOWER, 3, 3, 1, 0, 0, 0, 10}, 3, 10, 0},
                  {{TCONV_PADDING_ONNX_LOWER, 3, 2, 1, 0, 0, 0, 8}, 3, 8, 0},
                  {{TCONV_PADDING_ONNX_UPPER, 3, 2, 1, 0, 0, 0, none}, 3, 6, 0},
                  {{TCONV_PADDING_ONNX_LOWER, 3, 2, 1, 0, 0, 0, none}, 3, 6, 1},
                  {{TCONV_PADDING_EXPLICIT, 2, 1, 2, 0, 0, 0, none}, 3, 5, 0},
                  {{TCONV_PADDING_ONNX_UPPER, 5, 2, 1, 1, 0, 0, 5}, 3, 5, 2},
                  {{TCONV_PADDING_ONNX_LOWER, 5, 2, 1, 1, 0, 0, 5}, 3, 5, 3}});
}

TEST(Extents, Tflite) {
  expect_extents({{{TCONV_PADDING_TFLITE_SAME, 3, 2, 1, 0, 0, 0, 10}, 5, 10, 0},
                  {{TCONV_PADDING_TFLITE_SAME, 3, 2, 1, 0, 0, 0, 9}, 5, 9, 1},
                  {{TCONV_PADDING_TFLITE_SAME, 4, 2, 1, 0, 0, 0, 10}, 5, 10, 1},
                  {{TCONV_PADDING_TFLITE_VALID, 3, 2, 1, 0, 0, 0, 11}, 5, 11, 0},
                  {{TCONV_PADDING_TFLITE_VALID, 3, 2, 1, 0, 0, 0, 12}, 5, 12, 0}});
}

TEST(Resolve, RefusesNegativeAndOverlargeOutputsAndTellsThem) {
  tconv_dim d;
  const tconv_rule negative = {TCONV_PADDING_EXPLICIT, 3, 1, 1, 0, 3, 3, none};
  EXPECT_FALSE(tconv_resolve(&negative, 1, &d));
  EXPECT_EQ(d.out, -3);
  const tconv_rule large = {TCONV_PADDING_KERAS_VALID, 1, TCONV_MAX_EXTENT, 1, none, 0, 0, none};
  EXPECT_TRUE(tconv_resolve(&large, 1, &d));
  EXPECT_EQ(d.out, TCONV_MAX_EXTENT);
  EXPECT_FALSE(tconv_resolve(&large, 2, &d));
  EXPECT_EQ(d.out, 2 * TCONV_MAX_EXTENT);
  EXPECT_FALSE(tconv_resolve(&large, TCONV_MAX_EXTENT + 1, &d));
  EXPECT_FALSE(tconv_resolve(&large, -1, &d));
  const tconv_rule largest = {TCONV_PADDING_EXPLICIT, TCONV_MAX_EXTENT,  TCONV_MAX_EXTENT,  TCONV_MAX_EXTENT,
                              TCONV_MAX_EXTENT,       -TCONV_MAX_EXTENT, -TCONV_MAX_EXTENT, none};
  EXPECT_FALSE(tconv_resolve(&largest, TCONV_MAX_EXTENT, &d));  // and nothing overflows on the way
}

TEST(Resolve, RefusesRulesOutOfRange) {
  const tconv_rule good = {TCONV_PADDING_KERAS_VALID, 3, 2, 1, none, 0, 0, none};
  EXPECT_TRUE(tconv_rule_is_valid(&good));
  std::vector<tconv_rule> bad(11, good);
  bad[0].kernel = 0;
  bad[1].stride = 0;
  bad[2].dilation = 0;
  bad[3].output_padding = -2;
  bad[4].kernel = TCONV_MAX_EXTENT + 1;
  bad[5].pad_begin = -TCONV_MAX_EXTENT - 1;
  bad[6].pad_end = TCONV_MAX_EXTENT + 1;
  bad[7].output = -2;
  bad[8].padding = TCONV_PADDING_TFLITE_VALID;  // without an output
  bad[9].padding = TCONV_PADDING_TFLITE_VALID + 1;
  bad[10].padding = -1;
  for (std::size_t i = 0; i < bad.size(); ++i) {
    tconv_dim d;
    EXPECT_FALSE(tconv_rule_is_valid(&bad[i])) << i;
    EXPECT_FALSE(tconv_resolve(&bad[i], 4, &d)) << i;
  }
}

TEST(TapsArePhases, OfOneInputPositionThatIsFixed) {
  const tconv_rule rule = {TCONV_PADDING_EXPLICIT, 4, 1, 1, 0, 0, 0, none};
  EXPECT_TRUE(tconv_taps_are_phases(&rule, 1));
  EXPECT_FALSE(tconv_taps_are_phases(&rule, 2));
  EXPECT_FALSE(tconv_taps_are_phases(&rule, 0));
  EXPECT_FALSE(tconv_taps_are_phases(&rule, TCONV_UNSET));
  tconv_rule dilated = rule, strided = rule, longest = rule, longer = rule;
  dilated.dilation = 2;
  strided.stride = 4;
  longest.kernel = TCONV_MAX_TAP_PHASES;
  longer.kernel = TCONV_MAX_TAP_PHASES + 1;
  EXPECT_FALSE(tconv_taps_are_phases(&dilated, 1));
  EXPECT_FALSE(tconv_taps_are_phases(&strided, 1));  // they are already
  EXPECT_TRUE(tconv_taps_are_phases(&longest, 1));
  EXPECT_FALSE(tconv_taps_are_phases(&longer, 1));
}

TEST(SizeFree, OnlyAPrescribedOutputTiesTheCropToTheInput) {
  const tconv_rule free = {TCONV_PADDING_ONNX_UPPER, 5, 2, 1, 0, 0, 0, none};
  const tconv_rule tied = {TCONV_PADDING_ONNX_UPPER, 5, 2, 1, 0, 0, 0, 12};
  EXPECT_TRUE(tconv_rule_is_size_free(&free));
  EXPECT_FALSE(tconv_rule_is_size_free(&tied));
  for (std::int64_t in = 0; in < 9; ++in) {
    tconv_dim d;
    ASSERT_TRUE(tconv_resolve(&free, in, &d));
    EXPECT_EQ(d.crop, 1);
  }
}

}  // namespace
