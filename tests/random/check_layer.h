// Runs a random layer through a compiled kernel, on every dispatch path that this machine has and with several numbers
// of threads, and compares with the definition. Links neither GoogleTest nor the library, so that it can be built for
// another processor with nothing but the kernels.
#ifndef TCONV_TESTS_CHECK_LAYER_H
#define TCONV_TESTS_CHECK_LAYER_H

#include <cstdint>
#include <string>

#include "random/random_layer.h"
#include "tconv/kernel.h"

namespace tconv::test {

// What has been run, to show that a draw reaches what it is there for.
struct Tally {
  std::int64_t runs = 0, outputs = 0, layers = 0, empty = 0, copied = 0, in_place = 0, tasks = 0, split_blocks = 0;
  double largest_share = 0;  // of the tolerance that an error used up
};

// Checks all calls of the layer. `layer` is what the kernel is told: random.layer for a general kernel, the emitted
// table for a specialised one. Empty when all is well, else what is wrong.
std::string check_layer(const tconv_kernel &kernel, const tconv_layer &layer, const RandomLayer &random, Tally &tally);

// Prints the paths that this machine runs and those that it skips; false when it runs none.
bool print_paths(const tconv_kernel &kernel);

}  // namespace tconv::test

#endif
