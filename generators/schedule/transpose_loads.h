// A block of rows that is read as its columns: in registers, by shuffles that every processor has for pairs of vectors.
// LLVM makes worse of a column's elements one by one, and of interleaved halves of vectors longer than 128 bits.
#ifndef TCONV_GENERATORS_TRANSPOSE_LOADS_H
#define TCONV_GENERATORS_TRANSPOSE_LOADS_H

#include <string>

#include <Halide.h>

namespace tconv {

// The Func `block` keeps rows of `columns` elements, `rows` elements apart. Loads of one column in `rows` rows become
// shuffles of loads of rows. Both are powers of two; 4 <= columns <= rows.
void transpose_loads(Halide::Pipeline &pipeline, const std::string &block, int columns, int rows);

}  // namespace tconv

#endif
