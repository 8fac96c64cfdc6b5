#include "cli/runner.h"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "emit/process.h"
#include "emit/program.h"
#include "emit/staging.h"
#include "emit/targets.h"

namespace tconv {

namespace fs = std::filesystem;

namespace {

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

std::vector<std::string> program_arguments(const RunnerRequest &request, const fs::path &work) {
  const LoadedLayer &layer = *request.layer;
  const bool has_bias = !layer.weights->bias.data.empty();
  const Shape &shape = request.input->shape;
  std::vector<std::string> arguments = {work / "input", work / "weights", has_bias ? (work / "bias").string() : "-",
                                        work / "output", std::to_string(shape[0])};
  const std::size_t first = layer.plan.layer.channels_last ? 1 : 2;
  for (std::size_t d = 0; d < TCONV_MAX_RANK; ++d)
    arguments.push_back(std::to_string(static_cast<int>(d) < layer.plan.layer.rank ? shape[first + d] : 1));
  arguments.push_back(std::to_string(request.threads));
  return arguments;
}

}  // namespace

Result<Tensor> run_layer(const RunnerRequest &request) {
  const Halide::Target &target = request.targets[0];
  const Result<std::vector<std::string>> start = starter(target);
  if (!start.ok()) return start.status();
  const Result<Shape> output_shape = compute_output_shape(request.layer->config, request.input->shape);
  if (!output_shape.ok()) return output_shape.status();
  const Result<Staging> staging = Staging::beside(fs::temp_directory_path());
  if (!staging.ok()) return staging.status();
  const fs::path &work = staging.value().path();

  const Result<fs::path> program = make_program({ProgramKind::run_files,
                                                 request.layer->plan,
                                                 request.layer->weight_strides,
                                                 request.targets,
                                                 request.general,
                                                 request.schedule,
                                                 !runs_here(target),
                                                 {}},
                                                staging.value());
  if (!program.ok()) return program.status();
  Status status = write_floats(work / "input", request.input->data);
  if (status.ok()) status = write_floats(work / "weights", request.layer->weights->kernel.data);
  if (status.ok()) status = write_floats(work / "bias", request.layer->weights->bias.data);
  if (!status.ok()) return status;

  std::vector<std::string> command = start.value();
  command.push_back(program.value());
  for (const std::string &argument : program_arguments(request, work)) command.push_back(argument);
  status = run_program(command).status();
  if (!status.ok()) return status;
  Tensor output{output_shape.value(), {}};
  std::size_t elements = 1;
  for (const std::int64_t size : output.shape) elements *= static_cast<std::size_t>(size);
  output.data.resize(elements);
  status = read_floats(work / "output", output.data);
  if (!status.ok()) return status;
  return output;
}

}  // namespace tconv
