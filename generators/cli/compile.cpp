// tconvc compile and tconvc general.
#include <algorithm>

#include <fmt/format.h>

#include "cli/verbs.h"
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

}  // namespace

Status compile(const CompileOptions &options) {
  EmitRequest request;
  const Result<std::vector<Halide::Target>> targets = check_targets(options.targets);
  if (!targets.ok()) return targets.status();
  const Result<LoadedLayer> loaded = load_layer(options.layer);
  if (!loaded.ok()) return loaded.status();
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
