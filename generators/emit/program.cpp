#include "emit/program.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "emit/c_compiler.h"
#include "emit/header.h"
#include "emit/process.h"
#include "emit/support_files.h"
#include "emit/targets.h"
#include "tconv/activation.h"
#include "version.h"

namespace tconv {

namespace fs = std::filesystem;

namespace {

struct Kernel {
  std::string name;       // of the library and its header
  std::string reference;  // the tconv_kernel, in C
  fs::path directory;
  std::int64_t code_bytes = 0;
};

// The library's own kernels lie beside the compiler, in the build tree and where it is installed.
Result<Kernel> general_kernel(const ProgramRequest &request) {
  Kernel kernel;
  kernel.name = general_plan(request.plan.layer.rank, request.plan.layer.channels_last != 0).name;
  kernel.reference = fmt::format("(*{}_kernel(&program_layer))", kernel.name);
  const std::string family = family_name(request.targets[0]);
  std::error_code error;
  const fs::path prefix = fs::read_symlink("/proc/self/exe", error).parent_path().parent_path();
  for (const fs::path &place : {prefix / "general", prefix / library_directory / "tconv/general"}) {
    kernel.directory = place / family;
    if (fs::exists(kernel.directory / (kernel.name + ".h"))) return kernel;
  }
  return Status(StatusCode::not_found, fmt::format("the library was not built with general kernels for {}", family));
}

Result<Kernel> own_kernel(const ProgramRequest &request, const fs::path &work) {
  EmitRequest emission;
  emission.plan = request.plan;
  emission.plan.name = "kernel";
  emission.targets = request.targets;
  emission.weight_strides = request.weight_strides;
  emission.schedule = request.schedule;
  emission.runtime_object = request.runtime_object;
  const Result<Emitted> emitted = emit(emission, work / "kernel");
  if (!emitted.ok()) return emitted.status();
  Kernel kernel{emission.plan.name, emission.plan.name + "_kernel", work / "kernel"};
  const nlohmann::json manifest = nlohmann::json::parse(emitted.value().manifest);
  for (const auto &target : manifest["targets"])
    if (target["code_bytes"].is_number()) kernel.code_bytes += target["code_bytes"].get<std::int64_t>();
  return kernel;
}

std::string activation_constants() {
  std::string text = "enum {";
  for (int i = 0; i < activation_count; ++i)
    text += fmt::format(" activation_{} = {},", name(static_cast<Activation>(i)), i);
  text.back() = ' ';
  return text + "};\n";
}

// The layer as data, then the program.
std::string source(const ProgramRequest &request, const Kernel &kernel) {
  const std::string data = fmt::format(
      "#include \"{0}.h\"\n"
      "static const tconv_layer program_layer = {1};\n"
      "static const tconv_weight_strides program_strides = {2};\n"
      "#define KERNEL {3}\n#define LAYER program_layer\n#define STRIDES program_strides\n",
      kernel.name, layer_initializer(request.plan.layer), strides_initializer(request.weight_strides),
      kernel.reference);
  if (request.kind == ProgramKind::run_files) return data + std::string(runner_source());
  return fmt::format("{}#define CODE_BYTES {}\n{}{}\n{}", data, kernel.code_bytes, activation_constants(),
                     processor_source(), program_source());
}

}  // namespace

Result<fs::path> make_program(const ProgramRequest &request, const Staging &work) {
  const Halide::Target &target = request.targets[0];
  const Result<std::string> compiler = c_compiler(target);
  if (!compiler.ok()) return compiler.status();
  const Result<Kernel> kernel = request.general ? general_kernel(request) : own_kernel(request, work.path());
  if (!kernel.ok()) return kernel.status();
  const Status status = work.write("main.c", source(request, kernel.value()));
  if (!status.ok()) return status;
  const fs::path program = work.path() / "program", &directory = kernel.value().directory;
  std::vector<std::string> command = {compiler.value(),
                                      "-O2",  // at -O1, GCC stores the sums of the peak's loop
                                      "-std=gnu99",
                                      "-I" + directory.string(),
                                      (work.path() / "main.c").string(),
                                      (directory / static_library_name(kernel.value().name, target)).string(),
                                      "-o",
                                      program.string()};
  if (request.linked_statically) command.emplace_back("-static");
  command.insert(command.end(), {"-lpthread", "-ldl", "-lm"});
  const Status linked = run_program(command).status();
  if (!linked.ok()) return linked;
  return program;
}

Result<std::vector<std::string>> starter(const Halide::Target &target) {
  if (runs_here(target)) return std::vector<std::string>{};
  if (target.has_feature(Halide::Target::CUDA))
    return Status(StatusCode::unsupported, "tconvc does not start CUDA kernels: link the emitted library");
  if (family_name(target) == "arm-64-linux") return std::vector<std::string>{"qemu-aarch64"};
  return Status(StatusCode::unsupported,
                fmt::format("this machine does not run {}: tconvc targets says what it runs", target.to_string()));
}

}  // namespace tconv
