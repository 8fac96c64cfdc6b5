// tconvc compile and tconvc general.
#include <algorithm>

#include <fmt/format.h>

#include "cli/verbs.h"
#include "emit/program.h"
#include "emit/staging.h"
#include "emit/targets.h"

namespace tconv {

namespace {

Status emit_and_tell(const EmitRequest &request, const std::string &output) {
  const Result<Emitted> emitted = emit(request, output);
  if (!emitted.ok()) return emitted.status();
  for (const auto &file : emitted.value().files)
    if (file.parent_path().filename() != "tconv") fmt::print("{}\n", file.string());
  return {};
}

// The measuring program, as OUTPUT/NAME_program.
Status make_measuring_program(const EmitRequest &request, const std::string &output) {
  if (request.baked) return invalid_argument("--emit program makes weights of its own: leave --kernel and --bias out");
  const tconv_layer &layer = request.plan.layer;
  for (int d = 0; d < layer.rank; ++d)
    if (layer.size[d] == TCONV_UNSET)
      return invalid_argument("--emit program needs every spatial size of input_shape given");
  const Result<Staging> work = Staging::beside(output);
  if (!work.ok()) return work.status();
  const Result<std::filesystem::path> program =
      make_program({ProgramKind::measure, request.plan, request.weight_strides, request.targets, false,
                    request.schedule, true, request.runtime_object},
                   work.value());
  if (!program.ok()) return program.status();
  const std::string name = request.plan.name + "_program";
  std::error_code error;
  std::filesystem::rename(program.value(), work.value().path() / name, error);
  if (error) return {StatusCode::io_error, fmt::format("cannot rename '{}': {}", name, error.message())};
  const Result<std::vector<std::filesystem::path>> moved = work.value().move_to(output, {name});
  if (!moved.ok()) return moved.status();
  fmt::print("{}\n", moved.value()[0].string());
  return {};
}

}  // namespace

Status compile(const CompileOptions &options) {
  EmitRequest request;
  const Result<std::vector<Halide::Target>> targets = check_targets(options.targets);
  if (!targets.ok()) return targets.status();
  const Result<LoadedLayer> loaded = load_layer(options.layer);
  if (!loaded.ok()) return loaded.status();
  const Result<Schedule> schedule = find_schedule(loaded.value().plan, targets.value(), options.schedule);
  if (!schedule.ok()) return schedule.status();
  request.schedule = schedule.value();
  request.runtime_object = options.runtime_object;
  const auto wants = [&](const char *what) {
    return std::find(options.emit.begin(), options.emit.end(), what) != options.emit.end();
  };
  request.targets = targets.value();
  request.plan = loaded.value().plan;
  request.weight_strides = loaded.value().weight_strides;
  request.baked = loaded.value().weights;
  request.static_library = wants("static");
  request.shared_library = wants("shared");
  request.header = wants("header");
  request.forms = {wants("assembly"), wants("stmt")};
  if (wants("program")) {
    const Status status = make_measuring_program(request, options.output);
    if (!status.ok() || options.emit.size() == 1) return status;
  }
  return emit_and_tell(request, options.output);
}

Status compile_general(const GeneralOptions &options) {
  EmitRequest request;
  const Result<std::vector<Halide::Target>> targets = check_targets(options.targets);
  if (!targets.ok()) return targets.status();
  request.targets = targets.value();
  request.plan = general_plan(options.rank, options.data_format == "channels_last");
  return emit_and_tell(request, options.output);
}

}  // namespace tconv
