// A block's transposition is log2(block) riffles of its first half of rows with its second: each is one shuffle of two
// vectors. The last block of a row or column starts early, over what was written before. Matrices that are smaller than
// a block go element by element.
#include "algorithm/transpose.h"

namespace tconv {

using Halide::Expr;
using Halide::Func;
using Halide::RDom;
using Halide::Var;

std::vector<Func> transpose_stages(const Func &read, int block) {
  std::vector<Func> stages = {read};
  const std::vector<Var> at = read.args();
  for (int done = 1; done < block; done *= 2) {
    Func before = stages.back(), stage("riffle" + std::to_string(done));
    std::vector<Expr> first(at.begin(), at.end());
    first[0] = at[0] / 2 + at[1] % 2 * (block / 2);
    first[1] = at[1] / 2;
    std::vector<Expr> second = first;
    second[1] += block / 2;
    stage(at) = select(at[0] % 2 == 0, before(first), before(second));
    stages.push_back(stage);
  }
  return stages;
}

Transpose transpose_matrices(int block) {
  Transpose t;
  t.size = block;
  t.input = Halide::ImageParam(Halide::Float(32), 4, "from");
  Var i("i"), j("j"), block_i("block_i"), block_j("block_j");
  t.output(j, i, t.y, t.z) = Halide::undef<float>();
  Halide::OutputImageParam out = t.output.output_buffer();
  const Expr rows = t.input.dim(0).extent(), low = t.input.dim(1).min(), inside = t.input.dim(1).extent();
  const Expr columns = out.dim(0).extent(), after = columns - low - inside;

  const auto start = [&](const Expr &index, const Expr &extent) { return min(index * block, extent - block); };
  Func stage("read");
  stage(t.column, t.row, block_i, block_j, t.y, t.z) =
      t.input(start(block_i, rows) + t.column, low + start(block_j, inside) + t.row, t.y, t.z);
  t.stages = transpose_stages(stage, block);
  stage = t.stages.back();

  const auto vectors = [&](const Expr &count) { return (count + block - 1) / block; };
  const Expr whole = rows >= block && inside >= block;
  // Zeros in whole vectors, also over what the blocks write afterwards.
  RDom before({{0, block}, {0, vectors(low)}, {0, rows}}, "before"),
      behind({{0, block}, {0, vectors(after)}, {0, rows}}, "behind");
  before.where(whole);
  behind.where(whole);
  t.output(before[1] * block + before[0], before[2], t.y, t.z) = 0.0f;
  t.output(columns - (behind[1] + 1) * block + behind[0], behind[2], t.y, t.z) = 0.0f;
  t.zeros = {before[0], behind[0]};
  // A block's rows of the output are finished along their length, since they may lie pages apart.
  RDom r({{0, block}, {0, block}, {0, vectors(inside)}, {0, vectors(rows)}}, "blocks");
  r.where(whole);
  t.in_column = r[0];
  t.in_row = r[1];
  t.block = r[2];
  t.output(low + start(r[2], inside) + r[0], start(r[3], rows) + r[1], t.y, t.z) =
      stage(r[0], r[1], r[3], r[2], t.y, t.z);
  RDom few({{0, columns}, {0, rows}}, "few");
  few.where(!whole);
  t.output(few[0], few[1], t.y, t.z) = select(few[0] >= low && few[0] < low + inside,
                                              t.input(few[1], clamp(few[0], low, low + inside - 1), t.y, t.z), 0.0f);

  t.input.dim(0).set_min(0).set_stride(1);
  t.input.dim(2).set_min(0);
  t.input.dim(3).set_min(0);
  out.dim(0).set_min(0).set_stride(1);
  for (int d = 1; d < 4; ++d) out.dim(d).set_min(0);
  return t;
}

}  // namespace tconv
