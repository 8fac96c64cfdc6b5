// Compiles random layers ahead of time, links them all into one program and runs it.
//
//   specialised_layers DIRECTORY FIRST COUNT host|arm-64-linux TESTS_INCLUDE CHECKS_LIBRARY [EMULATOR] -- COMPILER...
//
// The kernels of the host are made for all its paths or for one, in turn.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "emit/emit.h"
#include "emit/process.h"
#include "emit/targets.h"
#include "specialised/specialised_layer.h"

namespace fs = std::filesystem;
using namespace tconv;
using namespace tconv::test;

namespace {

constexpr std::int64_t most_code_bytes = 150 * 1024;

struct Options {
  fs::path directory, tests, library;
  std::uint64_t first = 0, count = 0;
  std::string target, emulator;
  std::vector<std::string> compiler;
};

struct Totals {
  std::int64_t largest_code = 0;
  double seconds = 0, slowest = 0;  // the slowest is of one target
  std::uint64_t slowest_index = 0;
  int kernels = 0, targets = 0;
  std::map<std::string, int> methods;
};

[[noreturn]] void fail(const std::string &what) {
  fmt::print(stderr, "{}\n", what);
  std::exit(1);
}

// All paths of this machine, or one of them.
std::vector<std::string> targets_of(const std::string &target, std::uint64_t index) {
  if (target != "host") return {target};
  const std::vector<std::string> paths = host_paths();
  if (index % 3 == 0) return paths;
  return {paths[index / 3 % paths.size()]};
}

// Each sort of core has schedules of its own.
std::string processor_of(std::uint64_t index) { return index / 2 % 2 == 0 ? "amd-26-2" : "any"; }

EmitRequest request_of(std::uint64_t index, const std::string &target, bool with_runtime) {
  const RandomLayer random = draw_specialised(index);
  EmitRequest request;
  request.plan.name = fmt::format("layer_{}", index);
  request.plan.layer = random.layer;
  request.plan.processor = processor_of(index);
  if (is_exact(index)) request.plan.use_winograd = UseWinograd::never;
  if (uses_winograd(index)) request.plan.use_winograd = UseWinograd::where_possible;
  request.weight_strides = strides_of(random);
  const Result<std::vector<Halide::Target>> targets = check_targets(targets_of(target, index));
  if (!targets.ok()) fail(targets.status().message());
  request.targets = targets.value();
  request.runtime = with_runtime;
  if (is_baked(index)) {
    const std::vector<float> bias = bias_of(random);
    request.baked = Weights{{{}, weight_array(random)}, {{static_cast<std::int64_t>(bias.size())}, bias}};
  }
  return request;
}

void emit_layer(const Options &options, std::uint64_t index, Totals &totals) {
  const EmitRequest request = request_of(index, options.target, index == options.first);
  const auto start = std::chrono::steady_clock::now();
  const Result<Emitted> emitted = emit(request, options.directory);
  const RandomLayer random = draw_specialised(index);
  if (!emitted.ok()) fail(describe(random, random.calls[0]) + "\n  " + emitted.status().message());
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  const auto count = static_cast<double>(request.targets.size());
  totals.seconds += taken.count();
  if (taken.count() / count > totals.slowest) {
    totals.slowest = taken.count() / count;
    totals.slowest_index = index;
  }
  ++totals.kernels;
  const nlohmann::json manifest = nlohmann::json::parse(emitted.value().manifest);
  std::string method = manifest["method"];
  for (const char *array : {"input", "output"})
    if (manifest["transposed"][array]) method += std::string(" with its ") + array + " transposed";
  ++totals.methods[method];
  for (const auto &target : manifest["targets"]) {
    const std::int64_t code = target["code_bytes"];
    totals.largest_code = std::max(totals.largest_code, code);
    ++totals.targets;
    if (code <= 0 || code >= most_code_bytes)
      fail(fmt::format("{}\n  has {} bytes of code for {}", describe(random, random.calls[0]), code,
                       target["target"].get<std::string>()));
  }
}

void write_table(const Options &options, const fs::path &path) {
  std::ofstream file(path);
  std::string table;
  for (std::uint64_t i = options.first; i < options.first + options.count; ++i) {
    file << fmt::format("#include \"layer_{}.h\"\n", i);
    table += fmt::format("    {{&layer_{0}_kernel, &layer_{0}_layer, {0}}},\n", i);
  }
  file << "namespace {\nconst tconv::test::SpecialisedLayer specialised_table[] = {\n" << table << "};\n}\n";
  file.close();
  if (!file) fail("cannot write " + path.string());
}

// The emitted headers lie beside the table and are not ours to warn about.
std::string build(const Options &options) {
  const fs::path table = options.directory / fmt::format("table_{}.h", options.first);
  const fs::path program = options.directory / fmt::format("run_{}", options.first);
  write_table(options, table);
  std::vector<std::string> command = options.compiler;
  command.insert(command.end(),
                 {"-std=c++20", "-O1", "-w", "-I" + options.directory.string(), "-I" + options.tests.string(),
                  fmt::format("-DSPECIALISED_TABLE=\"{}\"", table.filename().string()),
                  (options.tests / "specialised/run_specialised.cpp").string(), options.library.string()});
  for (std::uint64_t i = options.first; i < options.first + options.count; ++i)
    command.push_back((options.directory / fmt::format("liblayer_{}.a", i)).string());
  command.insert(command.end(), {"-o", program.string(), "-lpthread", "-ldl", "-lm"});
  const Result<std::string> compiled = run_program(command);
  if (!compiled.ok()) fail(compiled.status().message());
  return program.string();
}

Options parse(std::span<char *> arguments) {
  const auto dashes = std::find(arguments.begin(), arguments.end(), std::string("--"));
  if (dashes - arguments.begin() < 7 || dashes == arguments.end()) fail("usage: see specialised_layers.cpp");
  Options options;
  options.directory = arguments[1];
  options.first = std::strtoull(arguments[2], nullptr, 10);
  options.count = std::strtoull(arguments[3], nullptr, 10);
  options.target = arguments[4];
  options.tests = arguments[5];
  options.library = arguments[6];
  if (dashes - arguments.begin() > 7) options.emulator = arguments[7];
  options.compiler.assign(dashes + 1, arguments.end());
  return options;
}

}  // namespace

int main(int argc, char **argv) {
  const Options options = parse(std::span(argv, static_cast<std::size_t>(argc)));
  Totals totals;
  for (std::uint64_t i = options.first; i < options.first + options.count; ++i) emit_layer(options, i, totals);
  fmt::print(
      "{} kernels for {} targets in {:.1f} s, the slowest (layer_{}) {:.2f} s a target; at most {} bytes of code; {}\n",
      totals.kernels, totals.targets, totals.seconds, totals.slowest_index, totals.slowest, totals.largest_code,
      totals.methods);
  if (options.count >= 23 && totals.methods.size() < 5)
    fail("a batch has five at least of direct, pixel_shuffle, depthwise and winograd kernels and of those transposed");
  for (const std::string method : {"lane_sums", "planes"})
    if (options.count >= 23 && totals.methods[method] == 0)
      fail(fmt::format("a batch has a kernel of {} at least", method));
  const std::string program = build(options);
  std::fflush(stdout);
  // The directory stays for a look at it when something is wrong.
  if (std::system(fmt::format("{} '{}'", options.emulator, program).c_str()) != 0) return 1;
  fs::remove_all(options.directory);
  return 0;
}
