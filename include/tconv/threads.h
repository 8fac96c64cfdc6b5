// How many threads the library's calls share: one pool for the process, Halide's. It is the library's only global
// state.
#ifndef TCONV_THREADS_H
#define TCONV_THREADS_H

#include "tconv/status.h"

namespace tconv {

// 0: as many as the machine has processors, or as HL_NUM_THREADS says. Calls under way keep the number that they
// started with. The bits of a result do not depend on it.
Status set_num_threads(int threads);

int num_threads();

}  // namespace tconv

#endif
