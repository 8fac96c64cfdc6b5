// tconvc explain and tconvc targets: what is known about a layer and about this machine, in words.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/verbs.h"
#include "emit/targets.h"
#include "schedule/parameters.h"
#include "tconv/blocks.h"

namespace tconv {

namespace {

void print_dimension(int index, const tconv_dim &dim, std::int64_t stride, bool open) {
  if (open)
    fmt::print("dimension {}: any input extent (shown for {}), ", index, dim.in);
  else
    fmt::print("dimension {}: input {}, ", index, dim.in);
  fmt::print("kernel {}, stride {}, dilation {}, crop {}, output {}{}\n", dim.kernel, stride, dim.dilation, dim.crop,
             dim.out, dim.stride == stride ? "" : "; one input makes no stride: each tap is a phase");
  for (std::int64_t r = 0; r < dim.stride; ++r) {
    const tconv_run phase = tconv_phase(&dim, r);
    std::vector<std::int64_t> taps;
    for (std::int64_t j = 0; j < phase.taps; ++j) taps.push_back(phase.first_tap - j * phase.tap_step);
    if (taps.empty())
      fmt::print("  phase {}: no taps, {} outputs of bias alone\n", r, phase.extent);
    else
      fmt::print("  phase {}: taps {} on inputs q{:+}..q{:+}, {} outputs\n", r, fmt::join(taps, " "), phase.offset,
                 phase.offset + (phase.taps - 1) * phase.step, phase.extent);
  }
}

double elements(const tconv_dims &dims, bool output) {
  double all = 1;
  for (const tconv_dim &dim : dims.dim) all *= static_cast<double>(output ? dim.out : dim.in);
  return all;
}

void print_work(const Plan &plan, const Schedule &schedule) {
  const tconv_dims dims = typical_dims(plan);
  const auto batch = static_cast<double>(tconv_max(plan.layer.batch, 1));
  const double macs = multiply_adds(plan.layer, dims, tconv_max(plan.layer.batch, 1));
  const double in = batch * elements(dims, false) * static_cast<double>(plan.layer.in_channels) * 4;
  const double out = batch * elements(dims, true) * static_cast<double>(plan.layer.out_channels) * 4;
  const double weights = static_cast<double>(tconv_packed_floats(&schedule.tiling, &plan.layer, &dims)) * 4;
  fmt::print("multiply-adds: {:.0f} ({:.3f} GFLOP)\n", macs, 2e-9 * macs);
  fmt::print("bytes: input {:.0f}, packed weights {:.0f}, output {:.0f}; {:.1f} FLOP a byte\n", in, weights, out,
             2 * macs / (in + weights + out));
}

void print_target(const Plan &plan, const Schedule &schedule, const Halide::Target &target, std::size_t index) {
  const TargetSchedule &one = schedule.targets[index];
  const std::string positions = tconv_is_winograd(&schedule.tiling) ? fmt::format("{}", fmt::join(one.rows, " or "))
                                                                    : fmt::format("{}", fmt::join(one.tile, " x "));
  fmt::print("{}: tile of {} columns x {} positions in vectors of {}", target.to_string(), one.columns, positions,
             one.lanes);
  const tconv_cuts cuts = cut_call(plan, schedule, index);
  for (int kind = 0; kind < TCONV_TILE_KINDS; ++kind) {
    if (!has_own_functions(plan, schedule.tiling, kind) || !tconv_has_tasks(&schedule.tiling, kind)) continue;
    const tconv_blocks &blocks = cuts.blocks[kind];
    fmt::print("; blocks of {} of {} positions a phase; workspace {} bytes a thread", fmt::join(blocks.size, " x "),
               fmt::join(blocks.quotients, " x "), blocks.worker_floats * 4);
  }
  const Parameters parameters = parameters_of(schedule, index);
  if (!plan.general && !target.has_feature(Halide::Target::CUDA)) {
    const double cycles = expected_cycles(plan, target, parameters);
    const double peak = 2.0 * register_file(target).lanes;
    fmt::print("; {:.3f} million cycles an image expected, {:.2f} of the multiply-add peak", cycles / 1e6,
               multiply_adds(plan.layer, typical_dims(plan), 1) / (peak * cycles));
  }
  fmt::print("\n  {}\n", to_text(parameters));
}

}  // namespace

Status explain(const ExplainOptions &options) {
  const Result<std::vector<Halide::Target>> targets = check_targets(options.targets);
  if (!targets.ok()) return targets.status();
  const Result<LoadedLayer> loaded = load_layer(options.layer);
  if (!loaded.ok()) return loaded.status();
  const Plan &plan = loaded.value().plan;
  const Result<Schedule> found = find_schedule(plan, targets.value(), options.schedule);
  if (!found.ok()) return found.status();
  const Schedule &schedule = found.value();
  fmt::print("{}\n{}\n", plan.name, key(plan));
  const tconv_dims dims = typical_dims(plan);
  for (int d = 0; d < plan.layer.rank; ++d)
    print_dimension(d, dims.dim[TCONV_MAX_RANK - plan.layer.rank + d], plan.layer.rule[d].stride,
                    plan.layer.size[d] == TCONV_UNSET);
  print_work(plan, schedule);
  fmt::print("processor: {}\n", plan.processor);
  fmt::print("method: {}; {}\nschedule: {}; {} compiled function{}\n", schedule.method, schedule.reason,
             schedule.source, schedule.variants.size(), schedule.variants.size() == 1 ? "" : "s");
  for (std::size_t t = 0; t < targets.value().size(); ++t) print_target(plan, schedule, targets.value()[t], t);
  return {};
}

Status list_targets() {
  for (const TargetFamily &family : target_families()) {
    fmt::print("{} ({})\n", family.name, family.note);
    for (const std::string &path : family.paths)
      fmt::print("  {}{}\n", path, runs_here(Halide::Target(path)) ? "    runs here" : "");
  }
  fmt::print("\nhost is this machine's best path: {}\n", host_paths().front());
  return {};
}

}  // namespace tconv
