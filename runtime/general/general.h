// The any-size kernels that are built with the library for its target, one a rank and layout.
#ifndef TCONV_RUNTIME_GENERAL_H
#define TCONV_RUNTIME_GENERAL_H

#include "tconv/kernel.h"

namespace tconv {

// nullptr for a rank outside 1 to 3.
const tconv_kernel *general_kernel(int rank, bool channels_last);

}  // namespace tconv

#endif
