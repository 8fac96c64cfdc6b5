// Random layers through the library's general kernels.
//
//   random_layers RANK LAYERS [FIRST_SEED]
//
// Needs nothing but the kernels, and is built for arm-64 too. Exit code 1 when a layer came out wrong.
#include <cstdio>
#include <cstdlib>

#include "general/general.h"
#include "random/check_layer.h"
#include "tconv/run.h"

using namespace tconv::test;

namespace {

// The draw reaches what it is there for.
bool reaches_all(const Tally &tally) {
  return tally.empty > 0 && tally.copied > tally.runs / 2 && tally.in_place > tally.runs / 200 && tally.tasks >= 14;
}

}  // namespace

int main(int argc, char **argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: random_layers RANK LAYERS [FIRST_SEED]\n");
    return 2;
  }
  Limits limits;
  limits.rank = std::atoi(argv[1]);
  limits.calls_of_open_layer = 2;
  const long layers = std::atol(argv[2]), first = argc > 3 ? std::atol(argv[3]) : 1;
  halide_set_num_threads(7);
  if (!print_paths(tconv::general_kernels(limits.rank, true).front())) {
    std::fprintf(stderr, "this machine runs no path of the kernels\n");
    return 1;
  }
  Tally tally;
  int failures = 0, not_served = 0, refused = 0;
  for (long i = 0; i < layers && failures < 5; ++i) {
    const RandomLayer random = draw_layer(static_cast<std::uint64_t>(1000 * (first + i)), limits);
    for (const tconv_kernel &kernel : tconv::general_kernels(limits.rank, random.layer.channels_last != 0)) {
      if (kernel.tiling.merge_phases && random.layer.groups != 1) {
        refused += tconv_packed_bytes(&kernel, &random.layer) == 0;
        ++not_served;
        continue;
      }
      const std::string failure = check_layer(kernel, random.layer, random, tally);
      if (failure.empty()) continue;
      std::fprintf(stderr, "%s: %s\n", kernel.name, failure.c_str());
      ++failures;
    }
  }
  std::printf(
      "%lld layers, %lld runs (%lld empty, %lld with copied windows, %lld in place, %lld with classes split), "
      "at most %lld tasks; the largest error was %.0f %% of what is allowed\n",
      static_cast<long long>(tally.layers), static_cast<long long>(tally.runs), static_cast<long long>(tally.empty),
      static_cast<long long>(tally.copied), static_cast<long long>(tally.in_place),
      static_cast<long long>(tally.split_blocks), static_cast<long long>(tally.tasks), 100 * tally.largest_share);
  if (failures == 0 && layers >= 1000 && !reaches_all(tally)) {
    std::fprintf(stderr, "the draw no longer reaches every kind of call\n");
    return 1;
  }
  if (refused < not_served || (layers >= 1000 && not_served == 0)) {
    std::fprintf(stderr, "of %d layers with groups, rows of phases refused %d\n", not_served, refused);
    return 1;
  }
  return failures == 0 ? 0 : 1;
}
