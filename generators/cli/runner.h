// A layer's kernel linked to a small program and run, here or under an emulator: what `run` and `bench` share.
#ifndef TCONV_GENERATORS_RUNNER_H
#define TCONV_GENERATORS_RUNNER_H

#include <string>

#include "cli/layer_input.h"

namespace tconv {

struct RunnerRequest {
  const LoadedLayer *layer;
  std::string target;  // a name as the user gives it
  bool general = false;
  int threads = 1;
  double seconds = 0;  // to spend on timing; 0: run once
  Shape input_shape;
  const Tensor *input;
};

struct RunnerResult {
  Tensor output;
  std::string report;  // the program's JSON line
};

Result<RunnerResult> run_layer(const RunnerRequest &request);

}  // namespace tconv

#endif
