// Keras' activations as Halide expressions.
#ifndef TCONV_GENERATORS_ACTIVATION_EXPR_H
#define TCONV_GENERATORS_ACTIVATION_EXPR_H

#include <Halide.h>

#include "tconv/activation.h"

namespace tconv {

// Elementwise activations within a few float32 rounding errors of the exact value; softmax and log_softmax, which look
// at a whole row, leave x as it is (see softmax_pipeline()).
Halide::Expr activation_expr(const Halide::Expr &x, Activation activation);

// True for softmax and log_softmax.
bool works_on_rows(Activation activation);

// A function of its own for general kernels, over a block as PhaseConv::output has it: arguments (input, kind), output
// of the same shape, which may be the same memory.
Halide::Pipeline activate_pipeline(int rank, bool channels_last, const Halide::Target &target,
                                   std::vector<Halide::Argument> *inputs);

// Softmax of each row of (element, row): arguments (input, logarithm), output, which may be the same memory.
Halide::Pipeline softmax_pipeline(const Halide::Target &target, std::vector<Halide::Argument> *inputs);

}  // namespace tconv

#endif
