// A kernel linked to a main(): programs that `run` and `bench` start, and that `tune` and `compile --emit program`
// make.
#ifndef TCONV_GENERATORS_PROGRAM_H
#define TCONV_GENERATORS_PROGRAM_H

#include <filesystem>
#include <optional>
#include <vector>

#include "emit/emit.h"
#include "emit/staging.h"

namespace tconv {

enum class ProgramKind {
  run_files,  // runner.c
  measure     // program.c
};

struct ProgramRequest {
  ProgramKind kind = ProgramKind::measure;
  Plan plan;
  tconv_weight_strides weight_strides{};
  std::vector<Halide::Target> targets;   // from check_targets()
  bool general = false;                  // the library's any-size kernel, in place of one of the plan's own
  std::optional<Schedule> schedule;      // as EmitRequest has it
  bool linked_statically = false;        // needs nothing where it runs
  std::filesystem::path runtime_object;  // as EmitRequest has it
};

// Makes everything in `work` and returns the program's path there.
Result<std::filesystem::path> make_program(const ProgramRequest &request, const Staging &work);

// How to start a program of that target here: its words before the program's own; empty where it starts by itself.
Result<std::vector<std::string>> starter(const Halide::Target &target);

}  // namespace tconv

#endif
