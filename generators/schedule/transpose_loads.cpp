#include "schedule/transpose_loads.h"

#include <optional>
#include <utility>
#include <vector>

namespace tconv {

namespace {

using Halide::Expr;
namespace ir = Halide::Internal;

// Elements of 128 bits: shuffles stay inside a quad of a vector, or move quads whole.
constexpr int quad = 4;

Expr concatenate(const std::vector<Expr> &vectors) {
  return vectors.size() == 1 ? vectors[0] : ir::Shuffle::make_concat(vectors);
}

// A block of rows, whose vectors hold as many elements as a column.
class Block {
 public:
  Block(const ir::Load *column, int columns, int first_row)
      : column_(column), columns_(columns), rows_(column->type.lanes()), first_row_(first_row) {}

  Expr column(int index) const { return quads_of(index % quad, index / quad, 0, columns_ / quad); }

 private:
  Expr row(int index) const {
    const int first = (first_row_ + index) * rows_;
    return ir::Load::make(column_->type.with_lanes(columns_), column_->name, ir::Ramp::make(first, 1, columns_),
                          column_->image, column_->param, ir::const_true(columns_), ir::ModulusRemainder(rows_, 0));
  }

  // Row `index` of each quad of the rows that make up the vectors of the group.
  Expr rows_of(int group, int index) const {
    const int quads = rows_ / columns_;
    std::vector<Expr> rows;
    for (int i = 0; i < quads; ++i) rows.push_back(row(quad * (group * quads + i) + index));
    return concatenate(rows);
  }

  // Elements `at` of each quad, of two vectors' quads one after the other: `at` counts those of both.
  Expr in_quads(const Expr &first, const Expr &second, const std::vector<int> &at) const {
    std::vector<int> from;
    for (int q = 0; q < rows_; q += quad)
      for (const int i : at) from.push_back(i < quad ? q + i : rows_ + q + i - quad);
    return ir::Shuffle::make({first, second}, from);
  }

  // Quads transposed: lane i of each is element `lane` of the group's row i.
  Expr transposed_quads(int group, int lane) const {
    const std::vector<int> either = lane < 2 ? std::vector<int>{0, 4, 1, 5} : std::vector<int>{2, 6, 3, 7};
    const std::vector<int> half = lane % 2 == 0 ? std::vector<int>{0, 1, 4, 5} : std::vector<int>{2, 3, 6, 7};
    return in_quads(in_quads(rows_of(group, 0), rows_of(group, 1), either),
                    in_quads(rows_of(group, 2), rows_of(group, 3), either), half);
  }

  // Of the rows of so many groups the quads of columns number `index` and every `groups`-th further one.
  Expr quads_of(int lane, int index, int group, int groups) const {
    if (groups == 1) return transposed_quads(group, lane);
    const int half = groups / 2;
    const Expr low = quads_of(lane, index % half, group, half), high = quads_of(lane, index % half, group + half, half);
    std::vector<int> from;
    for (int q = index / half; q < 2 * rows_ / quad; q += 2)
      for (int i = 0; i < quad; ++i) from.push_back(quad * q + i);
    return ir::Shuffle::make({low, high}, from);
  }

  const ir::Load *column_;
  const int columns_, rows_, first_row_;
};

class TransposeLoads : public ir::IRMutator {
 public:
  TransposeLoads(std::string block, int columns, int rows) : block_(std::move(block)), columns_(columns), rows_(rows) {}

 protected:
  using ir::IRMutator::visit;
  Expr visit(const ir::Load *load) override {
    const auto *ramp = load->index.as<ir::Ramp>();
    if (load->name != block_ || !ramp || ramp->lanes != rows_ || !ir::is_const_one(load->predicate))
      return ir::IRMutator::visit(load);
    const std::optional<std::int64_t> stride = ir::as_const_int(ramp->stride), first = ir::as_const_int(ramp->base);
    if (!stride || *stride != rows_ || !first) return ir::IRMutator::visit(load);
    const int place = static_cast<int>(*first);
    return Block(load, columns_, place / rows_).column(place % rows_);
  }

 private:
  const std::string block_;
  const int columns_, rows_;
};

}  // namespace

void transpose_loads(Halide::Pipeline &pipeline, const std::string &block, int columns, int rows) {
  pipeline.add_custom_lowering_pass(new TransposeLoads(block, columns, rows));
}

}  // namespace tconv
