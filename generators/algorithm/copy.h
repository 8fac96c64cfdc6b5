// Arrays brought to other strides: windows with zeros around them, and outputs to their places.
#ifndef TCONV_GENERATORS_COPY_H
#define TCONV_GENERATORS_COPY_H

#include <Halide.h>

namespace tconv {

struct Copy {
  Halide::ImageParam input;  // (i, j, k, l), i contiguous
  Halide::Func output{"to"};
  Halide::Var column{"x"};  // its first dimension
};

Copy copy_rows();

}  // namespace tconv

#endif
