// A schedule's text holds all of it, and nothing that is not legal is taken for one.
#include "schedule/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emit/targets.h"
#include "tune/plans.h"
#include "tune/space.h"

namespace tconv::test {
namespace {

using testing::HasSubstr;

Halide::Target full(const char *name) { return check_targets({name}).value()[0]; }

const Halide::Target amx = full("x86-64-linux-avx512_sapphirerapids"), avx512 = full("x86-64-linux-avx512_skylake"),
                     avx2 = full("x86-64-linux-avx2-fma-f16c"), arm = full("arm-64-linux");

void expect_equal(const Parameters &a, const Parameters &b) {
  EXPECT_EQ(a.method, b.method);
  EXPECT_EQ(a.autoscheduler, b.autoscheduler);
  const tconv_tiling &s = a.tiling, &t = b.tiling;
  EXPECT_EQ(s.panel, t.panel);
  EXPECT_EQ(s.merge_phases, t.merge_phases);
  EXPECT_EQ(s.dense_phases, t.dense_phases);
  EXPECT_EQ(s.group_columns, t.group_columns);
  EXPECT_EQ(s.block_bytes, t.block_bytes);
  EXPECT_EQ(s.thread_work, t.thread_work);
  EXPECT_EQ(s.transpose_input, t.transpose_input);
  EXPECT_EQ(s.transpose_output, t.transpose_output);
  EXPECT_EQ(s.bf16x3, t.bf16x3);
  EXPECT_EQ(s.strassen, t.strassen);
  EXPECT_TRUE(std::equal(&s.tile_outputs[0][0], &s.tile_outputs[0][0] + 6, &t.tile_outputs[0][0]));
  EXPECT_EQ(a.target.lanes, b.target.lanes);
  EXPECT_EQ(a.target.columns, b.target.columns);
  EXPECT_TRUE(std::equal(a.target.tile, a.target.tile + 3, b.target.tile));
  EXPECT_EQ(a.target.unroll_depth, b.target.unroll_depth);
  EXPECT_EQ(a.target.rows, b.target.rows);
  EXPECT_EQ(a.target.read_block, b.target.read_block);
  EXPECT_EQ(a.target.prefetch, b.target.prefetch);
  EXPECT_EQ(a.target.fetch, b.target.fetch);
  if (s.transpose_input) {
    EXPECT_EQ(a.target.transpose_block, b.target.transpose_block);
  }
}

TEST(Parameters, TheRulesChoiceSurvivesItsText) {
  for (const Plan &plan : some_plans())
    for (const Halide::Target &target : {amx, avx512, avx2, arm}) {
      const Parameters chosen = parameters_of(choose_schedule(plan, {target}), 0);
      SCOPED_TRACE(key(plan) + " | " + target.to_string() + " : " + to_text(chosen));
      const Result<Parameters> read = parse_parameters(to_text(chosen));
      ASSERT_TRUE(read.ok()) << read.status().message();
      expect_equal(read.value(), chosen);
      const Status legal = check_parameters(plan, target, chosen);
      EXPECT_TRUE(legal.ok()) << legal.message();
      const Schedule direct = choose_schedule(plan, {target}), again = schedule_of(plan, {target}, read.value());
      EXPECT_EQ(direct.method, again.method);
      EXPECT_EQ(direct.variants.size(), again.variants.size());
    }
}

TEST(Parameters, TheSpaceHoldsLegalSchedulesOnceEach) {
  for (const Plan &plan : some_plans()) {
    const std::vector<Candidate> space = search_space(plan, avx2, 2);
    SCOPED_TRACE(key(plan));
    EXPECT_GT(space.size(), 20u);
    std::set<std::string> texts;
    for (const Candidate &one : space) {
      EXPECT_TRUE(texts.insert(one.text).second) << one.text;
      EXPECT_GT(one.cycles, 0) << one.text;
    }
    for (std::size_t i = 0; i < space.size(); i += 1 + space.size() / 50) {
      const Result<Parameters> read = parse_parameters(space[i].text);
      ASSERT_TRUE(read.ok()) << space[i].text;
      expect_equal(read.value(), space[i].parameters);
    }
  }
}

TEST(Parameters, TheSpaceHoldsTheRulesChoice) {
  for (const Plan &plan : some_plans()) {
    const std::string own = untuned(plan, avx512).text;
    const std::string without_block = own.substr(0, own.find(" block="));
    bool found = false;
    for (const Candidate &one : search_space(plan, avx512, 1))
      found = found || one.text.substr(0, one.text.find(" block=")) == without_block;
    EXPECT_TRUE(found) << key(plan) << ": " << own;
  }
}

TEST(Parameters, TheOtherTargetsOfALibraryShareTheTiling) {
  const Plan plan = make_plan({2, true, 16, 64, 64, 1, 4, 2});
  const Parameters given = parse_parameters("direct panel=48 columns=48 lanes=16 tile=1x1x8 block=65536").value();
  const Schedule schedule = schedule_of(plan, {avx512, avx2}, given);
  ASSERT_EQ(schedule.targets.size(), 2u);
  EXPECT_EQ(schedule.tiling.panel, 48);
  EXPECT_EQ(schedule.targets[0].columns, 48);
  EXPECT_EQ(48 % schedule.targets[1].columns, 0);
  EXPECT_EQ(schedule.targets[1].lanes, 8);
}

std::string parse_error(const std::string &text) {
  const Result<Parameters> read = parse_parameters(text);
  return read.ok() ? "" : read.status().message();
}

TEST(Parameters, TextsThatAreNone) {
  EXPECT_THAT(parse_error(""), HasSubstr("empty"));
  EXPECT_THAT(parse_error("fast panel=16"), HasSubstr("unknown method 'fast'"));
  EXPECT_THAT(parse_error("direct panels=16"), HasSubstr("no field 'panels'"));
  EXPECT_THAT(parse_error("direct panel=16x"), HasSubstr("'panel=16x' is no value of panel"));
  EXPECT_THAT(parse_error("direct panel=-1"), HasSubstr("'panel=-1'"));
  EXPECT_THAT(parse_error("direct panel"), HasSubstr("'panel'"));
  EXPECT_THAT(parse_error("direct tile=1x2"), HasSubstr("'tile=1x2'"));
  EXPECT_THAT(parse_error("direct panel=16 panel=32"), HasSubstr("'panel' is given twice"));
  EXPECT_THAT(parse_error("direct transpose=output"), HasSubstr("'transpose=output'"));
  EXPECT_THAT(parse_error("direct panel=99999999999999999999"), HasSubstr("no value of panel"));
  EXPECT_THAT(parse_error("direct autoscheduler=mine"), HasSubstr("no value of autoscheduler"));
}

std::string check_error(const Plan &plan, const std::string &text) {
  const Result<Parameters> read = parse_parameters(text);
  EXPECT_TRUE(read.ok()) << text;
  return check_parameters(plan, avx512, read.value()).message();
}

TEST(Parameters, SchedulesThatAreNotLegalForALayer) {
  const Plan last = make_plan({2, true, 16, 64, 64, 1, 4, 2}), first = make_plan({2, false, 16, 64, 64, 1, 4, 2});
  EXPECT_EQ(check_error(last, "direct panel=32 columns=32 lanes=16 tile=1x1x14 block=65536"), "");
  EXPECT_THAT(check_error(last, "direct panel=80 columns=16 lanes=16 block=65536"), HasSubstr("panel=80"));
  EXPECT_THAT(check_error(last, "direct panel=32 columns=24 lanes=8 block=65536"), HasSubstr("columns=24"));
  EXPECT_THAT(check_error(last, "direct panel=32 columns=32 lanes=12 block=65536"), HasSubstr("lanes=12"));
  EXPECT_THAT(check_error(last, "direct panel=32 columns=32 lanes=16 tile=1x1x17 block=65536"),
              HasSubstr("34 vectors of sums do not fit 32"));
  EXPECT_THAT(check_error(last, "direct panel=32 columns=32 lanes=16 tile=2x1x4 block=65536"), HasSubstr("rank is 2"));
  EXPECT_THAT(check_error(last, "direct panel=32 columns=32 lanes=16 tile=1x0x4 block=65536"), HasSubstr("1 or more"));
  EXPECT_THAT(check_error(last, "direct panel=32 columns=32 lanes=16 block=12"), HasSubstr("block=12"));
  EXPECT_THAT(check_error(last, "direct panel=32 columns=32 lanes=16 dense=1 block=65536"), HasSubstr("dense=1"));
  EXPECT_THAT(check_error(last, "direct panel=3 columns=3 lanes=16 tile=1x1x16 transpose=both block=65536"),
              HasSubstr("transpose=input"));
  EXPECT_THAT(check_error(first, "direct panel=32 columns=32 lanes=16 transpose=input block=65536"),
              HasSubstr("transpose=both"));
  EXPECT_THAT(check_error(first, "direct panel=4 columns=4 lanes=16 tile=1x1x8 block=65536"),
              HasSubstr("lanes=16 do not divide"));
  EXPECT_THAT(check_error(last, "depthwise panel=32 columns=32 lanes=16 block=65536"), HasSubstr("depthwise"));
  EXPECT_THAT(check_error(last, "direct panel=8 columns=8 lanes=8 tile=1x1x8 read=8 block=65536"), HasSubstr("read=8"));
  EXPECT_THAT(check_error(last, "winograd panel=32 columns=32 lanes=16 rows=8 outputs=1x9x9 block=65536"),
              HasSubstr("outputs=1x9x9"));
  const std::string tiles = "winograd panel=32 columns=32 lanes=16 rows=8 block=65536 outputs=";
  EXPECT_EQ(check_error(last, tiles + "1x4x7"), "");
  EXPECT_THAT(check_error(last, tiles + "1x5x5"), HasSubstr("outputs=1x5x5"));
  EXPECT_THAT(check_error(last, "winograd panel=32 columns=32 lanes=16 rows=20 outputs=1x3x3 block=65536"),
              HasSubstr("rows=20"));
  EXPECT_THAT(check_error(last, "winograd panel=32 columns=32 lanes=16 outputs=1x3x3 block=65536"),
              HasSubstr("needs rows"));
  const std::string merged = "winograd panel=32 columns=32 lanes=16 rows=8 outputs=1x3x3 block=65536 merge=1";
  EXPECT_THAT(check_error(last, "bf16x3 panel=32 columns=32 lanes=16 rows=32 outputs=1x1x1 block=65536"),
              HasSubstr("no matrix units"));
  EXPECT_EQ(check_error(last, merged + " dense=1"), "");
  EXPECT_EQ(check_error(first, merged + " dense=1 transpose=both"), "");
  EXPECT_THAT(check_error(last, merged), HasSubstr("merge=1 dense=0"));
  EXPECT_THAT(check_error(last, merged + " dense=1 own=0x0x3"), HasSubstr("own=0x0x3"));
  EXPECT_THAT(check_error(last, merged + " dense=1 transpose=both"), HasSubstr("channels last with no transpose"));
  EXPECT_THAT(check_error(first, merged + " dense=1"), HasSubstr("channels first with transpose=both"));
  const Plan one_first = make_plan({2, false, 16, 64, 1, 1, 4, 2});
  EXPECT_EQ(check_error(one_first, merged + " dense=1 transpose=input"), "");
  Plan groups = last;
  groups.layer.groups = 2;
  EXPECT_THAT(check_error(groups, merged + " dense=1"), HasSubstr("2 groups"));
  const std::string lanes = "lane_sums panel=3 columns=3 lanes=16 tile=1x1x8 dense=1 block=65536";
  const Plan few_last = make_plan({2, true, 16, 64, 3, 1, 4, 2}), few_first = make_plan({2, false, 16, 64, 3, 1, 4, 2});
  EXPECT_EQ(check_error(few_last, lanes), "");
  EXPECT_EQ(check_error(few_first, lanes + " transpose=input"), "");
  EXPECT_THAT(check_error(few_first, lanes), HasSubstr("channels first with transpose=input"));
  EXPECT_THAT(check_error(few_first, lanes + " transpose=both"), HasSubstr("channels first with transpose=input"));
  EXPECT_THAT(check_error(few_last, lanes + " transpose=input"), HasSubstr("channels last with no transpose"));
  EXPECT_THAT(check_error(last, lanes), HasSubstr("64 output channels"));
  const std::string planes = "planes panel=12 columns=12 lanes=16 tile=1x1x32 block=65536";
  EXPECT_EQ(check_error(few_first, planes), "");
  EXPECT_EQ(check_error(few_first, "planes panel=12 columns=4 lanes=8 tile=1x2x24 block=65536"), "");
  EXPECT_THAT(check_error(few_last, planes), HasSubstr("planes do not serve channels last"));
  EXPECT_THAT(check_error(few_first, planes + " transpose=both"), HasSubstr("channels first with no transpose"));
  EXPECT_THAT(check_error(few_first, planes + " dense=0"), HasSubstr("merge=3 dense=0"));
  EXPECT_THAT(check_error(few_first, planes + " merge=1"), HasSubstr("method planes with merge=1"));
  EXPECT_THAT(check_error(few_first, "direct panel=12 columns=12 lanes=16 tile=1x1x32 merge=3 dense=1 block=65536"),
              HasSubstr("method direct with merge=3"));
  EXPECT_THAT(check_error(few_first, "planes panel=6 columns=6 lanes=16 tile=1x1x32 block=65536"),
              HasSubstr("panel=6 columns=6: planes take whole filters of 4 phases"));
  EXPECT_THAT(check_error(few_first, "planes panel=12 columns=12 lanes=16 tile=1x1x24 block=65536"),
              HasSubstr("lanes=16"));
  EXPECT_THAT(check_error(few_first, "planes panel=12 columns=12 lanes=16 tile=1x1x48 block=65536"),
              HasSubstr("36 vectors of sums do not fit 32"));
  Plan dilated = few_first;
  dilated.layer.rule[0].dilation = 2;
  EXPECT_THAT(check_error(dilated, planes), HasSubstr("a dilation of 2"));
  EXPECT_THAT(check_error(make_plan({2, false, 16, 64, 3, 1, 10, 5}), planes), HasSubstr("25 phases"));
  EXPECT_THAT(check_error(make_plan({2, false, 16, 64, 3, 1, 12, 4}), planes), HasSubstr("144 taps"));
  const Plan single = make_plan({2, true, 16, 64, 64, 1, 2, 2}),
             single_first = make_plan({2, false, 16, 64, 64, 1, 2, 2});
  const std::string strassen = "strassen panel=32 columns=32 lanes=16 rows=8 block=65536";
  EXPECT_EQ(check_error(single, strassen + " outputs=1x2x2"), "");
  EXPECT_EQ(check_error(single_first, strassen + " outputs=1x1x2 transpose=both"), "");
  EXPECT_THAT(check_error(single_first, strassen + " outputs=1x1x2"), HasSubstr("channels first with transpose=both"));
  EXPECT_THAT(check_error(single, strassen + " outputs=1x1x1"), HasSubstr("outputs=1x1x1"));
  EXPECT_THAT(check_error(single, strassen + " outputs=1x3x2"), HasSubstr("outputs=1x3x2"));
  EXPECT_THAT(check_error(single, strassen + " outputs=1x2x2 own=0x0x1"), HasSubstr("own=0x0x1"));
  EXPECT_THAT(check_error(single, strassen + " outputs=1x2x2 merge=1 dense=1"), HasSubstr("merge=1 dense=1: both 0"));
  EXPECT_THAT(check_error(single, "strassen panel=32 columns=32 lanes=16 block=65536 outputs=1x2x2"),
              HasSubstr("strassen needs rows"));
  EXPECT_THAT(check_error(last, strassen + " outputs=1x2x2"), HasSubstr("not strassen: 4 taps with stride 2"));
  EXPECT_THAT(check_error(make_plan({2, true, 16, 64, 64, 1, 3, 3}), strassen + " outputs=1x2x2"),
              HasSubstr("odd strides"));
  EXPECT_THAT(check_error(make_plan({2, true, 16, 63, 64, 1, 2, 2}), strassen + " outputs=1x2x2"),
              HasSubstr("63 input channels"));
  EXPECT_THAT(check_error(make_plan({2, true, 16, 66, 64, 1, 2, 2}), strassen + " outputs=1x2x2"),
              HasSubstr("outputs=1x2x2"));
  EXPECT_THAT(check_error(make_plan({2, true, 16, 64, 64, 2, 2, 2}), strassen + " outputs=1x2x2"),
              HasSubstr("2 groups"));
  EXPECT_THAT(check_error(make_plan({3, true, 16, 64, 64, 1, 2, 2}), strassen + " outputs=2x2x2"),
              HasSubstr("outputs=2x2x2"));
  Plan cut = single;
  cut.layer.rule[0] = {TCONV_PADDING_EXPLICIT, 2, 2, 1, 0, 1, 1, TCONV_UNSET};
  EXPECT_THAT(check_error(cut, strassen + " outputs=1x1x2"), HasSubstr("30 outputs from 1 on with stride 2"));
  Plan open = single;
  open.layer.size[0] = TCONV_UNSET;
  EXPECT_EQ(check_error(open, strassen + " outputs=1x2x2"), "");
  open.layer.rule[0].output = 32;
  EXPECT_THAT(check_error(open, strassen + " outputs=1x2x2"), HasSubstr("does not follow from the input's"));
  Plan exact_single = single;
  exact_single.use_winograd = UseWinograd::never;
  EXPECT_THAT(check_error(exact_single, strassen + " outputs=1x2x2"), HasSubstr("exact"));
  Plan exact = last;
  exact.use_winograd = UseWinograd::never;
  EXPECT_THAT(check_error(exact, "winograd panel=32 columns=32 lanes=16 rows=8 outputs=1x3x3 block=65536"),
              HasSubstr("exact"));
}

}  // namespace
}  // namespace tconv::test
