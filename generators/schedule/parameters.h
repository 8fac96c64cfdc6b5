// A schedule as one line of text, such as
//   direct panel=32 columns=32 lanes=16 tile=1x1x14 block=262144
//   winograd panel=32 columns=32 lanes=16 rows=11,8 outputs=1x3x3 block=1048576
// which the schedule database keeps, `tconvc tune` searches over, and a user may give.
#ifndef TCONV_GENERATORS_PARAMETERS_H
#define TCONV_GENERATORS_PARAMETERS_H

#include <string>
#include <string_view>
#include <vector>

#include "schedule/schedule.h"
#include "tconv/status.h"

namespace tconv {

// All that a search may vary, for one target.
struct Parameters {
  std::string method;
  std::string autoscheduler;  // Halide's, in place of the target's part
  tconv_tiling tiling{};
  TargetSchedule target;
};

// Equal texts mean equal schedules; what has its usual value is left out.
std::string to_text(const Parameters &parameters);

// Any line that to_text() writes, its fields in any order. Says what is wrong with another.
Result<Parameters> parse_parameters(std::string_view text);

// Whether they are legal for the plan: functions that compile and are right, in registers that there are.
Status check_parameters(const Plan &plan, const Halide::Target &target, const Parameters &parameters);

// The parameters of one target of a schedule.
Parameters parameters_of(const Schedule &schedule, std::size_t index);

// The schedule for targets that share packed weights: the parameters for the first one, and the rules' choice with the
// same tiling for the others. `parameters` are legal.
Schedule schedule_of(const Plan &plan, const std::vector<Halide::Target> &targets, const Parameters &parameters);

// What the cost models expect, in cycles of one core.
double expected_cycles(const Plan &plan, const Halide::Target &target, const Parameters &parameters);

}  // namespace tconv

#endif
