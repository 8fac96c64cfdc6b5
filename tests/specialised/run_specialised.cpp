// The program that specialised_layers builds around the kernels that it emitted: the table comes with
// SPECIALISED_TABLE, the comparison from tests/random.
#include <cstdio>

#include "random/check_layer.h"
#include "specialised/specialised_layer.h"
#include SPECIALISED_TABLE

using namespace tconv::test;

int main() {
  Tally tally;
  int failures = 0;
  halide_set_num_threads(7);
  for (const SpecialisedLayer &one : specialised_table) {
    const RandomLayer random = draw_specialised(one.index);
    const std::string failure = check_layer(*one.kernel, *one.layer, random, tally);
    if (failure.empty()) continue;
    std::fprintf(stderr, "%s\n", failure.c_str());
    ++failures;
  }
  std::printf("%lld layers, %lld runs; the largest error was %.0f %% of what is allowed\n",
              static_cast<long long>(tally.layers), static_cast<long long>(tally.runs), 100 * tally.largest_share);
  return failures == 0 && tally.runs > 0 ? 0 : 1;
}
