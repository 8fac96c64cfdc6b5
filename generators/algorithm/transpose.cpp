// The last block of a row or column starts early, over what was written before. Matrices with fewer than four rows or
// columns go element by element.
#include "algorithm/transpose.h"

#include <algorithm>

namespace tconv {

using Halide::Expr;
using Halide::Func;
using Halide::RDom;
using Halide::Var;

namespace {

// The output has `rows` rows of `columns`, of which `inside` come from the input, after `low` zeros.
struct Extents {
  Expr rows, columns, low, inside;

  Expr hold(int block) const { return rows >= block && inside >= block; }
};

void add_blocks(Transpose &t, const Extents &extents, int size, const Expr &serves) {
  TransposeBlocks blocks;
  blocks.size = size;
  const Expr &rows = extents.rows, &low = extents.low, &inside = extents.inside;
  const Expr after = extents.columns - low - inside;
  const auto start = [&](const Expr &index, const Expr &extent) { return min(index * size, extent - size); };
  Var block_i("block_i"), block_j("block_j");
  blocks.read = Func("read");
  blocks.read(t.column, t.row, block_i, block_j, t.y, t.z) =
      t.input(start(block_i, rows) + t.column, low + start(block_j, inside) + t.row, t.y, t.z);

  const auto vectors = [&](const Expr &count) { return (count + size - 1) / size; };
  // Zeros in whole vectors, also over what the blocks write afterwards.
  RDom before({{0, size}, {0, vectors(low)}, {0, rows}}, "before"),
      behind({{0, size}, {0, vectors(after)}, {0, rows}}, "behind");
  before.where(serves);
  behind.where(serves);
  t.output(before[1] * size + before[0], before[2], t.y, t.z) = 0.0f;
  t.output(extents.columns - (behind[1] + 1) * size + behind[0], behind[2], t.y, t.z) = 0.0f;
  blocks.zeros = {before[0], behind[0]};
  // A block's rows of the output are finished along their length, since they may lie pages apart.
  RDom r({{0, size}, {0, size}, {0, vectors(inside)}, {0, vectors(rows)}}, "blocks");
  r.where(serves);
  blocks.in_column = r[0];
  blocks.in_row = r[1];
  blocks.block = r[2];
  t.output(low + start(r[2], inside) + r[0], start(r[3], rows) + r[1], t.y, t.z) =
      blocks.read(r[1], r[0], r[3], r[2], t.y, t.z);
  t.blocks.push_back(blocks);
}

}  // namespace

Transpose transpose_matrices(int largest) {
  const int least = std::min(largest, least_transpose_block);
  Transpose t;
  t.input = Halide::ImageParam(Halide::Float(32), 4, "from");
  Var i("i"), j("j");
  t.output(j, i, t.y, t.z) = Halide::undef<float>();
  Halide::OutputImageParam out = t.output.output_buffer();
  const Extents extents = {t.input.dim(0).extent(), out.dim(0).extent(), t.input.dim(1).min(), t.input.dim(1).extent()};
  for (int size = largest; size >= least; size /= 2)
    add_blocks(t, extents, size, extents.hold(size) && (size == largest || !extents.hold(2 * size)));
  RDom few({{0, extents.columns}, {0, extents.rows}}, "few");
  few.where(!extents.hold(least));
  const Expr &low = extents.low, last = low + extents.inside - 1;
  t.output(few[0], few[1], t.y, t.z) =
      select(few[0] >= low && few[0] <= last, t.input(few[1], clamp(few[0], low, last), t.y, t.z), 0.0f);

  t.input.dim(0).set_min(0).set_stride(1);
  t.input.dim(2).set_min(0);
  t.input.dim(3).set_min(0);
  out.dim(0).set_min(0).set_stride(1);
  for (int d = 1; d < 4; ++d) out.dim(d).set_min(0);
  return t;
}

}  // namespace tconv
