// tconvc run and tconvc bench.
#include <random>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/runner.h"
#include "cli/verbs.h"
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

std::size_t count(const Shape &shape) {
  std::size_t elements = 1;
  for (const std::int64_t size : shape) elements *= static_cast<std::size_t>(size);
  return elements;
}

Tensor random_tensor(const Shape &shape, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  Tensor tensor{shape, std::vector<float>(count(shape))};
  for (float &x : tensor.data) x = uniform(random);
  return tensor;
}

Status check_closed(const LoadedLayer &layer) {
  if (!layer.config.input_shape) return invalid_argument("bench needs build_config.input_shape with every size given");
  for (const std::int64_t size : *layer.config.input_shape)
    if (size == unknown) return invalid_argument("bench needs every size of input_shape given, one of them is null");
  return {};
}

Result<std::string> method_of(const Plan &plan, const BenchOptions &options) {
  const Result<std::vector<Halide::Target>> targets = check_targets({options.target});
  if (!targets.ok()) return targets.status();
  const Plan measured = options.general ? general_plan(plan.layer.rank, plan.layer.channels_last != 0) : plan;
  return choose_schedule(measured, targets.value()).method;
}

}  // namespace

Status run(const RunOptions &options) {
  const Result<LoadedLayer> loaded = load_layer(options.layer);
  if (!loaded.ok()) return loaded.status();
  const Result<Tensor> input = read_npy(options.input);
  if (!input.ok()) return input.status();
  Status status = check_input(loaded.value(), options.input, input.value().shape);
  if (!status.ok()) return status;
  RunnerRequest request{&loaded.value(),     options.target, options.general, options.threads, 0,
                        input.value().shape, &input.value()};
  const Result<RunnerResult> result = run_layer(request);
  if (!result.ok()) return result.status();
  return write_npy(options.output, result.value().output);
}

Status bench(const BenchOptions &options) {
  Result<LoadedLayer> loaded = load_layer(options.layer);
  if (!loaded.ok()) return loaded.status();
  LoadedLayer &layer = loaded.value();
  const Status closed = check_closed(layer);
  if (!closed.ok()) return closed;
  layer.weights = Weights{random_tensor(kernel_shape(layer.config), 1), random_tensor({layer.config.filters}, 2)};
  const Tensor input = random_tensor(*layer.config.input_shape, 3);
  RunnerRequest request{&layer, options.target, options.general, options.threads, options.seconds, input.shape, &input};
  const Result<RunnerResult> result = run_layer(request);
  if (!result.ok()) return result.status();

  const nlohmann::json report = nlohmann::json::parse(result.value().report, nullptr, false);
  if (report.is_discarded() || !report.contains("median_ms"))
    return {StatusCode::internal, "the measuring program printed no figures"};
  const Result<std::string> method = method_of(layer.plan, options);
  if (!method.ok()) return method.status();
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
  json["method"] = method.value();
  json["threads"] = options.threads;
  json["target"] = report["target"];
  if (options.json) {
    fmt::print("{}\n", json.dump());
    return {};
  }
  fmt::print("{}\n{} kernel, {}, {}, {} thread{}\n", key(layer.plan), json["kernel"].get<std::string>(), method.value(),
             json["target"].get<std::string>(), options.threads, options.threads == 1 ? "" : "s");
  fmt::print("median {:.4f} ms, minimum {:.4f} ms ({} runs)\n{:.1f} GFLOP/s, {:.0f} % of this machine's {:.1f}\n",
             median, minimum, json["runs"].get<int>(), gflops, 100 * json["share_of_peak"].get<double>(), peak);
  return {};
}

}  // namespace tconv
