// Keras' activations by name. All but softmax and log_softmax work on one element at a time; those two work along the
// last axis of the output, as in Keras: the channels, or with channels first the innermost spatial axis.
#ifndef TCONV_ACTIVATION_H
#define TCONV_ACTIVATION_H

#include <optional>
#include <string_view>

namespace tconv {

// The numbers are part of the C ABI (tconv_kernel.activation): append, never reorder.
enum class Activation {
  linear,
  relu,
  relu6,
  leaky_relu,  // slope 0.2
  elu,         // alpha 1
  selu,
  celu,  // alpha 1
  silu,  // also swish
  gelu,  // exact, through erf
  sigmoid,
  tanh,
  softplus,
  softsign,
  exponential,
  hard_sigmoid,  // relu6(x + 3) / 6
  hard_silu,     // also hard_swish
  hard_tanh,
  hard_shrink,  // threshold 0.5
  soft_shrink,  // threshold 0.5
  tanh_shrink,
  squareplus,  // b = 4
  sparse_plus,
  sparse_sigmoid,
  log_sigmoid,
  mish,
  softmax,
  log_softmax,
};
inline constexpr int activation_count = static_cast<int>(Activation::log_softmax) + 1;

// Keras' name, as its serialisation writes it.
std::string_view name(Activation activation);

// nullopt for a name that Keras does not have, or that has a parameter or an output shape of its own (glu, threshold,
// sparsemax).
std::optional<Activation> activation_from_name(std::string_view name);

}  // namespace tconv

#endif
