// Halide reports its own errors as exceptions; they become a Status here, and go no further.
#include "emit/objects.h"

#include <algorithm>

#include <fmt/format.h>

#include "algorithm/activation_expr.h"
#include "algorithm/bf16x3.h"
#include "algorithm/lowered.h"
#include "algorithm/phase_conv.h"
#include "algorithm/transpose.h"
#include "schedule/fetch_ahead.h"
#include "schedule/transpose_loads.h"

namespace tconv {

using Halide::Module;
using Halide::OutputFileType;
using Halide::Target;

namespace {

Status halide_failed(const std::string &what, const Halide::Error &error) {
  return {StatusCode::internal, fmt::format("Halide could not compile {}: {}", what, error.what())};
}

Target library_target(const Target &target) { return target.with_feature(Target::NoRuntime); }

Module variant_module(const Plan &plan, const Schedule &schedule, const TargetSchedule &target_schedule,
                      const tconv_variant &one, const Target &target, const std::string &symbol) {
  const auto compiled = [&](const PhaseConv &conv) {
    Halide::Pipeline pipeline(conv.output);
    if (schedule.autoscheduler.empty()) {
      fetch_ahead(pipeline, conv.weights.name(), target_schedule.prefetch);
      if (target_schedule.read_block > 0)
        transpose_loads(pipeline, conv.read.name(), target_schedule.read_block, target_schedule.lanes);
    }
    return pipeline.compile_to_module(conv.arguments(), symbol, target);
  };
  if (schedule.tiling.lane_sums) {
    LaneSums sums = lane_sums(plan, schedule.tiling, one, lane_tile(plan, target_schedule, one, register_file(target)));
    apply_lane_schedule(sums);
    return compiled(sums.conv);
  }
  if (tconv_unites_phases(&schedule.tiling)) {
    Planes all = planes(plan, schedule.tiling, one);
    apply_planes_schedule(all, plan, schedule.tiling, target_schedule);
    return compiled(all.conv);
  }
  PhaseConv conv = phase_conv(plan, schedule.tiling, one, {target_schedule.read_block, target_schedule.lanes});
  if (!schedule.autoscheduler.empty())
    apply_autoscheduler(conv, plan, schedule.tiling, one, target, schedule.autoscheduler);
  else if (target.has_feature(Target::CUDA))
    apply_cuda_schedule(conv, plan, target_schedule);
  else
    apply_cpu_schedule(conv, plan, schedule.tiling, one, target_schedule);
  return compiled(conv);
}

std::vector<Module> direct_modules(const Plan &plan, const LibraryKernel &kernel, const Target &target,
                                   std::size_t index) {
  const Schedule &schedule = kernel.schedule;
  const std::vector<TargetSchedule> paths = paths_of(schedule.targets[index]);
  std::vector<Module> modules;
  for (std::size_t p = 0; p < paths.size(); ++p)
    for (std::size_t v = 0; v < schedule.variants.size(); ++v)
      modules.push_back(variant_module(plan, schedule, paths[p], schedule.variants[v], target,
                                       variant_symbol(kernel.name, index, p, v)));
  return modules;
}

Module products_module(const Plan &plan, const tconv_tiling &tiling, const TargetSchedule &one, int rows,
                       const Target &target, const std::string &symbol) {
  if (tiling.bf16x3) {
    Module sums(symbol, target);
    sums.append(split_sums(plan, tiling, symbol));
    return sums;
  }
  TileProducts products = tile_products(plan, tiling);
  schedule_tile_products(products, one, rows);
  Halide::Pipeline pipeline(products.output);
  fetch_ahead(pipeline, products.weights.name(), one.prefetch);
  fetch_next(pipeline, products.weights.name(), one.fetch);
  if (fetches_written(plan, tiling))
    fetch_written(pipeline, products.weights.name(), products.written.name(), tiling.panel);
  return pipeline.compile_to_module({products.transformed, products.weights, products.written}, symbol, target);
}

Module transform_input_module(const Plan &plan, const tconv_tiling &tiling, const TargetSchedule &one, int kind,
                              const Target &target, const std::string &symbol) {
  if (tiling.bf16x3) {
    SplitInput input = split_input(plan);
    schedule_split_input(input);
    return Halide::Pipeline(input.output).compile_to_module({input.window}, symbol, target);
  }
  InputTransform input = input_transform(plan, tiling, kind);
  schedule_input_transform(input, one);
  return Halide::Pipeline(input.output).compile_to_module({input.window}, symbol, target);
}

std::vector<Module> tile_modules(const Plan &plan, const LibraryKernel &kernel, const Target &target,
                                 std::size_t index) {
  const Schedule &schedule = kernel.schedule;
  const TargetSchedule &one = schedule.targets[index];
  std::vector<Module> modules;
  for (std::size_t i = 0; i < one.rows.size(); ++i)
    modules.push_back(
        products_module(plan, schedule.tiling, one, one.rows[i], target, products_symbol(kernel.name, index, i)));
  for (int kind = 0; kind < TCONV_TILE_KINDS; ++kind) {
    if (!has_own_functions(plan, schedule.tiling, kind)) continue;
    modules.push_back(transform_input_module(plan, schedule.tiling, one, kind, target,
                                             transform_input_symbol(kernel.name, index, kind)));
    OutputTransform output = output_transform(plan, schedule.tiling, kind);
    schedule_output_transform(output, one);
    modules.push_back(
        Halide::Pipeline(output.output)
            .compile_to_module(output.arguments(), transform_output_symbol(kernel.name, index, kind), target));
  }
  return modules;
}

Module transpose_module(const Plan &plan, const TargetSchedule &schedule, const Target &target, std::size_t index) {
  Transpose transpose = transpose_matrices(schedule.transpose_block);
  schedule_transpose(transpose);
  Halide::Pipeline pipeline(transpose.output);
  for (const TransposeBlocks &blocks : transpose.blocks)
    transpose_loads(pipeline, blocks.read.name(), blocks.size, blocks.size);
  return pipeline.compile_to_module({transpose.input}, transpose_symbol(plan.name, index), target);
}

Module copy_module(const Plan &plan, const Target &target, std::size_t index) {
  Copy copy = copy_rows();
  schedule_copy(copy, target.natural_vector_size<float>());
  return Halide::Pipeline(copy.output).compile_to_module({copy.input}, copy_symbol(plan.name, index), target);
}

// What the library's kernels share, on the host also beside CUDA kernels.
std::vector<Module> shared_modules(const Plan &plan, const std::vector<LibraryKernel> &kernels, const Target &target,
                                   std::size_t index) {
  std::vector<Module> modules;
  std::vector<Halide::Argument> inputs;
  const auto any = [&](auto holds) { return std::any_of(kernels.begin(), kernels.end(), holds); };
  for (const LibraryKernel &kernel : kernels)
    if (modules.empty() && has_transpose(kernel.schedule.tiling))
      modules.push_back(transpose_module(plan, kernel.schedule.targets[index], target, index));
  if (any([](const LibraryKernel &kernel) { return tconv_copies(&kernel.schedule.tiling); }))
    modules.push_back(copy_module(plan, target, index));
  for (const bool last : {false, true}) {
    const auto writes = [&](const LibraryKernel &kernel) {
      return (tconv_writes_channels_last(&kernel.schedule.tiling, &plan.layer) != 0) == last;
    };
    if (!has_activate(plan) || !any(writes)) continue;
    Halide::Pipeline activate = activate_pipeline(plan.layer.rank, last, target, &inputs);
    modules.push_back(activate.compile_to_module(inputs, activate_symbol(plan.name, index, last), target));
  }
  if (has_softmax(plan)) {
    Halide::Pipeline softmax = softmax_pipeline(target, &inputs);
    modules.push_back(softmax.compile_to_module(inputs, softmax_symbol(plan.name, index), target));
  }
  return modules;
}

std::vector<Module> target_modules(const Plan &plan, const std::vector<LibraryKernel> &kernels, const Target &target,
                                   std::size_t index) {
  std::vector<Module> modules = shared_modules(plan, kernels, target, index);
  for (const LibraryKernel &kernel : kernels)
    for (Module &module : tconv_is_winograd(&kernel.schedule.tiling) ? tile_modules(plan, kernel, target, index)
                                                                     : direct_modules(plan, kernel, target, index))
      modules.push_back(std::move(module));
  return modules;
}

// A function that stores the host address of a constant buffer of its module to its one argument. Halide's front end
// has no way to say this, so it is put together from lowered code.
Halide::Internal::LoweredFunc address_function(const std::string &name, const std::string &buffer) {
  namespace ir = Halide::Internal;
  const std::string to = "address";
  const ir::Stmt store = ir::Store::make(to, Halide::reinterpret<std::uint64_t>(host_of(buffer)), 0,
                                         Halide::Parameter(), ir::const_true(), ir::ModulusRemainder());
  const ir::Stmt body = ir::LetStmt::make(to, host_of(to), store);
  const ir::LoweredArgument argument(to, Halide::Argument::OutputBuffer, Halide::UInt(64), 1, {});
  return {name, std::vector<ir::LoweredArgument>{argument}, body, Halide::LinkageType::ExternalPlusArgv};
}

}  // namespace

std::vector<LibraryKernel> kernels_of(const Plan &plan, const std::vector<Target> &targets,
                                      const std::optional<Schedule> &schedule) {
  if (!plan.general) return {{plan.name, schedule ? *schedule : choose_schedule(plan, targets)}};
  std::vector<LibraryKernel> kernels;
  for (Schedule &one : choose_general_schedules(plan, targets)) {
    const char *columns = tconv_is_row_of_phases(&one.tiling) ? "rows" : "panel";
    kernels.push_back({fmt::format("{}_{}{}", plan.name, columns, one.tiling.panel), std::move(one)});
  }
  return kernels;
}

std::string path_prefix(const std::string &name, std::size_t target, std::size_t path) {
  return fmt::format("{}_t{}_{}", name, target, path > 0 ? fmt::format("tile{}_", path) : "");
}
std::string variant_symbol(const std::string &name, std::size_t target, std::size_t path, std::size_t variant) {
  return fmt::format("{}v{}", path_prefix(name, target, path), variant);
}
std::string products_symbol(const std::string &name, std::size_t target, std::size_t rows) {
  return fmt::format("{}_t{}_products{}", name, target, rows);
}
std::string transform_input_symbol(const std::string &name, std::size_t target, int kind) {
  return fmt::format("{}_t{}_transform_input{}", name, target, kind);
}
std::string transform_output_symbol(const std::string &name, std::size_t target, int kind) {
  return fmt::format("{}_t{}_transform_output{}", name, target, kind);
}
std::string copy_symbol(const std::string &name, std::size_t target) {
  return fmt::format("{}_t{}_copy", name, target);
}
std::string transpose_symbol(const std::string &name, std::size_t target) {
  return fmt::format("{}_t{}_transpose", name, target);
}
std::string activate_symbol(const std::string &name, std::size_t target, bool channels_last) {
  return fmt::format("{}_t{}_activate_{}", name, target, channels_last ? "last" : "first");
}
std::string softmax_symbol(const std::string &name, std::size_t target) {
  return fmt::format("{}_t{}_softmax", name, target);
}
std::string baked_symbol(const std::string &name) { return name + "_weights"; }

bool has_activate(const Plan &plan) { return plan.general; }
bool has_softmax(const Plan &plan) {
  return plan.general || works_on_rows(static_cast<Activation>(plan.layer.activation));
}

bool has_transpose(const tconv_tiling &tiling) { return tiling.transpose_input != 0 || tiling.transpose_output != 0; }

Result<TargetObject> compile_target(const Plan &plan, const std::vector<LibraryKernel> &kernels, const Target &target,
                                    std::size_t index, const CodeForms &forms, const std::filesystem::path &directory) {
  const std::string stem = fmt::format("{}_{}", plan.name, target.to_string());
  TargetObject result{target, directory / (stem + ".o"), 0};
  try {
    const Module all = Halide::link_modules(plan.name, target_modules(plan, kernels, library_target(target), index));
    std::map<OutputFileType, std::string> files = {{OutputFileType::object, result.object.string()}};
    if (forms.assembly) files[OutputFileType::assembly] = (directory / (stem + ".s")).string();
    if (forms.stmt) files[OutputFileType::stmt] = (directory / (stem + ".stmt")).string();
    all.compile(files);
  } catch (const Halide::Error &error) {
    return halide_failed(fmt::format("{} for {}", plan.name, target.to_string()), error);
  }
  return result;
}

Status compile_weights(const std::string &name, const std::vector<float> &packed, const Target &target,
                       const std::filesystem::path &object) {
  try {
    Halide::Buffer<float> data(static_cast<int>(packed.size()), name + "_packed");
    std::copy(packed.begin(), packed.end(), data.begin());
    Module module(name, library_target(target));
    module.append(Halide::Buffer<>(data));
    module.append(address_function(baked_symbol(name), data.name()));
    module.compile({{OutputFileType::object, object.string()}});
  } catch (const Halide::Error &error) {
    return halide_failed("the weights of " + name, error);
  }
  return {};
}

Status compile_runtime(const Target &target, const std::filesystem::path &object) {
  try {
    Halide::compile_standalone_runtime(object.string(), target);
  } catch (const Halide::Error &error) {
    return halide_failed("the runtime for " + target.to_string(), error);
  }
  return {};
}

}  // namespace tconv
