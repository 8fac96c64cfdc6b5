#include "emit/manifest.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "tconv/activation.h"
#include "tconv/blocks.h"
#include "version.h"

namespace tconv {

namespace {

nlohmann::ordered_json sizes_json(const std::vector<std::int64_t> &sizes) {
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  for (const std::int64_t size : sizes)
    array.push_back(size == TCONV_UNSET ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(size));
  return array;
}

std::vector<std::int64_t> array_shape(const tconv_layer &layer, std::int64_t channels,
                                      const std::vector<std::int64_t> &spatial) {
  std::vector<std::int64_t> shape = spatial;
  shape.insert(layer.channels_last ? shape.end() : shape.begin(), channels);
  shape.insert(shape.begin(), layer.batch);
  return shape;
}

nlohmann::ordered_json layer_json(const Plan &plan) {
  const tconv_layer &layer = plan.layer;
  const tconv_dims dims = typical_dims(plan);
  std::vector<std::int64_t> in(layer.size, layer.size + layer.rank), out;
  for (int d = 0; d < layer.rank; ++d)
    out.push_back(in[static_cast<std::size_t>(d)] == TCONV_UNSET ? TCONV_UNSET
                                                                 : dims.dim[TCONV_MAX_RANK - layer.rank + d].out);
  nlohmann::ordered_json json;
  json["input_shape"] = sizes_json(array_shape(layer, layer.in_channels, in));
  json["output_shape"] = sizes_json(array_shape(layer, layer.out_channels, out));
  json["data_format"] = layer.channels_last ? "channels_last" : "channels_first";
  json["activation"] = name(static_cast<Activation>(layer.activation));
  return json;
}

// With one thread; an open size leaves it open too.
nlohmann::ordered_json workspace_json(const EmitRequest &request, const Schedule &schedule, std::size_t target) {
  const tconv_layer &layer = request.plan.layer;
  for (int d = 0; d < layer.rank; ++d)
    if (layer.size[d] == TCONV_UNSET) return nullptr;
  const tconv_cuts cuts = cut_call(request.plan, schedule, target);
  return tconv_cuts_bytes(&cuts);
}

nlohmann::ordered_json kernel_json(const Schedule &schedule) {
  const tconv_tiling &tiling = schedule.tiling;
  nlohmann::ordered_json json;
  json["method"] = schedule.method;
  json["panel"] = tiling.panel;
  json["transposed"] = {{"input", tiling.transpose_input != 0}, {"output", tiling.transpose_output != 0}};
  if (tconv_is_winograd(&tiling))
    json["tile_outputs"] = tiling.tile_outputs;
  else
    json["functions"] = schedule.variants.size();
  return json;
}

nlohmann::ordered_json path_json(const Schedule &schedule, const TargetSchedule &path) {
  nlohmann::ordered_json json;
  if (tconv_is_winograd(&schedule.tiling))
    json["rows"] = path.rows;
  else
    json["tile"] = path.tile;
  json["columns"] = path.columns;
  json["lanes"] = path.lanes;
  return json;
}

// One of several kernels; `targets` are the library's.
nlohmann::ordered_json general_json(const LibraryKernel &kernel, const nlohmann::ordered_json &targets) {
  nlohmann::ordered_json json = {{"name", kernel.name}, {"most_filters", kernel.schedule.most_filters}};
  json.update(kernel_json(kernel.schedule));
  for (std::size_t t = 0; t < targets.size(); ++t)
    for (const TargetSchedule &path : paths_of(kernel.schedule.targets[t])) {
      json["paths"].push_back({{"target", targets[t]["target"]}});
      json["paths"].back().update(path_json(kernel.schedule, path));
    }
  return json;
}

}  // namespace

std::string manifest_text(const EmitRequest &request, const std::vector<LibraryKernel> &kernels,
                          const std::vector<TargetObject> &objects) {
  const Plan &plan = request.plan;
  nlohmann::ordered_json json;
  json["name"] = plan.name;
  json["key"] = key(plan);
  json["tconv"] = version;
  json["halide"] = halide_version;
  json["abi"] = TCONV_ABI_VERSION;
  nlohmann::ordered_json targets = nlohmann::ordered_json::array();
  for (const TargetObject &object : objects)
    targets.push_back({{"target", object.target.to_string()},
                       {"code_bytes", object.code_bytes > 0 ? nlohmann::ordered_json(object.code_bytes) : nullptr}});
  if (plan.general) {
    json["targets"] = targets;
    for (const LibraryKernel &kernel : kernels) json["kernels"].push_back(general_json(kernel, targets));
    return json.dump(2) + "\n";
  }
  const Schedule &schedule = kernels.front().schedule;
  const tconv_dims dims = typical_dims(plan);
  json["layer"] = layer_json(plan);
  json["packed_bytes"] = tconv_packed_floats(&schedule.tiling, &plan.layer, &dims) * 4;
  json["weights"] = request.baked ? "baked" : "packed by the caller";
  json.update(kernel_json(schedule));
  for (std::size_t t = 0; t < targets.size(); ++t) {
    targets[t].update(path_json(schedule, schedule.targets[t]));
    targets[t]["workspace_bytes"] = workspace_json(request, schedule, t);
  }
  json["targets"] = targets;
  return json.dump(2) + "\n";
}

}  // namespace tconv
