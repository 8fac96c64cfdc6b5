#include "emit/header.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "emit/targets.h"
#include "tconv/activation.h"
#include "tconv/blocks.h"
#include "version.h"

namespace tconv {

namespace {

template <typename Array>
std::string braces(const Array &values) {
  return fmt::format("{{{}}}", fmt::join(values, ", "));
}

std::string rule_initializer(const tconv_rule &rule) {
  return fmt::format("{{{}, {}, {}, {}, {}, {}, {}, {}}}", rule.padding, rule.kernel, rule.stride, rule.dilation,
                     rule.output_padding, rule.pad_begin, rule.pad_end, rule.output);
}

// Winograd's functions of target `t`: their declarations and tables.
std::string tile_tables(const std::string &name, const Schedule &schedule, std::size_t t) {
  const std::vector<int> &rows = schedule.targets[t].rows;
  std::vector<std::string> products;
  for (std::size_t i = 0; i < rows.size(); ++i) products.push_back(products_symbol(name, t, i) + "_argv");
  std::string declarations, kinds;
  for (const std::string &symbol : products) declarations += fmt::format("int {}(void **argv);\n", symbol);
  for (int kind = 0; kind < TCONV_TILE_KINDS; ++kind) {
    if (!tconv_has_kind(&schedule.tiling, kind)) {
      kinds += "  {NULL, NULL, NULL, NULL, 0},\n";
      continue;
    }
    const std::string input = transform_input_symbol(name, t, kind) + "_argv";
    const std::string output = transform_output_symbol(name, t, kind) + "_argv";
    declarations += fmt::format("int {}(void **argv);\nint {}(void **argv);\n", input, output);
    kinds +=
        fmt::format("  {{{2}, {3}, {0}_t{1}_products, {0}_t{1}_rows, {4}}},\n", name, t, input, output, rows.size());
  }
  return declarations + fmt::format(
                            "static const tconv_function {0}_t{1}_products[] = {2};\n"
                            "static const int32_t {0}_t{1}_rows[] = {3};\n"
                            "static const tconv_tile_functions {0}_t{1}_tiles[] = {{\n{4}}};\n",
                            name, t, braces(products), braces(rows), kinds);
}

// The tables, from the functions of each target up to the kernel.
std::string tables(const EmitRequest &request, const Schedule &schedule) {
  const Plan &plan = request.plan;
  const std::string &name = plan.name;
  std::string declarations, arrays, paths, variants;
  for (const tconv_variant &variant : schedule.variants)
    variants += fmt::format("  {{{}, {}}},\n", braces(variant.phases), braces(variant.taps));
  for (std::size_t t = 0; t < request.targets.size(); ++t) {
    std::vector<std::string> phases;
    for (std::size_t v = 0; v < schedule.variants.size(); ++v) phases.push_back(variant_symbol(name, t, v) + "_argv");
    const std::string activate = has_activate(plan) ? activate_symbol(name, t) + "_argv" : "NULL";
    const std::string softmax = has_softmax(plan) ? softmax_symbol(name, t) + "_argv" : "NULL";
    const std::string transpose = has_transpose(schedule.tiling) ? transpose_symbol(name, t) + "_argv" : "NULL";
    for (const std::string &symbol : phases) declarations += fmt::format("int {}(void **argv);\n", symbol);
    if (activate != "NULL") declarations += fmt::format("int {}(void **argv);\n", activate);
    if (softmax != "NULL") declarations += fmt::format("int {}(void **argv);\n", softmax);
    if (transpose != "NULL") declarations += fmt::format("int {}(void **argv);\n", transpose);
    const bool tiles = tconv_is_winograd(&schedule.tiling);
    arrays += tiles ? tile_tables(name, schedule, t)
                    : fmt::format("static const tconv_function {}_t{}_phases[] = {};\n", name, t, braces(phases));
    const std::string own = fmt::format("{}_t{}_", name, t);
    const auto words = feature_words(request.targets[t]);
    paths +=
        fmt::format("  {{\"{}\", {{UINT64_C({:#x}), UINT64_C({:#x})}}, {}, {}, {}, {}, {}, {}}},\n",
                    request.targets[t].to_string(), words[0], words[1], tiles ? "NULL" : own + "phases",
                    braces(schedule.targets[t].tile), activate, softmax, tiles ? own + "tiles" : "NULL", transpose);
  }
  const std::string baked = request.baked ? baked_symbol(name) + "_argv" : "NULL";
  if (request.baked) declarations += fmt::format("int {}(void **argv);\n", baked);
  const tconv_tiling &tiling = schedule.tiling;
  if (!variants.empty())
    variants = fmt::format("static const tconv_variant {}_variants[] = {{\n{}}};\n", name, variants);
  return fmt::format(
      "{0}\n{1}{3}static const tconv_path {2}_paths[] = "
      "{{\n{4}}};\n"
      "static const tconv_kernel {2}_kernel = {{\n  TCONV_ABI_VERSION, {5}, \"{2}\",\n  \"{6}\",\n"
      "  {{{7}, {8}, {9}, {10}, {11}, {{{15}, {20}}}, {17}, {18}, {19}, {21}}}, {16}, {12}, {2}_paths, {13}, {14}}};\n",
      declarations, arrays, name, variants, paths, plan.general ? 1 : 0, key(plan), tiling.panel, tiling.merge_phases,
      tiling.dense_phases, tiling.group_columns, tiling.block_bytes, schedule.variants.size(), request.targets.size(),
      baked, braces(tiling.tile_outputs[0]), variants.empty() ? "NULL" : name + "_variants", tiling.transpose_input,
      tiling.transpose_output, tiling.thread_work, braces(tiling.tile_outputs[1]), tiling.lane_sums);
}

// The functions that a user calls. Sizes are parameters only where the layer leaves them open.
std::string functions(const EmitRequest &request) {
  const std::string &name = request.plan.name;
  const tconv_layer &layer = request.plan.layer;
  bool open = layer.batch == TCONV_UNSET;
  for (int d = 0; d < layer.rank; ++d) open = open || layer.size[d] == TCONV_UNSET;
  const std::string sizes = open ? fmt::format("int64_t batch, const int64_t size[{}], ", layer.rank) : "";
  const std::string pass_sizes = open ? "batch, size, " : "";
  std::string set_sizes;
  if (open) {
    set_sizes =
        fmt::format("  call->batch = batch;\n  for (d = 0; d < {}; ++d) call->size[d] = size[d];\n", layer.rank);
  } else {
    set_sizes = fmt::format(
        "  call->batch = {0}_layer.batch;\n  for (d = 0; d < {1}; ++d) call->size[d] = {0}_layer.size[d];\n", name,
        layer.rank);
  }
  std::string text = fmt::format(
      "static const tconv_layer {0}_layer = {1};\n\n"
      "static inline void {0}_prepare({2}int threads, tconv_call *call) {{\n"
      "  int d;\n  memset(call, 0, sizeof *call);\n{3}  call->threads = threads;\n}}\n\n"
      "/* Bytes of workspace that {0}_run() needs{4}; threads as there. */\n"
      "static inline size_t {0}_workspace_bytes({2}int threads) {{\n"
      "  tconv_call call;\n  {0}_prepare({5}threads, &call);\n"
      "  return tconv_workspace_bytes(&{0}_kernel, &{0}_layer, &call);\n}}\n\n",
      name, layer_initializer(layer), sizes, set_sizes, open ? " for these sizes" : "", pass_sizes);
  if (!request.baked)
    text += fmt::format(
        "static const tconv_weight_strides {0}_weight_strides = {1};\n\n"
        "/* Bytes of the packed weights. */\n"
        "static inline size_t {0}_packed_bytes(void) {{ return tconv_packed_bytes(&{0}_kernel, &{0}_layer); }}\n\n"
        "/* Packs kernel (in its framework's order) and bias (NULL: zeros), once. */\n"
        "static inline int {0}_pack(const float *kernel, const float *bias, float *packed) {{\n"
        "  return tconv_pack(&{0}_kernel, &{0}_layer, kernel, &{0}_weight_strides, bias, packed);\n}}\n\n",
        name, strides_initializer(request.weight_strides));
  text += fmt::format(
      "/* Runs the layer on dense arrays. `threads`: at most so many tasks at once, 0: as many as the pool has. "
      "Returns a\n"
      " * tconv_status. Concurrent calls are safe when each has an output and a workspace of its own. */\n"
      "static inline int {0}_run({1}const float *input, {2}float *output,\n"
      "                          void *workspace, size_t workspace_bytes, int threads) {{\n  tconv_call call;\n  "
      "{0}_prepare({3}threads, &call);\n  call.input = input;\n{4}"
      "  call.output = output;\n  call.workspace = workspace;\n  call.workspace_bytes = workspace_bytes;\n"
      "  return tconv_run_kernel(&{0}_kernel, &{0}_layer, &call);\n}}\n",
      name, sizes, request.baked ? "" : "const float *packed, ", pass_sizes,
      request.baked ? "" : "  call.packed = packed;\n");
  return text;
}

std::string describe_layer(const EmitRequest &request) {
  std::string text = fmt::format("/* {}\n *\n * Made by tconv {}; do not edit. ", key(request.plan), version);
  if (request.plan.general) return text + "Any layer of this rank and layout: see tconv/run.h. */\n";
  return text + (request.baked ? "The weights are inside the library. */\n" : "Weights are packed by the caller. */\n");
}

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
  std::size_t bytes = 0;
  for (int kind = 0; kind < TCONV_TILE_KINDS; ++kind) {
    if (!tconv_has_kind(&schedule.tiling, kind)) continue;
    const tconv_blocks blocks = cut_call(request.plan, schedule, target, kind);
    bytes = std::max(bytes, tconv_blocks_bytes(&blocks));
  }
  return bytes;
}

}  // namespace

