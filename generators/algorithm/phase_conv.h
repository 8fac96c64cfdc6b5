// The mathematics, once for every rank, layout, dialect and target: one class of output phases is a small dense
// convolution over its input window, with the epilogue applied as the output is written. No zero is inserted and no
// column buffer is made. Schedules work on the members.
#ifndef TCONV_GENERATORS_PHASE_CONV_H
#define TCONV_GENERATORS_PHASE_CONV_H

#include <vector>

#include <Halide.h>

#include "plan/plan.h"

namespace tconv {

struct PhaseConv {
  int rank = 0;
  std::int64_t phases = 1;  // of the class, all dimensions together

  // Spatial members run from the innermost dimension to the outermost, as Halide's dimensions do.
  Halide::ImageParam input;    // (channel in the group, group, positions...)
  Halide::ImageParam weights;  // (column in the panel, depth, panel, group)
  Halide::ImageParam bias;     // (channel in the group, group)
  std::vector<Halide::Param<int>> taps, steps;

  Halide::Var channel{"channel"}, column{"column"}, group{"group"};
  std::vector<Halide::Var> position, phase;
  Halide::RVar depth;  // input channel
  std::vector<Halide::RVar> tap;
  std::vector<Halide::Func> read;  // of a class of one tap, where asked for: blocks of input, transposed in registers:
                                   // (channel, position, both in the block, group, blocks..., positions...)
  Halide::Func sum{"sum"};         // (column, group, positions...)
  Halide::Func biased{"biased"};   // (channel, group, positions..., phases...): with bias
  Halide::Func value{"value"};     // the same, with activation
  Halide::Func output{"output"};   // the same, written to where it belongs

  std::vector<Halide::Argument> arguments() const;
};

// One variant of a plan. A specialised plan's sizes, and the variant's taps and phases, become constants.
// `read_block`: input channels x positions that are transposed as they are read; 0: none.
PhaseConv phase_conv(const Plan &plan, const tconv_tiling &tiling, const tconv_variant &variant, int read_block = 0);

}  // namespace tconv

#endif
