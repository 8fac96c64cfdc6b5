// Batch normalisation as a factor and an offset for each filter, multiplied into the kernel and added to the bias.
#include "tconv/batch_norm.h"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <new>
#include <utility>
#include <vector>

#include "layer_check.h"
#include "tconv/weights.h"
#include "tensor_check.h"

namespace tconv {
namespace {

Status check_arrays(const LayerConfig &config, const Tensor &kernel, const Tensor &bias, const Tensor &batch_norm,
                    double epsilon) {
  if (Status status = check_tensor("kernel", kernel, kernel_shape(config)); !status.ok()) return status;
  if (Status status = check_tensor("batch normalization", batch_norm, {4, config.filters}); !status.ok()) return status;
  if (!bias.data.empty()) {
    if (Status status = check_tensor("bias", bias, {config.filters}); !status.ok()) return status;
  }
  const std::size_t filters = static_cast<std::size_t>(config.filters);
  for (std::size_t f = 0; f < filters; ++f) {
    const double variance = batch_norm.data[3 * filters + f];
    if (variance + epsilon > 0 && std::isfinite(variance + epsilon)) continue;
    return invalid_argument(
        fmt::format("moving variance {} plus epsilon {} of filter {} is not a positive number", variance, epsilon, f));
  }
  return {};
}

void scale_filter(const LayerConfig &config, std::int64_t filter, double factor, Tensor &kernel) {
  const tconv_weight_strides strides = weight_strides(config);
  const std::int64_t out_each = config.filters / config.groups, in_each = config.in_channels / config.groups;
  std::int64_t taps = 1;
  for (const std::int64_t size : config.kernel_size) taps *= size;
  for (std::int64_t in = 0; in < in_each; ++in) {
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      const std::int64_t element = filter / out_each * strides.group + filter % out_each * strides.out +
                                   in * strides.in + tap * strides.tap[config.rank - 1];
      float &weight = kernel.data[static_cast<std::size_t>(element)];
      weight = static_cast<float>(weight * factor);
    }
  }
}

Status fold(LayerConfig config, Tensor &kernel, Tensor &bias, const Tensor &batch_norm, double epsilon) {
  if (Status status = check_layer(config); !status.ok()) return status;
  if (config.in_channels == unknown) config.in_channels = kernel_channels(config, kernel.shape);
  if (Status status = check_layer(config); !status.ok()) return status;
  if (Status status = check_arrays(config, kernel, bias, batch_norm, epsilon); !status.ok()) return status;
  const std::size_t filters = static_cast<std::size_t>(config.filters);
  Tensor folded = {{config.filters}, std::vector<float>(filters)};
  for (std::size_t f = 0; f < filters; ++f) {
    const double gamma = batch_norm.data[f], beta = batch_norm.data[filters + f];
    const double mean = batch_norm.data[2 * filters + f], variance = batch_norm.data[3 * filters + f];
    const double factor = gamma / std::sqrt(variance + epsilon), before = bias.data.empty() ? 0.0 : bias.data[f];
    folded.data[f] = static_cast<float>((before - mean) * factor + beta);
    scale_filter(config, static_cast<std::int64_t>(f), factor, kernel);
  }
  bias = std::move(folded);
  return {};
}

}  // namespace

Status fold_batch_norm(const LayerConfig &config, Tensor &kernel, Tensor &bias, const Tensor &batch_norm,
                       double epsilon) {
  try {
    return fold(config, kernel, bias, batch_norm, epsilon);
  } catch (const std::bad_alloc &) {
    return {StatusCode::resource_exhausted, "out of memory"};
  }
}

}  // namespace tconv
