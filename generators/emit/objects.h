// Object files from plan and schedule: everything that asks Halide for code.
#ifndef TCONV_GENERATORS_OBJECTS_H
#define TCONV_GENERATORS_OBJECTS_H

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <Halide.h>

#include "plan/plan.h"
#include "schedule/schedule.h"
#include "tconv/status.h"

namespace tconv {

// Further forms of the code, beside the object that is always made.
struct CodeForms {
  bool assembly = false;
  bool stmt = false;
};

// A kernel of a library, under the prefix of its symbols. A plan's own is the only one; a general plan has several,
// which share the functions that work on either layout's arrays.
struct LibraryKernel {
  std::string name;
  Schedule schedule;
};

// The plan's kernels: its own with the given schedule, or with the rules'; or those of a general plan.
std::vector<LibraryKernel> kernels_of(const Plan &plan, const std::vector<Halide::Target> &targets,
                                      const std::optional<Schedule> &schedule);

// One object of one target, with the code that it holds.
struct TargetObject {
  Halide::Target target;
  std::filesystem::path object;
  std::int64_t code_bytes = 0;
};

// Symbols of an emitted kernel; those of path `path` of a target's share a prefix.
std::string path_prefix(const std::string &name, std::size_t target, std::size_t path);
std::string variant_symbol(const std::string &name, std::size_t target, std::size_t path, std::size_t variant);
std::string products_symbol(const std::string &name, std::size_t target, std::size_t rows);
std::string transform_input_symbol(const std::string &name, std::size_t target, int kind);
std::string transform_output_symbol(const std::string &name, std::size_t target, int kind);
std::string copy_symbol(const std::string &name, std::size_t target);

// Symbols of a library, under the plan's name.
std::string transpose_symbol(const std::string &name, std::size_t target);
std::string activate_symbol(const std::string &name, std::size_t target, bool channels_last);
std::string softmax_symbol(const std::string &name, std::size_t target);
std::string baked_symbol(const std::string &name);

// True when the plan's library carries the function of that kind.
bool has_activate(const Plan &plan);
bool has_softmax(const Plan &plan);
bool has_transpose(const tconv_tiling &tiling);

// Compiles all functions for target `index` of the schedules to DIRECTORY/NAME_TARGET.o and the other forms beside it.
Result<TargetObject> compile_target(const Plan &plan, const std::vector<LibraryKernel> &kernels,
                                    const Halide::Target &target, std::size_t index, const CodeForms &forms,
                                    const std::filesystem::path &directory);

// An object that holds the packed weights and the function that tells their address.
Status compile_weights(const std::string &name, const std::vector<float> &packed, const Halide::Target &target,
                       const std::filesystem::path &object);

// Halide's runtime for the target, as an object.
Status compile_runtime(const Halide::Target &target, const std::filesystem::path &object);

}  // namespace tconv

#endif