std::string layer_initializer(const tconv_layer &layer) {
  std::vector<std::string> rules;
  for (int d = 0; d < layer.rank; ++d) rules.push_back(rule_initializer(layer.rule[d]));
  const std::vector<std::int64_t> size(layer.size, layer.size + layer.rank);
  return fmt::format("{{{}, {}, {}, {}, {},\n  {},\n  {}, {}, {}}}", layer.rank, layer.channels_last, layer.in_channels,
                     layer.out_channels, layer.groups, braces(rules), layer.batch, braces(size), layer.activation);
}

std::string strides_initializer(const tconv_weight_strides &strides) {
  return fmt::format("{{{}, {}, {}, {}}}", strides.group, strides.out, strides.in, braces(strides.tap));
}

std::string header_text(const EmitRequest &request, const Schedule &schedule) {
  std::string guard = request.plan.name + "_H";
  for (char &c : guard) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const std::string body = request.plan.general ? std::string() : "\n" + functions(request);
  return fmt::format(
      "{0}#ifndef {1}\n#define {1}\n\n#include \"tconv/run.h\"\n\n#ifdef __cplusplus\nextern \"C\" "
      "{{\n#endif\n\n{2}{3}\n"
      "#ifdef __cplusplus\n}}\n#endif\n\n#endif\n",
      describe_layer(request), guard, tables(request, schedule), body);
}

