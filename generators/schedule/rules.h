// The rules' parts, for choose.cpp, for parameters given as text and for the space that a search walks.
#ifndef TCONV_GENERATORS_RULES_H
#define TCONV_GENERATORS_RULES_H

#include <bit>
#include <cstdint>

#include "schedule/core.h"
#include "schedule/schedule.h"

namespace tconv {

// A task's window of the input should stay in the second-level cache, beside one panel of weights: 256 KB suits every
// processor since 2015. A window that is transposed overlaps its neighbours': larger ones repeat less.
inline constexpr std::int64_t block_bytes = 256 * 1024, transposed_block_bytes = 512 * 1024;

// How the phases' columns are cut, and why.
struct Columns {
  tconv_tiling tiling{};
  bool read_transposed = false;  // by a tile of positions, in registers
  std::string method, reason;
};

// By the direct method. The functions read and write `last` or the other layout than the layer's; vectors run over
// columns or positions, so many to a panel of columns.
Columns choose_columns(const Plan &plan, bool last, int widest, int vectors = 2);

// The columns of all phases of a row that share a window, one after the other in panels of 1 to 4 vectors: the panels
// waste less where a phase's columns are no multiple of a vector. Empty where no phases share a window.
std::vector<Columns> row_columns(const Plan &plan, int widest);

// Vectors over input channels: all columns of one phase, or of all phases of a class, are one panel's or a few panels'.
// Serves no plan whose taps would become run-time loop bounds.
Columns lane_columns(const Plan &plan);
bool lane_sums_serve(const Plan &plan);

// All phases in one register tile, vectors over positions in planes: why it does not serve the plan, empty where it
// does; whether a register tile fits all targets beside; every panel.
std::string refuse_planes(const Plan &plan);
bool planes_serve(const Plan &plan, const std::vector<Halide::Target> &targets);
std::vector<Columns> planes_columns(const Plan &plan);

// Phases of one tap read each input once, so that a tile of positions transposes what it reads in registers.
bool can_read_transposed(const Plan &plan, const Columns &positions, int widest);

// A depthwise panel; 0 where the plan is none, or where no panel is worth while.
int depthwise_panel(const tconv_layer &layer, int widest);

// The most phases that one class holds when phases are merged, and all of a layer's.
std::int64_t most_phases(const Plan &plan, const tconv_tiling &tiling);
std::int64_t all_phases(const Plan &plan);

// The functions that a direct schedule compiles.
std::vector<tconv_variant> find_variants(const Plan &plan, const tconv_tiling &tiling);

// Positions of the innermost dimension that one phase has, 0 where the size is open.
std::int64_t row_length(const Plan &plan);

inline std::int64_t power_of_two_at_least(std::int64_t n) {
  return static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(n)));
}

// A target's part that suits a tiling: by the direct method, and by Winograd's or Strassen's.
TargetSchedule schedule_target(const Plan &plan, const tconv_tiling &tiling, bool read_transposed,
                               const RegisterFile &registers);
TargetSchedule schedule_winograd_target(const Plan &plan, const tconv_tiling &tiling, const RegisterFile &registers);

// All of them, for a tiling of Winograd's or Strassen's.
Schedule schedule_tiles(const Plan &plan, const std::vector<Halide::Target> &targets, const tconv_tiling &tiling);

// The register tiles that one phase's positions of one image fill.
double position_tiles(const Plan &plan, const TargetSchedule &target);

// Input channels that a step of the innermost loop takes, of so many.
int unrolled_inputs(const Plan &plan, std::int64_t inputs);

// Vectors of a panel that are held together where they waste less than two.
inline constexpr int wide_panel = 3;

// Whether weights come from beyond the second-level cache, to be fetched so.
bool fetches(const Plan &plan, const tconv_tiling &tiling, Fetch how);

// More register tiles that take turns with weights have them in the cache.
inline constexpr double most_turns = 32;

// How far ahead weights are fetched where so many register tiles take turns with each; see TargetSchedule::prefetch.
int fetch_distance(const Plan &plan, const tconv_tiling &tiling, double tiles);

// For a plan of its own or a general one.
Schedule choose_cuda_schedule(const Plan &plan);

// Of the targets' vectors.
int widest_lanes(const std::vector<Halide::Target> &targets);

// Winograd's method: why it does not serve the plan, empty where it does; every tiling that it could use, with the
// rules' panel and blocks, and whether a tiling's tiles are one of these; whether the columns of all phases can be one
// matrix; which arrays are transposed; the lengths of the rows of tiles that its
// products work on, phase by phase; the tiles of a register tile for such a row, 0 a row of any length; what such a
// schedule costs in cycles, as the model has it, transposing included.
std::string refuse_winograd(const Plan &plan);
std::vector<tconv_tiling> winograd_tilings(const Plan &plan, int widest);
bool has_winograd_tiles(const Plan &plan, const tconv_tiling &tiling);
bool can_merge_columns(const Plan &plan, const tconv_tiling &tiling);
bool transposes_input(const Plan &plan);
bool transposes_output(const Plan &plan, const tconv_tiling &tiling);
std::vector<std::int64_t> tile_row_lengths(const Plan &plan, const tconv_tiling &tiling);
int best_product_rows(const Plan &plan, const tconv_tiling &tiling, const TargetSchedule &target, std::int64_t row,
                      int most);
double winograd_cycles(const Plan &plan, const Schedule &schedule, const RegisterFile &registers);

// Strassen's products: why they do not serve the plan, empty where they do; every tiling that they could use, without a
// panel. More dimensions at once need transforms of 343 points.
inline constexpr int most_paired_dimensions = 2;
std::string refuse_strassen(const Plan &plan);
std::vector<tconv_tiling> strassen_tilings(const Plan &plan);

// Sums by matrix units: why they do not serve the plan on all of the targets, empty where they do; their one schedule;
// its cycles, as the model has them.
std::string refuse_bf16x3(const Plan &plan, const std::vector<Halide::Target> &targets);
Schedule bf16x3_schedule(const Plan &plan, const std::vector<Halide::Target> &targets);
double bf16x3_cycles(const Plan &plan, const Schedule &schedule);

// What the driver knows of a target's products: their register tiles. Points into `target`.
tconv_tile_functions tile_functions(const TargetSchedule &target);

}  // namespace tconv

#endif
