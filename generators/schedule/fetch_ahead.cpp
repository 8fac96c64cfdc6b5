#include "schedule/fetch_ahead.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "algorithm/lowered.h"
#include "tconv/geometry.h"

namespace tconv {

namespace {

using Halide::Expr;
namespace ir = Halide::Internal;

constexpr int cache_line = 64, float_bytes = 4;

// Where the loads of a buffer begin, in its elements.
class Loads : public ir::IRGraphVisitor {
 public:
  explicit Loads(const std::string &buffer) : buffer_(buffer) {}
  std::vector<Expr> first;
  bool has_loop = false;

 protected:
  using ir::IRGraphVisitor::visit;
  void visit(const ir::For *loop) override {
    has_loop = true;
    ir::IRGraphVisitor::visit(loop);
  }
  void visit(const ir::Load *load) override {
    const auto *ramp = load->index.as<ir::Ramp>();
    if (load->name == buffer_ && (ramp || load->type.is_scalar())) first.push_back(ramp ? ramp->base : load->index);
    ir::IRGraphVisitor::visit(load);
  }

 private:
  const std::string &buffer_;
};

// One of the loads a cache line, of those whose distance from the first is known.
std::vector<Expr> one_a_line(const std::vector<Expr> &loads) {
  std::map<std::int64_t, Expr> by_distance;
  for (const Expr &load : loads)
    if (const std::optional<std::int64_t> distance = ir::as_const_int(ir::simplify(load - loads.front())))
      by_distance.emplace(*distance, load);
  std::vector<Expr> chosen;
  std::optional<std::int64_t> last;
  for (const auto &[distance, load] : by_distance) {
    if (last && (distance - *last) * float_bytes < cache_line) continue;
    chosen.push_back(load);
    last = distance;
  }
  return chosen;
}

// Puts statements before the body of each innermost loop that reads the buffer, and before the loop itself.
class BeforeSums : public ir::IRMutator {
 protected:
  explicit BeforeSums(std::string buffer) : buffer_(std::move(buffer)) {}

  // The body's, of the places where its loads begin.
  virtual std::vector<ir::Stmt> fetches(const ir::For &, const std::vector<Expr> &) const { return {}; }
  // The loop's, undefined where there is none.
  virtual ir::Stmt fetch_before() const { return {}; }

  using ir::IRMutator::visit;
  ir::Stmt visit(const ir::For *loop) override {
    around_.push_back(loop);
    ir::Stmt body = mutate(loop->body);
    around_.pop_back();
    Loads loads(buffer_);
    ir::substitute_in_all_lets(body).accept(&loads);
    const bool reads = !loads.has_loop && !loads.first.empty();
    if (reads)
      for (const ir::Stmt &fetch : fetches(*loop, loads.first)) body = ir::Block::make(fetch, body);
    const ir::Stmt sums = ir::For::make(loop->name, loop->min, loop->extent, loop->for_type, loop->partition_policy,
                                        loop->device_api, body);
    const ir::Stmt before = reads ? fetch_before() : ir::Stmt();
    return before.defined() ? ir::Block::make(before, sums) : sums;
  }

  Expr buffer() const { return ir::Variable::make(Halide::Handle(), buffer_); }

  const std::string buffer_;
  std::vector<const ir::For *> around_;
};

class FetchAhead : public BeforeSums {
 public:
  FetchAhead(std::string buffer, int bytes) : BeforeSums(std::move(buffer)), bytes_(bytes) {}

 protected:
  std::vector<ir::Stmt> fetches(const ir::For &, const std::vector<Expr> &loads) const override {
    std::vector<ir::Stmt> all;
    for (const Expr &load : one_a_line(loads)) all.push_back(fetch(load));
    return all;
  }

 private:
  ir::Stmt fetch(const Expr &load) const {
    const Expr one = 1;
    return ir::Evaluate::make(ir::Call::make(Halide::Float(32), ir::Call::prefetch,
                                             {buffer(), ir::simplify(load + bytes_ / float_bytes), one, one},
                                             ir::Call::Intrinsic));
  }

  const int bytes_;
};

class FetchNext : public BeforeSums {
 public:
  FetchNext(std::string buffer, int lines) : BeforeSums(std::move(buffer)), lines_(lines) {}

 protected:
  using BeforeSums::visit;
  ir::Stmt visit(const ir::LetStmt *let) override {
    lets_.push_back(let);
    ir::Stmt mutated = ir::IRMutator::visit(let);
    lets_.pop_back();
    return mutated;
  }

  std::vector<ir::Stmt> fetches(const ir::For &loop, const std::vector<Expr> &loads) const override {
    std::vector<ir::Stmt> all;
    if (around_.empty()) return all;
    const Expr start = address(loads.front(), loop);
    for (int line = 0; line < lines_; ++line) all.push_back(fetch_into_second_level(start + cache_line * line));
    return all;
  }

 private:
  static Expr counter(const ir::For &loop) { return ir::Variable::make(Halide::Int(32), loop.name); }

