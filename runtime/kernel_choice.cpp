// Compares layers as the C ABI describes them: by what they compute, so that a kernel which was compiled from another
// dialect's description of the same layer serves too.
#include "kernel_choice.h"

#include <fmt/format.h>

#include <cstdint>

#include "general/general.h"
#include "message.h"
#include "tconv/activation.h"
#include "tconv/geometry.h"
#include "tconv/run.h"

namespace tconv {
namespace {

Shape sizes(const tconv_layer &layer) { return Shape(layer.size, layer.size + layer.rank); }

const char *layout(const tconv_layer &layer) { return layer.channels_last ? "channels_last" : "channels_first"; }

std::string_view activation(const tconv_layer &layer) { return name(static_cast<Activation>(layer.activation)); }

bool same_dim(const tconv_dim &a, const tconv_dim &b) {
  return a.kernel == b.kernel && a.stride == b.stride && a.dilation == b.dilation && a.crop == b.crop && a.out == b.out;
}

// For an open size one input that both rules accept speaks for all: extents grow by the stride, crops do not change.
// A prescribed output has to wait for the call.
bool same_rule(const tconv_rule &a, const tconv_rule &b, std::int64_t size) {
  tconv_dim dim_a, dim_b;
  if (size != TCONV_UNSET) {
    return tconv_resolve(&a, size, &dim_a) && tconv_resolve(&b, size, &dim_b) && same_dim(dim_a, dim_b);
  }
  if (!tconv_rule_is_size_free(&a) || !tconv_rule_is_size_free(&b)) return true;
  for (std::int64_t in = 1; in < TCONV_MAX_EXTENT; in *= 2) {
    const bool resolves = tconv_resolve(&a, in, &dim_a) != 0;
    if (resolves != (tconv_resolve(&b, in, &dim_b) != 0)) return false;
    if (resolves) return same_dim(dim_a, dim_b);
  }
  return false;
}

// Empty when `compiled` serves `call`, else what differs, as a predicate: "has ...".
std::string difference(const tconv_layer &compiled, const tconv_layer &call) {
  if (compiled.rank != call.rank) {
    return fmt::format("has {} spatial dimensions, the layer {}", compiled.rank, call.rank);
  }
  if ((compiled.channels_last != 0) != (call.channels_last != 0)) {
    return fmt::format("is for {}, the layer is {}", layout(compiled), layout(call));
  }
  if (call.in_channels != TCONV_UNSET && compiled.in_channels != call.in_channels) {
    return fmt::format("has {} input channels, the layer {}", compiled.in_channels, call.in_channels);
  }
  if (compiled.out_channels != call.out_channels) {
    return fmt::format("has {} filters, the layer {}", compiled.out_channels, call.out_channels);
  }
  if (compiled.groups != call.groups) {
    return fmt::format("has groups {}, the layer {}", compiled.groups, call.groups);
  }
  if (compiled.activation != call.activation) {
    return fmt::format("has the activation {}, the layer {}", activation(compiled), activation(call));
  }
  if (compiled.batch != TCONV_UNSET && compiled.batch != call.batch) {
    return fmt::format("has batch {}, the call {}", compiled.batch,
                       call.batch == TCONV_UNSET ? "any" : std::to_string(call.batch));
  }
  for (int d = 0; d < call.rank; ++d) {
    if (compiled.size[d] == TCONV_UNSET || compiled.size[d] == call.size[d]) continue;
    return fmt::format("has input sizes {}, the call {}", open_tuple(sizes(compiled)), open_tuple(sizes(call)));
  }
  for (int d = 0; d < call.rank; ++d) {
    if (same_rule(compiled.rule[d], call.rule[d], call.size[d])) continue;
    return fmt::format("has another kernel size, stride, dilation, padding or output in spatial dimension {}", d);
  }
  return "";
}

Status no_path(const tconv_kernel &kernel) {
  std::string targets;
  for (int i = 0; i < kernel.path_count; ++i) targets += fmt::format("{}{}", i > 0 ? ", " : "", kernel.paths[i].target);
  return {StatusCode::unsupported,
          fmt::format("kernel {}: this processor runs none of its targets ({})", kernel.name, targets)};
}

// The sizes stay open where the packed weights do not depend on them.
tconv_layer general_layer(const tconv_layer &call) {
  tconv_layer layer = call;
  layer.batch = TCONV_UNSET;
  for (int d = 0; d < layer.rank; ++d) {
    if (tconv_rule_is_size_free(&layer.rule[d]) && !tconv_taps_are_phases(&layer.rule[d], layer.size[d]))
      layer.size[d] = TCONV_UNSET;
  }
  return layer;
}

}  // namespace

Status check_kernel(const RegisteredKernel &candidate, const tconv_layer &layer) {
  const tconv_kernel &kernel = *candidate.kernel;
  if (kernel.abi_version != TCONV_ABI_VERSION) {
    return {StatusCode::unsupported,
            fmt::format("the kernel has ABI version {}, this library {}", kernel.abi_version, TCONV_ABI_VERSION)};
  }
  if (kernel.baked != nullptr) {
    return {StatusCode::unsupported,
            fmt::format("kernel {} holds its own weights: call {}_run() directly", kernel.name, kernel.name)};
  }
  if (!tconv_layer_is_served(&kernel, &candidate.layer)) {
    return invalid_argument(fmt::format("kernel {}: {}", kernel.name, tconv_status_message(TCONV_ERROR_LAYER)));
  }
  tconv_layer best = layer;
  best.batch = candidate.layer.batch;
  for (int d = 0; d < best.rank; ++d) best.size[d] = candidate.layer.size[d];
  if (const std::string other = difference(candidate.layer, best); !other.empty()) {
    return invalid_argument(fmt::format("kernel {} {}", kernel.name, other));
  }
  return tconv_select_path(&kernel) != nullptr ? Status() : no_path(kernel);
}

Result<KernelChoice> choose_kernel(std::span<const RegisteredKernel> registered, const tconv_layer &call) {
  std::string reason = registered.empty() ? "no specialised kernel is registered" : "";
  for (std::size_t i = 0; i < registered.size(); ++i) {
    const RegisteredKernel &candidate = registered[i];
    const std::string other = difference(candidate.layer, call);
    if (other.empty()) {
      return KernelChoice{candidate.kernel, candidate.layer, tconv_select_path(candidate.kernel), i,
                          "compiled for this layer"};
    }
    reason += fmt::format("{}kernel {} {}", i > 0 ? "; " : "", candidate.kernel->name, other);
  }
  const tconv_kernel *const general = general_kernel(call);
  if (general == nullptr) return Status(StatusCode::internal, fmt::format("no general kernel of rank {}", call.rank));
  const tconv_path *const path = tconv_select_path(general);
  if (path == nullptr) return no_path(*general);
  return KernelChoice{general, general_layer(call), path, std::nullopt, reason};
}

}  // namespace tconv