std::string cmake_text(const EmitRequest &request) {
  const Halide::Target &target = request.targets.front();
  const bool shared = request.shared_library && !request.static_library;
  const std::string library =
      shared ? shared_library_name(request.plan.name, target) : static_library_name(request.plan.name, target);
  const std::string system =
      target.os == Halide::Target::Linux ? "Threads::Threads;${CMAKE_DL_LIBS};m" : "Threads::Threads";
  return fmt::format(
      "# find_package({0}) gives the target {0}::{0}.\n"
      "include(CMakeFindDependencyMacro)\nfind_dependency(Threads)\n"
      "if(NOT TARGET {0}::{0})\n  add_library({0}::{0} {1} IMPORTED)\n"
      "  set_target_properties({0}::{0} PROPERTIES\n    IMPORTED_LOCATION \"${{CMAKE_CURRENT_LIST_DIR}}/{2}\"\n"
      "    INTERFACE_INCLUDE_DIRECTORIES \"${{CMAKE_CURRENT_LIST_DIR}}\"\n    INTERFACE_LINK_LIBRARIES \"{3}\")\n"
      "endif()\n",
      request.plan.name, shared ? "SHARED" : "STATIC", library, system);
}

std::string manifest_text(const EmitRequest &request, const Schedule &schedule,
                          const std::vector<TargetObject> &objects) {
  nlohmann::ordered_json json;
  json["name"] = request.plan.name;
  json["key"] = key(request.plan);
  json["tconv"] = version;
  json["halide"] = halide_version;
  json["abi"] = TCONV_ABI_VERSION;
  json["method"] = schedule.method;
  if (!request.plan.general) {
    json["layer"] = layer_json(request.plan);
    const tconv_dims dims = typical_dims(request.plan);
    json["packed_bytes"] = tconv_packed_floats(&schedule.tiling, &request.plan.layer, &dims) * 4;
    json["weights"] = request.baked ? "baked" : "packed by the caller";
  }
  json["panel"] = schedule.tiling.panel;
  json["transposed"] = {{"input", schedule.tiling.transpose_input != 0},
                        {"output", schedule.tiling.transpose_output != 0}};
  if (tconv_is_winograd(&schedule.tiling))
    json["tile_outputs"] = schedule.tiling.tile_outputs;
  else
    json["functions"] = schedule.variants.size();
  for (std::size_t t = 0; t < objects.size(); ++t) {
    nlohmann::ordered_json one;
    one["target"] = objects[t].target.to_string();
    one["code_bytes"] = objects[t].code_bytes > 0 ? nlohmann::ordered_json(objects[t].code_bytes) : nullptr;
    if (tconv_is_winograd(&schedule.tiling))
      one["rows"] = schedule.targets[t].rows;
    else
      one["tile"] = schedule.targets[t].tile;
    one["columns"] = schedule.targets[t].columns;
    one["lanes"] = schedule.targets[t].lanes;
    if (!request.plan.general) one["workspace_bytes"] = workspace_json(request, schedule, t);
    json["targets"].push_back(one);
  }
  return json.dump(2) + "\n";
}

std::string static_library_name(const std::string &name, const Halide::Target &target) {
  return target.os == Halide::Target::Windows ? name + ".lib" : "lib" + name + ".a";
}

std::string shared_library_name(const std::string &name, const Halide::Target &target) {
  switch (target.os) {
    case Halide::Target::Windows: return name + ".dll";
    case Halide::Target::OSX:
    case Halide::Target::IOS: return "lib" + name + ".dylib";
    default: return "lib" + name + ".so";
  }
}

}  // namespace tconv
