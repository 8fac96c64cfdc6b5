#include "cli/layer_input.h"

#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "schedule/database.h"
#include "tconv/batch_norm.h"
#include "tconv/npy.h"
#include "tconv/weights.h"

namespace tconv {

namespace {

constexpr std::uintmax_t most_json_bytes = 1 << 20;

Result<std::string> read_text(const std::string &path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return invalid_argument(fmt::format("'{}' is a directory", path));
  std::ifstream file(path, std::ios::binary);
  if (!file) return Status(StatusCode::not_found, fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
  std::string text(most_json_bytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

// A C identifier from the layer's own name, or from the file's.
std::string symbol_name(const LayerOptions &options, const LayerConfig &config) {
  std::string name = options.name.empty() ? config.name : options.name;
  if (name.empty()) name = std::filesystem::path(options.layer).stem().string();
  for (char &c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) > 127) c = '_';
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0]))) name = "layer_" + name;
  return name;
}

std::string shape_text(const Shape &shape) {
  return fmt::format("({}{})", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
}

Status expect_shape(const std::string &what, const std::string &path, const Shape &shape, const Shape &expected) {
  if (shape == expected) return {};
  return invalid_argument(
      fmt::format("{} '{}' has shape {}, the layer needs {}", what, path, shape_text(shape), shape_text(expected)));
}

Status in_file(const std::string &path, const Status &status) {
  if (status.ok() || status.message().find(path) != std::string::npos) return status;
  return {status.code(), fmt::format("{}: {}", path, status.message())};
}

Result<Tensor> read_bias(const LayerOptions &options, const LayerConfig &config) {
  if (options.bias.empty()) return Tensor{};
  Result<Tensor> bias = read_npy(options.bias);
  if (!bias.ok()) return in_file(options.bias, bias.status());
  const Status status = expect_shape("bias", options.bias, bias.value().shape, {config.filters});
  if (!status.ok()) return status;
  return bias;
}

Status fold(const LayerOptions &options, const LayerConfig &config, Weights &weights) {
  if (options.batch_norm.empty()) return {};
  const Result<Tensor> batch_norm = read_npy(options.batch_norm);
  if (!batch_norm.ok()) return in_file(options.batch_norm, batch_norm.status());
  if (config.activation != Activation::linear && options.activation.empty())
    return invalid_argument(fmt::format("--batchnorm folds only into a linear layer, this one has activation '{}'",
                                        name(config.activation)));
  if (weights.bias.shape.empty())
    weights.bias = {{config.filters}, std::vector<float>(static_cast<std::size_t>(config.filters), 0.0f)};
  return in_file(options.batch_norm,
                 fold_batch_norm(config, weights.kernel, weights.bias, batch_norm.value(), options.epsilon));
}

Status check_options(const LayerOptions &options) {
  if (options.kernel.empty() && !options.bias.empty()) return invalid_argument("--bias needs --kernel");
  if (options.kernel.empty() && !options.batch_norm.empty())
    return invalid_argument("--batchnorm needs --kernel: it is folded into the weights");
  return {};
}

Status apply_activation(const LayerOptions &options, LayerConfig &config) {
  if (options.activation.empty()) return {};
  const std::optional<Activation> activation = activation_from_name(options.activation);
  if (!activation) return invalid_argument(fmt::format("unknown activation '{}'", options.activation.substr(0, 80)));
  if (config.activation != Activation::linear && config.activation != *activation)
    return invalid_argument(fmt::format("the layer has activation '{}' already, --activation asks for '{}'",
                                        name(config.activation), options.activation));
  config.activation = *activation;
  return {};
}

}  // namespace

Result<LoadedLayer> load_layer(const LayerOptions &options) {
  LoadedLayer loaded;
  Status status = check_options(options);
  if (!status.ok()) return status;
  const Result<std::string> json = read_text(options.layer);
  if (!json.ok()) return json.status();
  std::optional<Shape> kernel_shape_given;
  if (!options.kernel.empty()) {
    Result<Tensor> kernel = read_npy(options.kernel);
    if (!kernel.ok()) return in_file(options.kernel, kernel.status());
    kernel_shape_given = kernel.value().shape;
    loaded.weights = Weights{std::move(kernel).value(), {}};
  }
  Result<LayerConfig> config = parse_layer(json.value(), kernel_shape_given);
  if (!config.ok()) return in_file(options.layer, config.status());
  loaded.config = std::move(config).value();
  if (loaded.weights) {
    Result<Tensor> bias = read_bias(options, loaded.config);
    if (!bias.ok()) return bias.status();
    loaded.weights->bias = std::move(bias).value();
    status = fold(options, loaded.config, *loaded.weights);
    if (!status.ok()) return status;
  }
  status = apply_activation(options, loaded.config);
  if (!status.ok()) return status;
  const Result<tconv_layer> layer = describe(loaded.config);
  if (!layer.ok()) return in_file(options.layer, layer.status());
  loaded.plan.layer = layer.value();
  if (options.exact) loaded.plan.use_winograd = UseWinograd::never;
  loaded.plan.processor = options.processor.empty() ? host_processor() : options.processor;
  loaded.plan.name = symbol_name(options, loaded.config);
  loaded.weight_strides = weight_strides(loaded.config);
  return loaded;
}

Result<Schedule> find_schedule(const Plan &plan, const std::vector<Halide::Target> &targets,
                               const ScheduleOptions &options) {
  if (options.rules) return choose_schedule(plan, targets);
  return find_schedule(plan, targets, ScheduleSources{options.schedule, options.database});
}

}  // namespace tconv
