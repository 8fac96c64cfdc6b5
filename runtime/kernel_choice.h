// Which kernel serves a call: a registered one whose layer is the call's, else the library's general one. Private to
// runtime/.
#ifndef TCONV_RUNTIME_KERNEL_CHOICE_H
#define TCONV_RUNTIME_KERNEL_CHOICE_H

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "tconv/kernel.h"
#include "tconv/status.h"

namespace tconv {

// An emitted kernel and the layer that it was compiled for.
struct RegisteredKernel {
  const tconv_kernel *kernel;
  tconv_layer layer;
};

struct KernelChoice {
  const tconv_kernel *kernel;
  tconv_layer layer;  // what the weights are packed for and the kernel is run with
  const tconv_path *path;
  std::optional<std::size_t> registered;  // its index; nullopt: the general kernel
  std::string reason;
};

// Refuses a kernel that could serve no call of `layer`, whose in_channels are TCONV_UNSET before they are known.
Status check_kernel(const RegisteredKernel &candidate, const tconv_layer &layer);

// `call` is the layer with the batch and the sizes of the call, TCONV_UNSET where they are open.
Result<KernelChoice> choose_kernel(std::span<const RegisteredKernel> registered, const tconv_layer &call);

}  // namespace tconv

#endif
