// A block's transposition is log2(block) riffles of its first half of rows with its second: each is one shuffle of two
// vectors. The last block of a row or column starts early, over what was written before. Matrices that are smaller than
// a block go element by element.
#include "algorithm/transpose.h"

namespace tconv {

using Halide::Expr;
using Halide::Func;
using Halide::Var;

Transpose transpose_matrices(int block) {
  Transpose t;
  t.size = block;
  t.input = Halide::ImageParam(Halide::Float(32), 4, "from");
  const Expr rows = t.input.dim(0).extent();
  Var i("i"), j("j"), block_i("block_i"), block_j("block_j");

  Func inside("inside");
  const Expr low = t.input.dim(1).min(), high = low + t.input.dim(1).extent();
  inside(i, j, t.y, t.z) =
      select(j >= low && j < high, t.input(i, clamp(j, low, high - 1), t.y, t.z), 0.0f);

  t.output(j, i, t.y, t.z) = Halide::undef<float>();
  Halide::OutputImageParam out = t.output.output_buffer();
  const Expr columns = out.dim(0).extent();
  const auto start = [&](const Expr &index, const Expr &extent) { return min(index * block, extent - block); };
  Func stage("read");
  stage(t.column, t.row, block_i, block_j, t.y, t.z) =
      inside(start(block_i, rows) + t.column, start(block_j, columns) + t.row, t.y, t.z);
  t.stages.push_back(stage);
  for (int done = 1; done < block; done *= 2) {
    const Func before = stage;
    stage = Func("riffle" + std::to_string(done));
    const Expr from = t.column / 2 + t.row % 2 * (block / 2);
    stage(t.column, t.row, block_i, block_j, t.y, t.z) =
        select(t.column % 2 == 0, before(from, t.row / 2, block_i, block_j, t.y, t.z),
               before(from, t.row / 2 + block / 2, block_i, block_j, t.y, t.z));
    t.stages.push_back(stage);
  }

  const Expr blocks_i = (rows + block - 1) / block, blocks_j = (columns + block - 1) / block;
  // Eight rows of the output are finished along their length, since they may lie pages apart.
  Halide::RDom r({{0, block}, {0, block}, {0, blocks_j}, {0, blocks_i}}, "blocks");
  const Expr whole = rows >= block && columns >= block;
  r.where(whole);
  t.in_column = r[0];
  t.in_row = r[1];
  t.block = r[2];
  t.output(start(r[2], columns) + r[0], start(r[3], rows) + r[1], t.y, t.z) = stage(r[0], r[1], r[3], r[2], t.y, t.z);
  Halide::RDom few({{0, columns}, {0, rows}}, "few");
  few.where(!whole);
  t.output(few[0], few[1], t.y, t.z) = inside(few[1], few[0], t.y, t.z);

  t.input.dim(0).set_min(0).set_stride(1);
  t.input.dim(2).set_min(0);
  t.input.dim(3).set_min(0);
  out.dim(0).set_min(0).set_stride(1);
  for (int d = 1; d < 4; ++d) out.dim(d).set_min(0);
  return t;
}

}  // namespace tconv
