// Pieces of lowered code that Halide's front end has no words for.
#ifndef TCONV_GENERATORS_LOWERED_H
#define TCONV_GENERATORS_LOWERED_H

#include <string>

#include <Halide.h>

namespace tconv {

// The halide_buffer_t of an argument or of a module's constant, and the address of its first element.
Halide::Expr buffer_of(const std::string &name);
Halide::Expr host_of(const std::string &name);

// Fetches the cache line of a 64-bit address.
Halide::Internal::Stmt fetch_into_second_level(const Halide::Expr &address);

}  // namespace tconv

#endif
