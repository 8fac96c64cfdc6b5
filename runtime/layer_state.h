// What a layer holds: its configuration, its weights as its framework has them, and those weights packed for the
// kernels that have run so far. Private to runtime/.
#ifndef TCONV_RUNTIME_LAYER_STATE_H
#define TCONV_RUNTIME_LAYER_STATE_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <vector>

#include "guarded.h"
#include "kernel_choice.h"
#include "tconv/layer.h"

namespace tconv::detail {

struct AlignedDelete {
  void operator()(float *memory) const { ::operator delete[](memory, std::align_val_t{64}); }
};
using AlignedFloats = std::unique_ptr<float[], AlignedDelete>;

// Throws std::bad_alloc.
inline AlignedFloats allocate_floats(std::size_t bytes) {
  return AlignedFloats(static_cast<float *>(::operator new[](bytes, std::align_val_t{64})));
}

// The weights in the order of one kernel, and for the sizes of one call where the order depends on them.
struct Packed {
  std::optional<std::size_t> registered;
  std::array<std::int64_t, TCONV_MAX_RANK> size;
  AlignedFloats floats;
};

struct Weights {
  LayerConfig config;  // with in_channels
  tconv_layer layer;   // with open batch and sizes
  Tensor kernel, bias;
};

struct LayerState {
  // Constant after construction.
  Status error;
  LayerConfig config;
  std::uint64_t seed = 0;

  mutable std::mutex mutex;  // of all that follows; never held while a kernel runs
  std::optional<Weights> weights;
  Shape built_for;  // of build(), else of the first call; empty: none
  std::vector<RegisteredKernel> kernels;
  std::vector<std::shared_ptr<const Packed>> packed;  // oldest first
};

// The layer's config with the channels of the weights, where there are any. The mutex is held, here and below.
inline const LayerConfig &current_config(const LayerState &state) {
  return state.weights ? state.weights->config : state.config;
}

// The weights of build(); no effect where there are some.
Status create_weights(LayerState &state, const Shape &input_shape);

// The kernel for calls of this shape, whose batch and spatial sizes may be open. The shape has been checked.
Result<KernelChoice> choose(const LayerState &state, const Shape &input_shape);

}  // namespace tconv::detail

#endif
