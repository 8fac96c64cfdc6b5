#include "algorithm/lowered.h"

namespace tconv {

namespace ir = Halide::Internal;
using Halide::Expr;

Expr buffer_of(const std::string &name) {
  return ir::Variable::make(Halide::type_of<struct halide_buffer_t *>(), name + ".buffer");
}

Expr host_of(const std::string &name) {
  return ir::Call::make(Halide::type_of<void *>(), ir::Call::buffer_get_host, {buffer_of(name)}, ir::Call::Extern);
}

// Halide's own prefetch has one hint, the non-temporal one. Its runtime declares this intrinsic for it.
ir::Stmt fetch_into_second_level(const Expr &address) {
  constexpr int read = 0, second_level = 2, data = 1;
  return ir::Evaluate::make(ir::Call::make(Halide::Int(32), "llvm.prefetch.p0",
                                           {Halide::reinterpret(Halide::Handle(), address), read, second_level, data},
                                           ir::Call::Extern));
}

}  // namespace tconv
