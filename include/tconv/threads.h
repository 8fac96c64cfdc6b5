// How many threads the library's calls share: one pool for the process, Halide's. This and image_data_format.h's are
// the library's only settings of the process; beside them it counts the default names that it has given to layers.
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
