#include "cli/runner.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "emit/c_compiler.h"
#include "emit/header.h"
#include "emit/staging.h"
#include "emit/support_files.h"
#include "emit/targets.h"
#include "version.h"

namespace tconv {

namespace fs = std::filesystem;

namespace {

// The library's own kernels lie beside the compiler, in the build tree and where it is installed.
Result<fs::path> general_directory(const Halide::Target &target, const std::string &name) {
  std::error_code error;
  const fs::path prefix = fs::read_symlink("/proc/self/exe", error).parent_path().parent_path();
  for (const fs::path &place : {prefix / "general", prefix / library_directory / "tconv/general"}) {
    const fs::path directory = place / family_name(target);
    if (fs::exists(directory / (name + ".h"))) return directory;
  }
  return Status(StatusCode::not_found,
                fmt::format("the library was not built with general kernels for {}", family_name(target)));
}

// The source of the program: the layer as data, then the runner.
std::string program_source(const LoadedLayer &layer, const std::string &kernel) {
  return fmt::format(
      "#include \"{0}.h\"\n"
      "static const tconv_layer runner_layer = {1};\n"
      "static const tconv_weight_strides runner_strides = {2};\n"
      "#define KERNEL {0}_kernel\n#define LAYER runner_layer\n#define STRIDES runner_strides\n{3}",
      kernel, layer_initializer(layer.plan.layer), strides_initializer(layer.weight_strides), runner_source());
}

Status write_floats(const fs::path &path, const std::vector<float> &data) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char *>(data.data()), static_cast<std::streamsize>(data.size() * sizeof(float)));
  file.close();
  return file ? Status() : Status(StatusCode::io_error, fmt::format("cannot write '{}'", path.string()));
}

Status read_floats(const fs::path &path, std::vector<float> &data) {
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char *>(data.data()), static_cast<std::streamsize>(data.size() * sizeof(float)));
  const bool whole = file.gcount() == static_cast<std::streamsize>(data.size() * sizeof(float));
  return whole ? Status() : Status(StatusCode::io_error, fmt::format("cannot read '{}'", path.string()));
}

// The specialised kernel into the working directory, or the library's general one where it lies.
Result<fs::path> find_kernel(const RunnerRequest &request, const std::vector<Halide::Target> &targets,
                             const fs::path &work, std::string &name) {
  const LoadedLayer &layer = *request.layer;
  if (request.general) {
    name = general_plan(layer.plan.layer.rank, layer.plan.layer.channels_last != 0).name;
    return general_directory(targets[0], name);
  }
  EmitRequest emission;
  emission.plan = layer.plan;
  emission.plan.name = name = "run";
  emission.targets = targets;
  emission.weight_strides = layer.weight_strides;
  const Result<Emitted> emitted = emit(emission, work / "kernel");
  if (!emitted.ok()) return emitted.status();
  return work / "kernel";
}

// How to start a program of that target here; empty where it starts by itself.
Result<std::vector<std::string>> starter(const Halide::Target &target) {
  if (runs_here(target)) return std::vector<std::string>{};
  if (target.has_feature(Halide::Target::CUDA))
    return Status(StatusCode::unsupported, "tconvc run does not start CUDA kernels: link the emitted library");
  if (family_name(target) == "arm-64-linux") return std::vector<std::string>{"qemu-aarch64"};
  return Status(StatusCode::unsupported,
                fmt::format("this machine does not run {}: tconvc targets says what it runs", target.to_string()));
}

std::vector<std::string> program_arguments(const RunnerRequest &request, const fs::path &work) {
  const LoadedLayer &layer = *request.layer;
  const bool has_bias = !layer.weights->bias.data.empty();
  std::vector<std::string> arguments = {work / "input", work / "weights", has_bias ? (work / "bias").string() : "-",
                                        work / "output", std::to_string(request.input_shape[0])};
  const std::size_t first = layer.plan.layer.channels_last ? 1 : 2;
  for (std::size_t d = 0; d < TCONV_MAX_RANK; ++d)
    arguments.push_back(
        std::to_string(static_cast<int>(d) < layer.plan.layer.rank ? request.input_shape[first + d] : 1));
  arguments.push_back(std::to_string(request.threads));
  arguments.push_back(fmt::format("{}", request.seconds));
  return arguments;
}

Status build_program(const std::vector<Halide::Target> &targets, const fs::path &kernel, const std::string &name,
                     const fs::path &work) {
  const Result<std::string> compiler = c_compiler(targets[0]);
  if (!compiler.ok()) return compiler.status();
  std::vector<std::string> command = {compiler.value(),
                                      "-O2",
                                      "-std=gnu99",
                                      "-I" + kernel.string(),
                                      (work / "main.c").string(),
                                      (kernel / static_library_name(name, targets[0])).string(),
                                      "-o",
                                      (work / "program").string()};
  if (!runs_here(targets[0])) command.emplace_back("-static");
  command.insert(command.end(), {"-lpthread", "-ldl", "-lm"});
  return run_program(command).status();
}

}  // namespace

Result<RunnerResult> run_layer(const RunnerRequest &request) {
  const Result<std::vector<Halide::Target>> targets = check_targets({request.target});
  if (!targets.ok()) return targets.status();
  const Result<std::vector<std::string>> start = starter(targets.value()[0]);
  if (!start.ok()) return start.status();
  const Result<Shape> output_shape = compute_output_shape(request.layer->config, request.input_shape);
  if (!output_shape.ok()) return output_shape.status();
  const Result<Staging> staging = Staging::beside(fs::temp_directory_path());
  if (!staging.ok()) return staging.status();
  const fs::path &work = staging.value().path();

  std::string name;
  const Result<fs::path> kernel = find_kernel(request, targets.value(), work, name);
  if (!kernel.ok()) return kernel.status();
  Status status = staging.value().write("main.c", program_source(*request.layer, name));
  if (status.ok()) status = build_program(targets.value(), kernel.value(), name, work);
  if (status.ok()) status = write_floats(work / "input", request.input->data);
  if (status.ok()) status = write_floats(work / "weights", request.layer->weights->kernel.data);
  if (status.ok()) status = write_floats(work / "bias", request.layer->weights->bias.data);
  if (!status.ok()) return status;

  std::vector<std::string> command = start.value();
  command.push_back(work / "program");
  for (const std::string &argument : program_arguments(request, work)) command.push_back(argument);
  const Result<std::string> report = run_program(command);
  if (!report.ok()) return report.status();
  RunnerResult result{{output_shape.value(), {}}, report.value()};
  std::size_t elements = 1;
  for (const std::int64_t size : output_shape.value()) elements *= static_cast<std::size_t>(size);
  result.output.data.resize(elements);
  status = read_floats(work / "output", result.output.data);
  if (!status.ok()) return status;
  return result;
}

}  // namespace tconv
