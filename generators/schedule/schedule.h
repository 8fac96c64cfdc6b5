// The tunable parameters of a kernel, as plain data, and the rules that choose them. A target family's file applies
// them to the algorithm.
#ifndef TCONV_GENERATORS_SCHEDULE_H
#define TCONV_GENERATORS_SCHEDULE_H

#include <string>
#include <vector>

#include <Halide.h>

#include "algorithm/phase_conv.h"
#include "plan/plan.h"

namespace tconv {

// What the registers of one target hold.
struct RegisterFile {
  int lanes;  // float32 a vector
  int count;
};
RegisterFile register_file(const Halide::Target &target);

// One target's part.
struct TargetSchedule {
  int lanes = 1;                         // of the vectors that the inner loop uses
  int columns = 1;                       // of a register tile; divides the panel
  int tile[TCONV_MAX_RANK] = {1, 1, 1};  // positions of a register tile, [2] innermost
  int unroll_depth = 1;                  // input channels unrolled
};

struct Schedule {
  std::string method;  // "direct", "pixel_shuffle" (all phases read one window) or "depthwise"
  std::string reason;  // why these parameters, for `explain`
  tconv_tiling tiling{};
  std::vector<tconv_variant> variants;
  std::vector<TargetSchedule> targets;  // in the order of the targets asked for
};

// Parameters for a plan on targets that share packed weights: rules on the plan and the registers, no search.
Schedule choose_schedule(const Plan &plan, const std::vector<Halide::Target> &targets);

// Each applies a target schedule to one variant. The CPU's serves x86 and ARM.
void apply_cpu_schedule(PhaseConv &conv, const Plan &plan, const tconv_tiling &tiling, const TargetSchedule &schedule);
void apply_cuda_schedule(PhaseConv &conv, const Plan &plan, const TargetSchedule &schedule);

// The columns that a warp of threads takes with channels last.
inline constexpr int cuda_panel = 32;

}  // namespace tconv

#endif
