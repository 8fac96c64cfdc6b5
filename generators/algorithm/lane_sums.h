// The same class of phases, for few output channels: vectors run over the input channels, which lie one after the other
// where the window has channels last, and each output has a vector of partial sums, which are added up at the end.
// Schedules work on the members.
#ifndef TCONV_GENERATORS_LANE_SUMS_H
#define TCONV_GENERATORS_LANE_SUMS_H

#include <algorithm>
#include <cstdint>
#include <vector>

#include <Halide.h>

#include "algorithm/phase_conv.h"

namespace tconv {

// Columns (phases x output channels) x positions whose partial sums are held in registers.
struct LaneTile {
  int lanes = 4;  // 4 at least
  int columns = 1;
  int positions = 1;

  // Of the vectors that a rest is put together from.
  static int rest_vector(std::int64_t rest) { return static_cast<int>(std::min<std::int64_t>(rest & -rest, 8)); }
};

struct LaneSums {
  LaneTile tile;
  int outputs = 0;  // of a phase; 0: open
  PhaseConv conv;   // parameters, variables and the output
  Halide::Var lane{"lane"}, quad{"quad"}, pair{"pair"}, part{"part"}, block{"block"}, place{"place"};
  Halide::Func partial{"partial"};  // (lane, column, group, positions...)
  // What of a row fills no vector, with zeros behind it: (lane, group, positions...) and (lane, column, tap, group).
  Halide::Func rest_input{"rest_input"}, rest_weights{"rest_weights"};
  Halide::RVar rest_lane_input, rest_lane_weights;
  int rest = 0;
  std::vector<std::vector<Halide::RVar>> loops;  // of the updates of `partial` by vectors, innermost first
  std::vector<Halide::RVar> single_loops;        // of the one by elements behind them
  std::vector<Halide::Func> folds;               // `partial` with half the lanes, and so on down to four
  // Of two and of four outputs, side by side: (lane, [pair,] quad, part, group, block, positions...).
  Halide::Func pairs{"pairs"}, totals{"totals"};
  // (place in the tile, part, group, block, positions...), without and with activation.
  Halide::Func placed{"placed"}, finished{"finished"};
};

LaneSums lane_sums(const Plan &plan, const tconv_tiling &tiling, const tconv_variant &variant, const LaneTile &tile);

}  // namespace tconv

#endif
