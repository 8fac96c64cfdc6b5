#include "schedule/fetch_ahead.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

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

class FetchAhead : public ir::IRMutator {
 public:
  FetchAhead(std::string buffer, int bytes) : buffer_(std::move(buffer)), bytes_(bytes) {}

 protected:
  using ir::IRMutator::visit;
  ir::Stmt visit(const ir::For *loop) override {
    ir::Stmt body = mutate(loop->body);
    Loads loads(buffer_);
    ir::substitute_in_all_lets(body).accept(&loads);
    if (!loads.has_loop && !loads.first.empty())
      for (const Expr &load : one_a_line(loads.first)) body = ir::Block::make(fetch(load), body);
    return ir::For::make(loop->name, loop->min, loop->extent, loop->for_type, loop->partition_policy, loop->device_api,
                         body);
  }

 private:
  ir::Stmt fetch(const Expr &load) const {
    const Expr base = ir::Variable::make(Halide::Handle(), buffer_), one = 1;
    return ir::Evaluate::make(ir::Call::make(Halide::Float(32), ir::Call::prefetch,
                                             {base, ir::simplify(load + bytes_ / float_bytes), one, one},
                                             ir::Call::Intrinsic));
  }

  const std::string buffer_;
  const int bytes_;
};

}  // namespace

void fetch_ahead(Halide::Pipeline &pipeline, const std::string &weights, int bytes) {
  if (bytes > 0) pipeline.add_custom_lowering_pass(new FetchAhead(weights, bytes));
}

}  // namespace tconv
