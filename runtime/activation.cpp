// The names of Keras' activations, both ways. Keras writes `silu` and `hard_silu` also where the user said `swish` and
// `hard_swish`.
#include "tconv/activation.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace tconv {
namespace {

// In the order of the enum.
constexpr std::array<std::string_view, activation_count> names = {
    "linear",       "relu",           "relu6",       "leaky_relu",  "elu",         "selu",        "celu",
    "silu",         "gelu",           "sigmoid",     "tanh",        "softplus",    "softsign",    "exponential",
    "hard_sigmoid", "hard_silu",      "hard_tanh",   "hard_shrink", "soft_shrink", "tanh_shrink", "squareplus",
    "sparse_plus",  "sparse_sigmoid", "log_sigmoid", "mish",        "softmax",     "log_softmax",
};
static_assert(!names.back().empty(), "every activation has a name");

}  // namespace

std::string_view name(Activation activation) {
  const auto index = static_cast<std::size_t>(activation);
  return index < names.size() ? names[index] : "unknown";
}

std::optional<Activation> activation_from_name(std::string_view name) {
  if (name == "swish") return Activation::silu;
  if (name == "hard_swish") return Activation::hard_silu;
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Activation>(found - names.begin());
}

}  // namespace tconv
