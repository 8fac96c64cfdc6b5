// Keras' Conv1DTranspose, Conv2DTranspose and Conv3DTranspose for inference, with Keras' arguments and semantics:
//
//     tconv::Conv2DTranspose up({.filters = 24, .kernel_size = {2, 2}, .strides = {2, 2}, .padding = "same"});
//     if (auto status = up.set_weights(weights); !status.ok()) ...
//     tconv::Result<tconv::Tensor> y = up(x);
//
// Shapes and layout: float32, dense, row-major; (batch, spatial..., channels), or with data_format "channels_first"
// (batch, channels, spatial...). Batch and spatial sizes may differ from call to call; the channels are fixed by the
// first build(), call or set_weights().
// Errors: nothing throws, prints or aborts. A constructor keeps its error, which status() and every later call return.
// Ownership: a layer owns its weights and copies what set_weights() is given. It is moved, not copied; a layer that was
// moved from may only be assigned to or destroyed. Registered kernels have to outlive it: emitted ones are static.
// Threads: any members may be called at once from several threads, except while the layer is moved or destroyed. A call
// runs on the pool of tconv/threads.h with the weights that were set when it began.
#ifndef TCONV_LAYER_H
#define TCONV_LAYER_H

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tconv/kernel.h"
#include "tconv/layer_config.h"
#include "tconv/status.h"
#include "tconv/tensor.h"

namespace tconv {

// One integer for all spatial dimensions, or one for each, outermost first; Keras' None when empty.
template <int rank>
class Sizes {
 public:
  Sizes() noexcept {}  // not defaulted: g++ 12 fails on a layer in a default member initialiser then
  Sizes(std::nullopt_t) {}
  Sizes(std::integral auto every) : given_(true) { values_.fill(static_cast<std::int64_t>(every)); }
  template <std::integral... T>
  requires(sizeof...(T) == static_cast<std::size_t>(rank) && rank > 1) Sizes(T... each)
      : given_(true), values_{static_cast<std::int64_t>(each)...} {}

  std::span<const std::int64_t> values() const {
    return given_ ? std::span<const std::int64_t>(values_) : std::span<const std::int64_t>();
  }

 private:
  bool given_ = false;
  std::array<std::int64_t, static_cast<std::size_t>(rank)> values_ = {};
};

// Keras' constructor arguments. `filters` and `kernel_size` have to be given; the initialisers of the others are Keras'
// defaults, and that each has one keeps -Wextra quiet about those left out.
template <int rank>
struct ConvTransposeArguments {
  std::int64_t filters = 0;
  Sizes<rank> kernel_size = {};
  Sizes<rank> strides = 1;
  std::string padding = "valid";  // or "same", in any case
  Sizes<rank> output_padding = {};
  std::string data_format = "channels_last";  // or "channels_first"
  Sizes<rank> dilation_rate = 1;
  std::int64_t groups = 1;
  std::string activation = {};  // one of Keras' names; empty: none
  bool use_bias = true;
  std::string name = {};
  std::uint64_t seed = 0;  // of the kernel that build() draws: equal seeds and shapes give equal kernels
};

struct KernelInfo {
  std::string kernel;        // the specialised kernel's Plan, or the general kernel's name
  bool specialised = false;  // compiled for this layer
  std::string target;        // the instruction set that runs on this processor, as Halide names it
  std::string reason;        // why this kernel: for a general one, what kept the others from it
};

namespace detail {

struct LayerState;

// ConvTransposeArguments without the rank in the type.
struct KerasArguments {
  int rank;
  std::int64_t filters;
  std::span<const std::int64_t> kernel_size, strides, output_padding, dilation_rate;
  std::string_view padding, data_format, activation, name;
  std::int64_t groups;
  bool use_bias;
  std::uint64_t seed;
};

}  // namespace detail

// What the three layers share. Made through them.
class TransposedConvolution {
 public:
  // The constructor's verdict on its arguments.
  Status status() const;

  // As it was given; empty where status() is not ok.
  const LayerConfig &config() const;

  // Creates the weights for the shape's channels unless they exist: a Glorot-uniform kernel and a zero bias. Batch and
  // spatial sizes may be `unknown`. Weights for other channels are an error.
  Status build(const Shape &input_shape);
  bool built() const;

  // Builds on first use.
  Result<Tensor> call(const Tensor &input);
  Result<Tensor> operator()(const Tensor &input) { return call(input); }

  // The same into the caller's memory, without a copy of either; `output` has compute_output_shape() elements and does
  // not overlap the input. Its contents are unspecified after an error.
  Status call(std::span<const float> input, const Shape &input_shape, std::span<float> output);

  // In Keras' order: the kernel in its dialect's layout, kernel_shape(config()), then the bias (filters,) if there is
  // one. Builds the layer if need be, for the channels that the kernel has.
  Status set_weights(std::span<const Tensor> weights);
  // Copies; none before the layer is built.
  Result<std::vector<Tensor>> get_weights() const;

  Result<Shape> compute_output_shape(const Shape &input_shape) const;
  Result<std::int64_t> count_params() const;

  // Which kernel serves calls of this shape, whose batch and spatial sizes may be `unknown`; without a shape those of
  // build() or of the config.
  Result<KernelInfo> kernel_info(const Shape &input_shape) const;
  Result<KernelInfo> kernel_info() const;

  // Registers a kernel that was compiled for `layer`, both from an emitted header. A call takes the first registered
  // one that serves its sizes, else the library's general kernel. One that could serve no call of this layer is
  // refused.
  Status use_kernel(const tconv_kernel &kernel, const tconv_layer &layer);

 protected:
  explicit TransposedConvolution(const detail::KerasArguments &arguments);
  TransposedConvolution(const LayerConfig &config, int rank, std::uint64_t seed);
  TransposedConvolution(TransposedConvolution &&) noexcept;
  TransposedConvolution &operator=(TransposedConvolution &&) noexcept;
  ~TransposedConvolution();

 private:
  std::unique_ptr<detail::LayerState> state_;  // null when there was no memory for it
};

template <int rank>
class ConvTranspose : public TransposedConvolution {
 public:
  using Arguments = ConvTransposeArguments<rank>;

  explicit ConvTranspose(const Arguments &a)
      : TransposedConvolution(detail::KerasArguments{
            rank, a.filters, a.kernel_size.values(), a.strides.values(), a.output_padding.values(),
            a.dilation_rate.values(), a.padding, a.data_format, a.activation, a.name, a.groups, a.use_bias, a.seed}) {}

  // A layer of any dialect, as parse_layer() reads it. Its input_shape does not bind the calls.
  static Result<ConvTranspose> from_config(const LayerConfig &config, std::uint64_t seed = 0) {
    ConvTranspose layer(config, seed);
    if (Status status = layer.status(); !status.ok()) return status;
    return layer;
  }

 private:
  ConvTranspose(const LayerConfig &config, std::uint64_t seed) : TransposedConvolution(config, rank, seed) {}
};

using Conv1DTranspose = ConvTranspose<1>;
using Conv2DTranspose = ConvTranspose<2>;
using Conv3DTranspose = ConvTranspose<3>;

}  // namespace tconv

#endif
