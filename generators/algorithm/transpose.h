// Matrices brought from one layout to the other: channels last has positions of channels, channels first channels of
// positions. Schedules work on the members.
#ifndef TCONV_GENERATORS_TRANSPOSE_H
#define TCONV_GENERATORS_TRANSPOSE_H

#include <vector>

#include <Halide.h>

namespace tconv {

// Serve matrices of so many rows and columns or more that larger blocks do not serve.
struct TransposeBlocks {
  int size = 0;                           // rows and columns that are transposed in registers: a power of two
  Halide::Func read;                      // a block as it is read: (column, row, block...)
  std::vector<Halide::RVar> zeros;        // of the first two of its three updates, along a vector
  Halide::RVar block, in_column, in_row;  // of the third, which writes whole blocks
};

struct Transpose {
  Halide::ImageParam input;   // (i, j, y, z), i contiguous
  Halide::Func output{"to"};  // (j, i, y, z), j contiguous; zero where j lies outside the input
  Halide::Var column{"x"}, row{"y"}, y{"plane_y"}, z{"plane_z"};
  std::vector<TransposeBlocks> blocks;  // the largest first; their updates in this order, then one for single elements
};

// Matrices with fewer rows or columns go element by element.
inline constexpr int least_transpose_block = 4;

// Blocks of `largest` rows and columns, and of its halves down to the least.
Transpose transpose_matrices(int largest);

}  // namespace tconv

#endif
