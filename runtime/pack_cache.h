// Weights packed for the kernels that have run so far. Private to runtime/.
#ifndef TCONV_RUNTIME_PACK_CACHE_H
#define TCONV_RUNTIME_PACK_CACHE_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

#include "kernel_choice.h"
#include "tconv/tensor.h"

namespace tconv::detail {

struct AlignedDelete {
  void operator()(float *memory) const { ::operator delete[](memory, std::align_val_t{64}); }
};
using AlignedFloats = std::unique_ptr<float[], AlignedDelete>;

// Throws std::bad_alloc.
inline AlignedFloats allocate_floats(std::size_t bytes) {
  return AlignedFloats(static_cast<float *>(::operator new[](bytes, std::align_val_t{64})));
}

// Values of a layer's variables as one call sees them.
struct WeightValues {
  std::shared_ptr<const Tensor> kernel, bias;  // no bias: null

  bool operator==(const WeightValues &) const = default;
};

// The weights in the order of one kernel, and for the sizes of one call where the order depends on them.
struct Packed {
  const tconv_kernel *kernel;
  tconv_layer layer;
  WeightValues values;
  AlignedFloats floats;
};

// For one layer's geometry. Thread-safe.
class PackCache {
 public:
  // Packs where it is not done yet; who comes meanwhile waits. The strides are those of the kernel array.
  Result<std::shared_ptr<const Packed>> find_or_pack(const KernelChoice &choice, const WeightValues &values,
                                                     const tconv_weight_strides &strides);

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<const Packed>> packed_;  // oldest first
};

}  // namespace tconv::detail

#endif
