#include "emit/header.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

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

// A function's name, declared where it is first met; "NULL" where there is none.
std::string declared(std::string &declarations, const std::string &symbol, bool exists = true) {
  if (!exists) return "NULL";
  const std::string line = fmt::format("int {}_argv(void **argv);\n", symbol);
  if (declarations.find(line) == std::string::npos) declarations += line;
  return symbol + "_argv";
}

// Winograd's functions of target `t`: their declarations and tables.
std::string tile_tables(const Plan &plan, const std::string &name, const Schedule &schedule, std::size_t t) {
  const std::vector<int> &rows = schedule.targets[t].rows;
  std::vector<std::string> products;
  std::string declarations, kinds;
  for (std::size_t i = 0; i < rows.size(); ++i) products.push_back(declared(declarations, products_symbol(name, t, i)));
  for (int kind = 0; kind < TCONV_TILE_KINDS; ++kind) {
    if (!tconv_has_kind(&schedule.tiling, kind)) {
      kinds += "  {NULL, NULL, NULL, NULL, 0},\n";
      continue;
    }
    const int own = function_kind(plan, schedule.tiling, kind);
    const std::string input = declared(declarations, transform_input_symbol(name, t, own));
    const std::string output = declared(declarations, transform_output_symbol(name, t, own));
    kinds +=
        fmt::format("  {{{2}, {3}, {0}_t{1}_products, {0}_t{1}_rows, {4}}},\n", name, t, input, output, rows.size());
  }
  return declarations + fmt::format(
                            "static const tconv_function {0}_t{1}_products[] = {2};\n"
                            "static const int32_t {0}_t{1}_rows[] = {3};\n"
                            "static const tconv_tile_functions {0}_t{1}_tiles[] = {{\n{4}}};\n",
                            name, t, braces(products), braces(rows), kinds);
}

struct Tables {
  std::string declarations, arrays;
};

// The path entries of target `t`, one for each register tile.
std::string add_paths(const EmitRequest &request, const LibraryKernel &kernel, std::size_t t, Tables &tables) {
  const Plan &plan = request.plan;
  const Schedule &schedule = kernel.schedule;
  const bool tiles = tconv_is_winograd(&schedule.tiling);
  const bool writes_last = tconv_writes_channels_last(&schedule.tiling, &plan.layer) != 0;
  std::string &names = tables.declarations;
  const std::string activate = declared(names, activate_symbol(plan.name, t, writes_last), has_activate(plan));
  const std::string softmax = declared(names, softmax_symbol(plan.name, t), has_softmax(plan));
  const std::string transpose = declared(names, transpose_symbol(plan.name, t), has_transpose(schedule.tiling));
  const std::string copy = declared(names, copy_symbol(plan.name, t), tconv_copies(&schedule.tiling));
  const auto words = feature_words(request.targets[t]);
  const std::vector<TargetSchedule> paths = paths_of(schedule.targets[t]);
  std::string entries;
  for (std::size_t p = 0; p < paths.size(); ++p) {
    const std::string own = path_prefix(kernel.name, t, p);
    if (tiles) {
      tables.arrays += tile_tables(plan, kernel.name, schedule, t);
    } else {
      std::vector<std::string> phases;
      for (std::size_t v = 0; v < schedule.variants.size(); ++v)
        phases.push_back(declared(names, variant_symbol(kernel.name, t, p, v)));
      tables.arrays += fmt::format("static const tconv_function {}phases[] = {};\n", own, braces(phases));
    }
    entries += fmt::format("  {{\"{}\", {{UINT64_C({:#x}), UINT64_C({:#x})}}, {}, {}, {}, {}, {}, {}, {}}},\n",
                           request.targets[t].to_string(), words[0], words[1], tiles ? "NULL" : own + "phases",
                           braces(paths[p].tile), activate, softmax, tiles ? own + "tiles" : "NULL", transpose, copy);
  }
  return entries;
}

// The kernel's initialiser.
std::string add_kernel(const EmitRequest &request, const LibraryKernel &kernel, Tables &tables) {
  const Schedule &schedule = kernel.schedule;
  const tconv_tiling &tiling = schedule.tiling;
  const std::string &name = kernel.name;
  std::string paths, variants;
  std::size_t path_count = 0;
  for (std::size_t t = 0; t < request.targets.size(); ++t) {
    paths += add_paths(request, kernel, t, tables);
    path_count += paths_of(schedule.targets[t]).size();
  }
  tables.arrays += fmt::format("static const tconv_path {}_paths[] = {{\n{}}};\n", name, paths);
  for (const tconv_variant &variant : schedule.variants)
    variants += fmt::format("  {{{}, {}}},\n", braces(variant.phases), braces(variant.taps));
  if (!variants.empty())
    tables.arrays += fmt::format("static const tconv_variant {}_variants[] = {{\n{}}};\n", name, variants);
  const std::string baked = declared(tables.declarations, baked_symbol(name), request.baked.has_value());
  return fmt::format(
      "{{\n  TCONV_ABI_VERSION, {}, \"{}\",\n  \"{}\",\n  {{{}, {}, {}, {}, {}, {{{}, {}}}, {}, {}, {}, {}, {}, {}}}, "
      "{}, {}, {}_paths, {}, {}}}",
      schedule.most_filters, name, key(request.plan), tiling.panel, tiling.merge_phases, tiling.dense_phases,
      tiling.group_columns, tiling.block_bytes, braces(tiling.tile_outputs[0]), braces(tiling.tile_outputs[1]),
      tiling.transpose_input, tiling.transpose_output, tiling.thread_work, tiling.lane_sums, tiling.bf16x3,
      tiling.strassen, variants.empty() ? "NULL" : name + "_variants", schedule.variants.size(), name, path_count,
      baked);
}

// A plan's own kernel is NAME_kernel; of a general plan's, NAME_kernel() finds the layer's.
std::string tables_text(const EmitRequest &request, const std::vector<LibraryKernel> &kernels) {
  const std::string &name = request.plan.name;
  Tables tables;
  std::vector<std::string> all;
  for (const LibraryKernel &kernel : kernels) all.push_back(add_kernel(request, kernel, tables));
  const std::string head = fmt::format("{}\n{}", tables.declarations, tables.arrays);
  if (!request.plan.general) return fmt::format("{}static const tconv_kernel {}_kernel = {};\n", head, name, all[0]);
  return fmt::format(
      "{0}static const tconv_kernel {1}_kernels[] = {{{2}}};\n\n"
      "/* The one for the layer: what packs its weights has to run its calls. */\n"
      "static inline const tconv_kernel *{1}_kernel(const tconv_layer *layer) {{\n"
      "  return tconv_choose_general({1}_kernels, {3}, layer);\n}}\n",
      head, name, fmt::join(all, ", "), all.size());
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

std::string header_text(const EmitRequest &request, const std::vector<LibraryKernel> &kernels) {
  std::string guard = request.plan.name + "_H";
  for (char &c : guard) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const std::string body = request.plan.general ? std::string() : "\n" + functions(request);
  return fmt::format(
      "{0}#ifndef {1}\n#define {1}\n\n#include \"tconv/run.h\"\n\n#ifdef __cplusplus\nextern \"C\" "
      "{{\n#endif\n\n{2}{3}\n"
      "#ifdef __cplusplus\n}}\n#endif\n\n#endif\n",
      describe_layer(request), guard, tables_text(request, kernels), body);
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
