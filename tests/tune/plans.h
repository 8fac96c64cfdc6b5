// Plans of small layers for the tests of schedules: every rank, both layouts, every method.
#ifndef TCONV_TESTS_TUNE_PLANS_H
#define TCONV_TESTS_TUNE_PLANS_H

#include <vector>

#include "plan/plan.h"

namespace tconv::test {

struct PlanShape {
  int rank;
  bool channels_last;
  std::int64_t size, in_channels, out_channels, groups, kernel, stride;
};

inline Plan make_plan(const PlanShape &shape) {
  Plan plan;
  plan.name = "layer";
  plan.processor = "amd-1-1";
  tconv_layer &layer = plan.layer;
  layer.rank = shape.rank;
  layer.channels_last = shape.channels_last ? 1 : 0;
  layer.in_channels = shape.in_channels;
  layer.out_channels = shape.out_channels;
  layer.groups = shape.groups;
  layer.batch = 1;
  for (int d = 0; d < shape.rank; ++d) {
    layer.size[d] = shape.size + d;
    layer.rule[d] = tconv_rule{TCONV_PADDING_KERAS_SAME, shape.kernel, shape.stride, 1, TCONV_UNSET, 0, 0, TCONV_UNSET};
  }
  return plan;
}

inline std::vector<Plan> some_plans() {
  std::vector<Plan> plans;
  for (const bool last : {true, false})
    for (const PlanShape &shape : {PlanShape{1, last, 37, 16, 8, 1, 16, 8}, PlanShape{2, last, 7, 19, 21, 1, 4, 2},
                                   PlanShape{2, last, 16, 64, 64, 1, 4, 2}, PlanShape{2, last, 16, 64, 3, 1, 5, 3},
                                   PlanShape{2, last, 16, 16, 1, 1, 2, 2}, PlanShape{2, last, 9, 32, 32, 32, 3, 2},
                                   PlanShape{2, last, 9, 12, 8, 4, 3, 1}, PlanShape{3, last, 5, 8, 24, 1, 3, 2},
                                   PlanShape{2, last, 64, 512, 256, 1, 2, 2}})
      plans.push_back(make_plan(shape));
  return plans;
}

}  // namespace tconv::test

#endif
