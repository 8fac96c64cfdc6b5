// The schedules that a search may try for one plan and target: every legal combination of methods and sizes that the
// registers hold.
#ifndef TCONV_GENERATORS_SPACE_H
#define TCONV_GENERATORS_SPACE_H

#include <string>
#include <vector>

#include "schedule/parameters.h"

namespace tconv {

struct Candidate {
  Parameters parameters;
  std::string text;   // to_text(parameters)
  double cycles = 0;  // expected_cycles()
};

// In the order of the cost model, cheapest first; no two are equal. With one thread the parallel grain stays as it is.
std::vector<Candidate> search_space(const Plan &plan, const Halide::Target &target, int threads);

// The rules' own choice.
Candidate untuned(const Plan &plan, const Halide::Target &target);

// The direct method in the layer's own layout, which Halide's autoschedulers may schedule.
Parameters plain_direct(const Plan &plan, const Halide::Target &target);

Candidate make_candidate(const Plan &plan, const Halide::Target &target, const Parameters &parameters);

}  // namespace tconv

#endif
