// The learner finds effects that add up, and doubts what it was not told.
#include "tune/learner.h"

#include <cmath>
#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tconv::test {
namespace {

struct World {
  std::vector<std::string> schedules;
  std::vector<double> effects;  // true log ratios
};

World additive_world() {
  const double panel[] = {0.3, 0.0, -0.2}, unroll[] = {0.0, 0.15, -0.1}, block[] = {0.05, 0.0, 0.1, -0.05};
  World world;
  for (int p = 0; p < 3; ++p)
    for (int u = 0; u < 3; ++u)
      for (int b = 0; b < 4; ++b) {
        world.schedules.push_back(fmt::format("direct panel={} columns=1 lanes=1 unroll={} block={}", p, u, b));
        world.effects.push_back(panel[p] + unroll[u] + block[b]);
      }
  return world;
}

TEST(Learner, FindsEffectsThatAddUp) {
  const World world = additive_world();
  Learner learner(world.schedules);
  std::mt19937 random(1);
  std::normal_distribution<double> noise(0, 0.01);
  std::uniform_int_distribution<int> coin(0, 1);
  for (std::size_t i = 0; i < world.schedules.size(); ++i)
    if (coin(random) == 1) learner.add(i, world.effects[i] + noise(random));
  learner.fit();
  std::size_t best = 0, expected = 0;
  for (std::size_t i = 0; i < world.schedules.size(); ++i) {
    EXPECT_NEAR(learner.estimate(i).mean, world.effects[i], 0.12) << world.schedules[i];
    if (learner.estimate(i).mean < learner.estimate(best).mean) best = i;
    if (world.effects[i] < world.effects[expected]) expected = i;
  }
  EXPECT_EQ(world.schedules[best], world.schedules[expected]);
}

TEST(Learner, DoubtsWhatItHasNotSeen) {
  const World world = additive_world();
  Learner learner(world.schedules);
  const double before = learner.estimate(0).deviation;
  learner.add(0, 0.1);
  learner.fit();
  EXPECT_LT(learner.estimate(0).deviation, before / 2);
  const std::size_t other = world.schedules.size() - 1;
  EXPECT_GT(learner.estimate(other).deviation, learner.estimate(0).deviation);
  EXPECT_NEAR(learner.estimate(0).mean, 0.1, 0.02);
}

TEST(Learner, ValuesCarryTheFamilyAndTheSums) {
  const std::vector<std::string> values =
      parameter_values("direct panel=32 columns=32 lanes=16 tile=1x2x7 transpose=input block=1024");
  const auto has = [&](const std::string &value) {
    return std::find(values.begin(), values.end(), value) != values.end();
  };
  EXPECT_TRUE(has("direct transpose panel=32"));
  EXPECT_TRUE(has("direct transpose tile[1]=2"));
  EXPECT_TRUE(has("direct transpose tile[2]=7"));
  EXPECT_TRUE(has("direct transpose sums=28"));
}

}  // namespace
}  // namespace tconv::test