  // Of the first line that a step fetches. The steps of `innermost` are added in 64 bits, which needs one addition.
  Expr address(Expr first_load, const ir::For &innermost) const {
    Expr before = 0;
    for (std::size_t i = lets_.size(); i-- > 0;)
      first_load = ir::substitute(lets_[i]->name, lets_[i]->value, first_load);
    first_load = ir::substitute(innermost.name, Expr(0), first_load);
    for (std::size_t i = 1; i < around_.size(); ++i) {
      first_load = ir::substitute(around_[i]->name, Expr(0), first_load);
      before = before * around_[i]->extent + counter(*around_[i]);
    }
    first_load = ir::substitute(around_[0]->name, counter(*around_[0]) + 1, first_load);
    const auto wide = [](const Expr &e) { return Halide::cast(Halide::UInt(64), e); };
    const Expr base = Halide::reinterpret(Halide::UInt(64), buffer());
    const Expr steps = ir::simplify(before * innermost.extent);
    return base + wide(ir::simplify(first_load)) * float_bytes +
           (wide(steps) + wide(counter(innermost))) * (cache_line * lines_);
  }

  const int lines_;
  std::vector<const ir::LetStmt *> lets_;
};

// Positions of `written` are shared out among the register tiles, each of which takes some of one row: few cross the
// end of a row, and are left out.
class FetchWritten : public BeforeSums {
 public:
  FetchWritten(std::string weights, std::string written, int columns)
      : BeforeSums(std::move(weights)), written_(std::move(written)), columns_(columns) {}

 private:
  // Divided by one another without a sign: that takes fewer instructions.
  static Expr number(const Expr &e) { return Halide::cast(Halide::UInt(32), e); }
  static Expr wide(const Expr &e) { return Halide::cast(Halide::UInt(64), e); }
  static Expr variable(const char *name) { return ir::Variable::make(Halide::UInt(32), name); }

  Expr field(const char *name, int dimension) const {
    return ir::Call::make(Halide::Int(32), name, {buffer_of(written_), dimension}, ir::Call::Extern);
  }
  // Of the positions in dimension `d`, x, y or z.
  Expr extent(int d) const {
    return number(field(ir::Call::buffer_get_extent, 1 + d) *
                  field(ir::Call::buffer_get_extent, 1 + TCONV_MAX_RANK + d));
  }
  Expr stride_bytes(int d) const { return wide(field(ir::Call::buffer_get_stride, 1 + d)) * float_bytes; }

  // Of the register tile, and how many there are.
  Expr tile() const {
    Expr index = Expr(0);
    for (const ir::For *loop : around_)
      index = index * loop->extent + (ir::Variable::make(Halide::Int(32), loop->name) - loop->min);
    return number(ir::simplify(index));
  }
  Expr tiles() const {
    Expr count = Expr(1);
    for (const ir::For *loop : around_) count = count * loop->extent;
    return number(ir::simplify(count));
  }

  ir::Stmt fetch_before() const override {
    const Expr row_length = variable("written_length"), row = variable("written_row"),
               first = variable("written_first");
    const Expr start = ir::Variable::make(Halide::UInt(64), "written_start");
    const Expr at = start + wide(ir::Variable::make(Halide::Int(32), "written_at")) * stride_bytes(0);
    ir::Stmt lines = fetch_into_second_level(at);
    for (int line = 1; line * cache_line < columns_ * float_bytes; ++line)
      lines = ir::Block::make(lines, fetch_into_second_level(at + line * cache_line));
    const Expr count = min(variable("written_each"), row_length - first);
    ir::Stmt body = ir::For::make("written_at", 0, Halide::cast(Halide::Int(32), count), ir::ForType::Serial,
                                  Halide::Partition::Auto, Halide::DeviceAPI::None, lines);
    const Expr all = row_length * extent(1) * extent(2), index = variable("written_index");
    body = ir::IfThenElse::make(index < all, body);
    body = ir::LetStmt::make("written_start",
                             Halide::reinterpret(Halide::UInt(64), host_of(written_)) + wide(first) * stride_bytes(0) +
                                 wide(row % extent(1)) * stride_bytes(1) + wide(row / extent(1)) * stride_bytes(2),
                             body);
    body = ir::LetStmt::make("written_first", index % row_length, body);
    body = ir::LetStmt::make("written_row", index / row_length, body);
    body = ir::LetStmt::make("written_index", tile() * variable("written_each"), body);
    body = ir::LetStmt::make("written_each", (all + tiles() - 1) / tiles(), body);
    return ir::LetStmt::make("written_length", extent(0), body);
  }

  const std::string written_;
  const int columns_;
};

}  // namespace

void fetch_written(Halide::Pipeline &pipeline, const std::string &weights, const std::string &written, int columns) {
  pipeline.add_custom_lowering_pass(new FetchWritten(weights, written, columns));
}

void fetch_next(Halide::Pipeline &pipeline, const std::string &weights, int lines) {
  if (lines > 0) pipeline.add_custom_lowering_pass(new FetchNext(weights, lines));
}

void fetch_ahead(Halide::Pipeline &pipeline, const std::string &weights, int bytes) {
  if (bytes > 0) pipeline.add_custom_lowering_pass(new FetchAhead(weights, bytes));
}

}  // namespace tconv
