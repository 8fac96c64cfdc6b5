// Sums by matrix units, of numbers in three parts (tconv/bf16x3.h): the window's parts, and the sums of one panel.
#ifndef TCONV_GENERATORS_BF16X3_H
#define TCONV_GENERATORS_BF16X3_H

#include <string>

#include <Halide.h>

#include "plan/plan.h"
#include "tconv/winograd.h"

namespace tconv {

struct SplitInput {
  Halide::ImageParam window;  // (channel, x, y, z)
  Halide::Var channel{"channel"}, part{"part"}, chunk{"chunk"}, x{"x"}, y{"y"}, z{"z"};
  Halide::Func value{"value"}, rest{"rest"};  // (channel, chunk, positions...): the number, and without its first part
  Halide::Func output{"split"};               // (channel, part, chunk, positions...)
};

// Of whole half chunks.
SplitInput split_input(const Plan &plan);

// The function of tconv_tile_functions.products, put together from lowered code: of Halide's front end a tile has one
// sum in registers, which then wait for their loads.
Halide::Internal::LoweredFunc split_sums(const Plan &plan, const tconv_tiling &tiling, const std::string &symbol);

}  // namespace tconv

#endif
