// Target names: what a user may write, what a kernel dispatches on, and what this machine runs.
#ifndef TCONV_GENERATORS_TARGETS_H
#define TCONV_GENERATORS_TARGETS_H

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <Halide.h>

#include "tconv/status.h"

namespace tconv {

struct TargetFamily {
  std::string name;                // "x86-64-linux"
  std::vector<std::string> paths;  // Halide targets, best first
  std::string note;
};

// Every family that tconv emits for.
const std::vector<TargetFamily> &target_families();

// Halide targets from the names that a user gave ("host" is this machine's best path), best first. They must be of one
// family: one architecture, system and width, and all CUDA or none.
Result<std::vector<Halide::Target>> check_targets(const std::vector<std::string> &names);

// The processor features of a target, as halide_can_use_target_features() takes them.
std::array<std::uint64_t, 2> feature_words(const Halide::Target &target);

// "x86-64-linux": architecture, width and system.
std::string family_name(const Halide::Target &target);

// The paths of this machine's family that it can run, best first.
std::vector<std::string> host_paths();

bool runs_here(const Halide::Target &target);

}  // namespace tconv

#endif
