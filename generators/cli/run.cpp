// tconvc run and tconvc bench.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/runner.h"
#include "cli/verbs.h"
#include "emit/process.h"
#include "emit/program.h"
#include "emit/staging.h"
#include "emit/targets.h"
#include "tconv/npy.h"

namespace tconv {

namespace {

// The input decides the sizes that the layer leaves open.
Status check_input(const LoadedLayer &layer, const std::string &path, const Shape &shape) {
  const std::string given = fmt::format("input '{}' of shape ({})", path, fmt::join(shape, ", "));
  if (static_cast<int>(shape.size()) != layer.config.rank + 2)
    return invalid_argument(
        fmt::format("{} has {} dimensions, the layer takes {}", given, shape.size(), layer.config.rank + 2));
  const std::size_t channel_axis = layer.plan.layer.channels_last ? shape.size() - 1 : 1;
  if (shape[channel_axis] != layer.plan.layer.in_channels)
    return invalid_argument(fmt::format("{} has {} channels, the layer takes {}", given, shape[channel_axis],
                                        layer.plan.layer.in_channels));
  if (!layer.config.input_shape) return {};
  for (std::size_t i = 0; i < shape.size(); ++i)
    if ((*layer.config.input_shape)[i] != unknown && (*layer.config.input_shape)[i] != shape[i])
      return invalid_argument(fmt::format("{} does not fit the layer: size {} is {}, input_shape says {}", given, i,
                                          shape[i], (*layer.config.input_shape)[i]));
  return {};
}

Status check_closed(const LoadedLayer &layer) {
  if (!layer.config.input_shape) return invalid_argument("bench needs build_config.input_shape with every size given");
  for (const std::int64_t size : *layer.config.input_shape)
    if (size == unknown) return invalid_argument("bench needs every size of input_shape given, one of them is null");
  return {};
}

// The line that the measuring program prints.
Result<nlohmann::json> measure(const BenchOptions &options, const Plan &plan, const tconv_weight_strides &strides,
                               const std::vector<Halide::Target> &targets, const Schedule &schedule) {
  const Result<std::vector<std::string>> start = starter(targets[0]);
  if (!start.ok()) return start.status();
  const Result<Staging> work = Staging::beside(std::filesystem::temp_directory_path());
  if (!work.ok()) return work.status();
  const Result<std::filesystem::path> program = make_program(
      {ProgramKind::measure, plan, strides, targets, options.general, schedule, !runs_here(targets[0]), {}},
      work.value());
  if (!program.ok()) return program.status();
  std::vector<std::string> command = start.value();
  command.insert(command.end(), {program.value(), std::to_string(options.threads), fmt::format("{}", options.seconds)});
  const Result<std::string> line = run_program(command);
  if (!line.ok()) return line.status();
  nlohmann::json report = nlohmann::json::parse(line.value(), nullptr, false);
  if (report.is_discarded() || !report.contains("peak_gflops"))
    return Status(StatusCode::internal, "the measuring program printed no figures");
  return report;
}

}  // namespace

Status run(const RunOptions &options) {
  const Result<LoadedLayer> loaded = load_layer(options.layer);
  if (!loaded.ok()) return loaded.status();
  const Result<Tensor> input = read_npy(options.input);
  if (!input.ok()) return input.status();
  Status status = check_input(loaded.value(), options.input, input.value().shape);
  if (!status.ok()) return status;
  const Result<std::vector<Halide::Target>> targets = check_targets({options.target});
  if (!targets.ok()) return targets.status();
  const Result<Schedule> schedule = find_schedule(loaded.value().plan, targets.value(), options.schedule);
  if (!schedule.ok()) return schedule.status();
  const Result<Tensor> output =
      run_layer({&loaded.value(), targets.value(), options.general, schedule.value(), options.threads, &input.value()});
  if (!output.ok()) return output.status();
  return write_npy(options.output, output.value());
}

Status bench(const BenchOptions &options) {
  const Result<LoadedLayer> loaded = load_layer(options.layer);
  if (!loaded.ok()) return loaded.status();
  const LoadedLayer &layer = loaded.value();
  const Status closed = check_closed(layer);
  if (!closed.ok()) return closed;
  const Result<std::vector<Halide::Target>> targets = check_targets({options.target});
  if (!targets.ok()) return targets.status();
  const Result<Schedule> found = options.general
                                     ? Result<Schedule>(choose_general_schedule(layer.plan, targets.value()))
                                     : find_schedule(layer.plan, targets.value(), options.schedule);
  if (!found.ok()) return found.status();
  const Schedule &schedule = found.value();
  const Result<nlohmann::json> measurement =
      measure(options, layer.plan, layer.weight_strides, targets.value(), schedule);
  if (!measurement.ok()) return measurement.status();
  const nlohmann::json &report = measurement.value();
  const double median = report["median_ms"], minimum = report["minimum_ms"], peak = report["peak_gflops"];
  const double work = 2 * multiply_adds(layer.plan.layer, typical_dims(layer.plan), layer.plan.layer.batch);
  const double gflops = work / median * 1e-6;
  nlohmann::ordered_json json;
  json["layer"] = key(layer.plan);
  json["median_ms"] = median;
  json["minimum_ms"] = minimum;
  json["runs"] = report["runs"];
  json["gflops"] = gflops;
  json["peak_gflops"] = peak;
  json["share_of_peak"] = peak > 0 ? gflops / peak : 0.0;
  json["kernel"] = options.general ? "general" : "specialised";
  json["method"] = schedule.method;
  json["threads"] = options.threads;
  json["target"] = report["target"];
  if (options.json) {
    fmt::print("{}\n", json.dump());
    return {};
  }
  fmt::print("{}\n{} kernel, {}, {}, {} thread{}\n", key(layer.plan), json["kernel"].get<std::string>(),
             schedule.method, json["target"].get<std::string>(), options.threads, options.threads == 1 ? "" : "s");
  fmt::print("median {:.4f} ms, minimum {:.4f} ms ({} runs)\n{:.1f} GFLOP/s, {:.0f} % of this machine's {:.1f}\n",
             median, minimum, json["runs"].get<int>(), gflops, 100 * json["share_of_peak"].get<double>(), peak);
  return {};
}

}  // namespace tconv
