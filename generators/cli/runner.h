// A layer's kernel run on an array, here or under an emulator.
#ifndef TCONV_GENERATORS_RUNNER_H
#define TCONV_GENERATORS_RUNNER_H

#include <string>

#include "cli/layer_input.h"

namespace tconv {

struct RunnerRequest {
  const LoadedLayer *layer;
  std::vector<Halide::Target> targets;
  bool general = false;
  Schedule schedule;  // for them
  int threads = 1;
  const Tensor *input;
};

Result<Tensor> run_layer(const RunnerRequest &request);

}  // namespace tconv

#endif
