#include "pack_cache.h"

#include <algorithm>
#include <utility>

#include "tconv/run.h"

namespace tconv::detail {
namespace {

// Sizes whose packed weights are kept at once, where they depend on the sizes.
constexpr std::size_t most_packed = 8;

Result<std::shared_ptr<const Packed>> pack(const KernelChoice &choice, const WeightValues &values,
                                           const tconv_weight_strides &strides) {
  const std::size_t bytes = tconv_packed_bytes(choice.kernel, &choice.layer);
  if (bytes == 0) return Status(StatusCode::internal, tconv_status_message(TCONV_ERROR_LAYER));
  auto packed = std::make_shared<Packed>(Packed{choice.kernel, choice.layer, values, allocate_floats(bytes)});
  const float *const bias = values.bias == nullptr ? nullptr : values.bias->data.data();
  const int status =
      tconv_pack(choice.kernel, &choice.layer, values.kernel->data.data(), &strides, bias, packed->floats.get());
  if (status != TCONV_OK) return Status(StatusCode::internal, tconv_status_message(status));
  return std::shared_ptr<const Packed>(std::move(packed));
}

}  // namespace

Result<std::shared_ptr<const Packed>> PackCache::find_or_pack(const KernelChoice &choice, const WeightValues &values,
                                                              const tconv_weight_strides &strides) {
  const std::lock_guard lock(mutex_);
  std::erase_if(packed_, [&](const auto &packed) { return packed->values != values; });
  for (const std::shared_ptr<const Packed> &packed : packed_) {
    if (packed->kernel == choice.kernel &&
        std::equal(packed->layer.size, packed->layer.size + choice.layer.rank, choice.layer.size)) {
      return packed;
    }
  }
  Result<std::shared_ptr<const Packed>> packed = pack(choice, values, strides);
  if (!packed.ok()) return packed;
  if (packed_.size() == most_packed) packed_.erase(packed_.begin());
  packed_.push_back(packed.value());
  return packed;
}

}  // namespace tconv::detail
