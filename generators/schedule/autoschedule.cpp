// Halide's own autoschedulers on a class of phases, as baselines for the schedules of this directory: the whole class
// in one call, the driver's layout of weights and windows, and nothing of the target's part.
#include <filesystem>
#include <mutex>

#include <dlfcn.h>

#include "schedule/rules.h"

namespace tconv {

namespace {

// The plugins lie beside Halide's library, which is where Halide itself does not look.
void load_autoscheduler(const std::string &name) {
  static std::mutex mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  Dl_info halide{};
  dladdr(reinterpret_cast<const void *>(&Halide::load_plugin), &halide);
  const std::filesystem::path library(halide.dli_fname == nullptr ? "" : halide.dli_fname);
  Halide::load_plugin((library.parent_path() / ("libautoschedule_" + name + ".so")).string());
}

Halide::Region from_zero(const std::vector<std::int64_t> &extents) {
  Halide::Region region;
  for (const std::int64_t extent : extents) region.emplace_back(0, static_cast<int>(extent));
  return region;
}

// The class that the variant was made for, the largest where there are several.
tconv_class largest_class(const Plan &plan, const tconv_tiling &tiling, const tconv_variant &variant) {
  tconv_class largest{};
  double most = -1;
  for_each_class(plan, tiling, [&](const tconv_class &one) {
    double outputs = 1;
    for (int d = 0; d < TCONV_MAX_RANK; ++d) {
      if (variant.taps[d] != 0 && (one.run[d].taps != variant.taps[d])) return;
      if (one.run[d].count != variant.phases[d]) return;
      outputs *= static_cast<double>(one.run[d].extent);
    }
    if (outputs <= most) return;
    most = outputs;
    largest = one;
  });
  return largest;
}

}  // namespace

void apply_autoscheduler(PhaseConv &conv, const Plan &plan, const tconv_tiling &tiling, const tconv_variant &variant,
                         const Halide::Target &target, const std::string &name) {
  const tconv_class one = largest_class(plan, tiling, variant);
  const std::int64_t inputs = tconv_group_inputs(&plan.layer), groups = tconv_column_groups(&tiling, &plan.layer);
  std::vector<std::int64_t> input = {inputs, plan.layer.groups},
                            output = {tconv_column_outputs(&tiling, &plan.layer), groups};
  for (int i = 0; i < conv.rank; ++i) {
    const tconv_run &run = one.run[TCONV_MAX_RANK - 1 - i];
    input.push_back(run.extent + (run.taps - 1) * run.step);
    output.push_back(run.extent);
    conv.taps[static_cast<std::size_t>(i)].set_estimate(static_cast<int>(run.taps));
    conv.steps[static_cast<std::size_t>(i)].set_estimate(static_cast<int>(run.step));
  }
  for (int i = 0; i < conv.rank; ++i) output.push_back(variant.phases[TCONV_MAX_RANK - 1 - i]);
  conv.input.set_estimates(from_zero(input));
  conv.weights.set_estimates(from_zero({tiling.panel, one.taps * inputs, one.columns / tiling.panel, groups}));
  conv.bias.set_estimates(from_zero({output[0], groups}));
  conv.output.set_estimates(from_zero(output));
  load_autoscheduler(name);
  // Tasks are cut by the driver, as for the schedules it is compared with.
  std::string full = name;
  full[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(full[0])));
  Halide::Pipeline(conv.output).apply_autoscheduler(target, {full, {{"parallelism", "1"}}});
}

}  // namespace tconv
