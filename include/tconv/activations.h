// Keras' activations as a layer's argument: by name (tconv/activation.h lists them), by config, or as a function of the
// user's. Those of tconv/activation.h are computed inside the kernels; all others run over the finished output.
// Value type; copies share what is constant. Threads: any use at once; a user's function has to allow it too.
#ifndef TCONV_ACTIVATIONS_H
#define TCONV_ACTIVATIONS_H

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "tconv/activation.h"
#include "tconv/status.h"
#include "tconv/tensor.h"

namespace tconv {

namespace detail {
class ActivationObject;
}

class ActivationFunction {
 public:
  // Works in place on an output of that shape, dense and row-major; may throw, which the caller gets as a Status.
  using Function = std::function<void(std::span<float> values, const Shape &shape)>;

  ActivationFunction() noexcept {}                // linear; for why it is not defaulted see Sizes
  ActivationFunction(std::nullptr_t) noexcept {}  // Keras' None: linear
  ActivationFunction(Activation builtin) : builtin_(builtin) {}
  // Keras' name, or the JSON that serialize() writes for a function or for one of the layers ReLU, LeakyReLU, ELU and
  // Softmax with its parameters; status() says what is wrong with it.
  ActivationFunction(const char *identifier)
      : ActivationFunction(std::string_view(identifier == nullptr ? "null" : identifier)) {}
  ActivationFunction(const std::string &identifier) : ActivationFunction(std::string_view(identifier)) {}
  ActivationFunction(std::string_view identifier);
  ActivationFunction(std::string name, Function function);

  Status status() const;

  // What the kernels compute: `linear` where a function follows.
  Activation builtin() const { return builtin_; }
  bool is_builtin() const { return object_ == nullptr; }

  // Applies what follows the kernel; nothing for a builtin one.
  Status operator()(std::span<float> values, const Shape &shape) const;

  // As Keras writes it into a layer's config: "relu" in quotes, or an object; "" with an error in status().
  std::string serialize() const;

  explicit ActivationFunction(std::shared_ptr<const detail::ActivationObject> object);
  const detail::ActivationObject *object() const { return object_.get(); }

 private:
  Activation builtin_ = Activation::linear;
  std::shared_ptr<const detail::ActivationObject> object_;  // null: builtin
};

}  // namespace tconv

#endif
