// Matrices brought from one layout to the other: channels last has positions of channels, channels first channels of
// positions. Schedules work on the members.
#ifndef TCONV_GENERATORS_TRANSPOSE_H
#define TCONV_GENERATORS_TRANSPOSE_H

#include <vector>

#include <Halide.h>

namespace tconv {

struct Transpose {
  int size = 0;               // of a block: rows and columns that are transposed in registers: a power of two
  Halide::ImageParam input;   // (i, j, y, z), i contiguous
  Halide::Func output{"to"};  // (j, i, y, z), j contiguous; zero where j lies outside the input
  Halide::Var column{"x"}, row{"y"};
  std::vector<Halide::Func> stages;       // a block, from as it is read to as it is written: (column, row, block...)
  Halide::RVar block, in_column, in_row;  // of the update that writes whole blocks
  std::vector<Halide::RVar> zeros;        // of the two updates before it, along a vector
  Halide::Var y{"plane_y"}, z{"plane_z"};
};

Transpose transpose_matrices(int block);

// What transposes blocks of `read`(column, row, others...) in registers: the last stage is (row, column, others...).
// All stages, `read` in front.
std::vector<Halide::Func> transpose_stages(const Halide::Func &read, int block);

}  // namespace tconv

#endif
