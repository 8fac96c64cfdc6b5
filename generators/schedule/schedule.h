// The tunable parameters of a kernel, as plain data, and the rules that choose them. A target family's file applies
// them to the algorithm.
#ifndef TCONV_GENERATORS_SCHEDULE_H
#define TCONV_GENERATORS_SCHEDULE_H

#include <array>
#include <string>
#include <vector>

#include <Halide.h>

#include "algorithm/bf16x3.h"
#include "algorithm/copy.h"
#include "algorithm/lane_sums.h"
#include "algorithm/phase_conv.h"
#include "algorithm/planes.h"
#include "algorithm/transpose.h"
#include "algorithm/winograd.h"
#include "plan/plan.h"
#include "tconv/shares.h"

namespace tconv {

// What the registers of one target hold.
struct RegisterFile {
  int lanes;  // float32 a vector
  int count;
};
RegisterFile register_file(const Halide::Target &target);

// What comes with matrix units, beside the vectors that all servers with AVX-512 have.
inline constexpr Halide::Target::Feature beside_matrix_units[] = {
    Halide::Target::AVX512_Zen4, Halide::Target::AVX512_Cannonlake, Halide::Target::AVXVNNI};

// Vectors of columns that share a broadcast element, at most.
int vectors_a_broadcast(const RegisterFile &registers);

// The same for a panel of so many vectors, where it serves whole: a divisor of them.
int divide_panel(int panel_vectors, const RegisterFile &registers);

// The share of their time that the multiply-add units are busy with so many independent sums: current cores have two
// units, of four or five cycles each.
inline double busy_share(int sums) { return sums < 9 ? sums / 9.0 : 1.0; }

// Accumulators take what the weights and one broadcast element leave.
int accumulators(const RegisterFile &registers, int vectors);

// One target's part.
struct TargetSchedule {
  int lanes = 1;                         // of the vectors that the inner loop uses
  int columns = 1;                       // of a register tile; divides the panel
  int tile[TCONV_MAX_RANK] = {1, 1, 1};  // positions of a register tile, [2] innermost
  std::vector<std::array<int, TCONV_MAX_RANK>> other_tiles =
      {};                   // any-size kernels: of the further paths of the target
  int unroll_depth = 1;     // input channels unrolled
  std::vector<int> rows;    // Winograd, Strassen: tiles of a register tile, one a products function
  int read_block = 0;       // input channels x positions that are transposed as they are read; 0: none
  int transpose_block = 4;  // rows and columns that are transposed in registers
  int prefetch = 0;         // bytes ahead of the sums, from where weights are fetched into the cache; 0: not at all
  int fetch =
      0;  // Winograd, Strassen: cache lines of later points' weights that each step of the sums fetches; 0: none
};

struct Schedule {
  std::string method;  // "direct", "pixel_shuffle" (all phases read one window), "phase_rows", "depthwise",
                       // "lane_sums", "planes", "winograd", "strassen" or "bf16x3"
  std::string reason;  // why these parameters, for `explain`
  std::string source = "from the rules for registers and sizes; nothing was measured";
  std::string autoscheduler;  // one of Halide's, in place of the targets' parts; empty: none
  tconv_tiling tiling{};
  std::vector<tconv_variant> variants;
  std::vector<TargetSchedule> targets;  // in the order of the targets asked for
  int most_filters = 0;                 // any-size kernels: tconv_kernel.general
};

// Parameters for a plan on targets that share packed weights: rules on the plan and the registers, no search.
Schedule choose_schedule(const Plan &plan, const std::vector<Halide::Target> &targets);

// Those of all kernels of a general plan, in the order in which tconv_choose_general() asks them.
std::vector<Schedule> choose_general_schedules(const Plan &plan, const std::vector<Halide::Target> &targets);

// Of these, the one that runs the layer of a plan of its own.
Schedule choose_general_schedule(const Plan &plan, const std::vector<Halide::Target> &targets);

// A target's part with each of its register tiles, alone.
std::vector<TargetSchedule> paths_of(const TargetSchedule &target);

// Visits every class of the plan.
template <typename Visit>
void for_each_class(const Plan &plan, const tconv_tiling &tiling, Visit visit) {
  const tconv_dims dims = typical_dims(plan);
  tconv_class one;
  tconv_first_class(&tiling, &plan.layer, &dims, &one);
  do {
    visit(one);
  } while (tconv_next_class(&tiling, &plan.layer, &dims, &one));
}

// True where no phase of a dimension has two taps.
bool has_single_taps(const tconv_dims &dims);

// Elements of one image's input or output.
double elements(std::int64_t channels, const tconv_dims &dims, bool output);

// Cycles of one image on a core with two multiply-add units, as the cost model has them: by the direct method, and what
// transposing costs beside any.
double direct_cycles(const Plan &plan, const tconv_tiling &tiling, const TargetSchedule &tile,
                     const RegisterFile &registers);
double transpose_cycles(const Plan &plan, const Schedule &schedule);

// Lane sums: where they are possible, the tile of one target and of one variant, and their cycles where `longest` is
// the most positions of a tile.
bool can_sum_lanes(const Plan &plan);
TargetSchedule by_lanes(const Plan &plan, const tconv_tiling &tiling, const RegisterFile &registers);
LaneTile lane_tile(const Plan &plan, const TargetSchedule &schedule, const tconv_variant &variant,
                   const RegisterFile &registers);
double lane_sums_cycles(const Plan &plan, const tconv_tiling &tiling, int longest, const RegisterFile &registers);

// Waking a thread and waiting for it takes some microseconds; so many multiply-adds take ten or more on one core.
inline constexpr std::int64_t thread_work = 1 << 20;

// Arrays of more bytes do not stay in the second-level cache beside what else a kernel reads.
inline constexpr double second_level = 640 * 1024;

// Nor do so many in the first-level cache, of what a register tile reads again.
inline constexpr double first_level = 32 * 1024;

// How a call is cut, for target `index` of the schedule; the plan's batch, or one image.
tconv_cuts cut_call(const Plan &plan, const Schedule &schedule, std::size_t index, int threads = 1);

// One target's part alone.
Schedule schedule_of(const tconv_tiling &tiling, const TargetSchedule &target);

// What the tasks of one image copy, of their windows and of outputs that are staged; the largest window.
struct CopiedFloats {
  double windows = 0, outputs = 0, window = 0;
};
CopiedFloats copied_floats(const Plan &plan, const Schedule &schedule);

// Winograd's method on the CPU, where the plan allows and its model expects it to be faster than `direct`; otherwise
// `direct`, whose reason then says why.
Schedule choose_winograd(const Plan &plan, const std::vector<Halide::Target> &targets, Schedule direct);

// Strassen's products, where the plan allows and the model expects them to be faster than `best`; otherwise `best`,
// whose reason then says why where the plan allows.
Schedule choose_strassen(const Plan &plan, const std::vector<Halide::Target> &targets, Schedule best);

// Sums by matrix units, where all targets have them and the model expects them to be faster than `best`; otherwise
// `best`, whose reason then says why.
Schedule choose_bf16x3(const Plan &plan, const std::vector<Halide::Target> &targets, Schedule best);

// What CPU schedules share: the sums of a register tile stay in registers. The loops of the update, innermost first;
// returns it.
Halide::Stage hold_sum(PhaseConv &conv, const TargetSchedule &schedule, int columns, const Halide::Var &vector_axis,
                       const std::vector<Halide::VarOrRVar> &order);

// Each applies a target schedule to one variant. The CPU's serves x86 and ARM.
void apply_cpu_schedule(PhaseConv &conv, const Plan &plan, const tconv_tiling &tiling, const tconv_variant &variant,
                        const TargetSchedule &schedule);
void apply_lane_schedule(LaneSums &sums);
void apply_planes_schedule(Planes &planes, const Plan &plan, const tconv_tiling &tiling,
                           const TargetSchedule &schedule);
void schedule_transpose(Transpose &transpose);
void schedule_copy(Copy &copy, int lanes);

// One of Halide's autoschedulers in its place: "adams2019", "li2018" or "mullapudi2016".
void apply_autoscheduler(PhaseConv &conv, const Plan &plan, const tconv_tiling &tiling, const tconv_variant &variant,
                         const Halide::Target &target, const std::string &name);
void apply_cuda_schedule(PhaseConv &conv, const Plan &plan, const TargetSchedule &schedule);

// Of planes: a register tile for one target, the least where none fits its registers; what it costs.
TargetSchedule by_planes(const Plan &plan, const tconv_tiling &tiling, const RegisterFile &registers);
double planes_cycles(const Plan &plan, const tconv_tiling &tiling, const TargetSchedule &target);

// The kind of phases whose functions the phases of `kind` share, and whether that is `kind` itself.
int function_kind(const Plan &plan, const tconv_tiling &tiling, int kind);
bool has_own_functions(const Plan &plan, const tconv_tiling &tiling, int kind);

// Whether Winograd's products, and Strassen's, fetch the outputs that come of them: those that go to memory in whole
// cache lines.
bool fetches_written(const Plan &plan, const tconv_tiling &tiling);

// The functions of Winograd's method on the CPU.
void schedule_input_transform(InputTransform &transform, const TargetSchedule &schedule);
void schedule_tile_products(TileProducts &products, const TargetSchedule &schedule, int rows);
void schedule_output_transform(OutputTransform &transform, const TargetSchedule &schedule);

// The parts of numbers for matrix units.
void schedule_split_input(SplitInput &split);

// The columns that a warp of threads takes with channels last.
inline constexpr int cuda_panel = 32;

}  // namespace tconv

#endif
