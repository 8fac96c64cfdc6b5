// The mathematics, once for every rank, layout, dialect and target: one class of output phases is a small dense
// convolution over its input window, with the epilogue applied as the output is written. No zero is inserted and no
// column buffer is made. Schedules work on the members.
#ifndef TCONV_GENERATORS_PHASE_CONV_H
#define TCONV_GENERATORS_PHASE_CONV_H

#include <vector>

#include <Halide.h>

#include "plan/plan.h"

namespace tconv {

// Input channels x positions that a schedule transposes as they are read; none: 0.
struct ReadBlock {
  int channels = 0, positions = 0;
};

struct PhaseConv {
  int rank = 0;
  std::int64_t phases = 1;  // of the class, all dimensions together; a row of phases counts as one

  // Spatial members run from the innermost dimension to the outermost, as Halide's dimensions do.
  Halide::ImageParam input;    // (channel in the group, group, positions...)
  Halide::ImageParam weights;  // (column in the panel, depth, panel, group)
  Halide::ImageParam bias;     // (channel in the group, group)
  std::vector<Halide::Param<int>> taps, steps;
  Halide::Expr inputs;  // of a group; these are constants where the plan fixes them
  std::vector<Halide::Expr> tap_count, tap_step;

  Halide::Var channel{"channel"}, column{"column"}, group{"group"};
  std::vector<Halide::Var> position, phase;
  Halide::RVar depth;  // input channel
  std::vector<Halide::RVar> tap;
  Halide::Func read{"read"};  // of a class of one tap, where asked for: blocks of input, (channel, position, both in
                              // the block, group, blocks..., positions...)
  Halide::Func sum{"sum"};    // (column, group, positions...)
  Halide::Func biased{"biased"};  // (channel, group, positions..., phases...): with bias; of a row of phases their
                                  // columns are the channels, and the phases in x are one
  Halide::Func value{"value"};    // the same, with activation
  Halide::Func output{"output"};  // the same, written to where it belongs

  std::vector<Halide::Argument> arguments() const;
};

// Parameters and variables of one variant, and nothing defined yet; strides and extents that the driver always passes,
// once the output is defined.
PhaseConv phase_parameters(const Plan &plan, const tconv_variant &variant);
void fix_layout(PhaseConv &conv, const Plan &plan, const tconv_tiling &tiling, const tconv_variant &variant);

// The definition, in the order of these calls: the domain of the sum; the sum, of which a restriction of the domain
// becomes part (`read_block`: of a class of one tap); the output, whose phases are the variant's.
Halide::RDom depth_and_taps(PhaseConv &conv);
void define_sum(PhaseConv &conv, const tconv_tiling &tiling, const ReadBlock &read_block = {});
void define_output(PhaseConv &conv, const Plan &plan, const tconv_variant &variant,
                   const std::vector<Halide::Expr> &sum_from, const Halide::Expr &bias);

// The place of a tap among those of its class, and of a phase.
Halide::Expr index_of(const std::vector<Halide::Expr> &coordinates, const std::vector<Halide::Expr> &extents);

// One variant of a plan. A specialised plan's sizes, and the variant's taps and phases, become constants.
PhaseConv phase_conv(const Plan &plan, const tconv_tiling &tiling, const tconv_variant &variant,
                     const ReadBlock &read_block = {});

}  // namespace tconv

#endif
