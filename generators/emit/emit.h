// From a plan and its schedule to the files that a user links: the watershed between deciding and producing.
//
// Everything is made in a directory beside the destination and moved there when all of it is complete; a failure
// leaves the destination as it was.
#ifndef TCONV_GENERATORS_EMIT_H
#define TCONV_GENERATORS_EMIT_H

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "emit/objects.h"
#include "tconv/status.h"
#include "tconv/tensor.h"

namespace tconv {

// Weights in the order of their framework.
struct Weights {
  Tensor kernel;
  Tensor bias;  // empty shape: none
};

struct EmitRequest {
  Plan plan;
  std::vector<Halide::Target> targets;    // from check_targets(): best first
  tconv_weight_strides weight_strides{};  // of the dialect; not read for a general plan
  std::optional<Weights> baked;
  std::optional<Schedule> schedule;  // for these targets; without one, the rules' choice
  bool static_library = true;
  bool shared_library = false;
  bool header = true;
  bool runtime = true;  // false: another library in the same program has Halide's runtime
  // A file that holds the runtime's object for these targets, or will: it takes longer than most kernels.
  std::filesystem::path runtime_object;
  CodeForms forms;
};

// What was made: `manifest` is the text of NAME.manifest.json.
struct Emitted {
  std::string manifest;
  std::vector<std::filesystem::path> files;  // in the destination
};

Result<Emitted> emit(const EmitRequest &request, const std::filesystem::path &destination);

}  // namespace tconv

#endif
