// Keras' Conv1DTranspose, Conv2DTranspose and Conv3DTranspose for inference, with Keras' arguments and semantics:
//
//     tconv::Conv2DTranspose up({.filters = 24, .kernel_size = {2, 2}, .strides = {2, 2}, .padding = "same"});
//     if (auto status = up.set_weights(weights); !status.ok()) ...
//     tconv::Result<tconv::Tensor> y = up(x);
//
// The arguments are in tconv/conv_transpose_arguments.h; names, variables, losses and the record of calls in
// tconv/base_layer.h.
// Shapes and layout: float32, dense, row-major; (batch, spatial..., channels), or with data_format "channels_first"
// (batch, channels, spatial...). Batch and spatial sizes may differ from call to call; the channels are fixed by the
// first build(), call or set_weights().
// Errors: nothing throws, prints or aborts. A constructor keeps its error, which status() and every later call return.
// Ownership: a layer owns its weights and copies what set_weights() is given. It is moved, or copied by deep_copy(); a
// layer that was moved from returns an error from every member. Registered kernels have to outlive it: emitted ones are
// static.
// Threads: any members may be called at once from several threads, except while the layer is moved or destroyed. A call
// runs on the pool of tconv/threads.h with the weights that were set when it began.
#ifndef TCONV_LAYER_H
#define TCONV_LAYER_H

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tconv/base_layer.h"
#include "tconv/conv_transpose_arguments.h"
#include "tconv/custom_objects.h"
#include "tconv/kernel.h"
#include "tconv/layer_config.h"
#include "tconv/status.h"
#include "tconv/tensor.h"

namespace tconv {

struct KernelInfo {
  std::string kernel;        // the specialised kernel's Plan, or the general kernel's name
  bool specialised = false;  // compiled for this layer
  std::string target;        // the instruction set that runs on this processor, as Halide names it
  std::string reason;        // why this kernel: for a general one, what kept the others from it
};

// What the three layers share. Made through them.
class TransposedConvolution : public Layer {
 public:
  // As it was given, with the default name and the channels of input_shape; empty where status() is not ok.
  const LayerConfig &config() const;

  // Creates the weights for the shape's channels unless they exist. Batch and spatial sizes may be `unknown`. Weights
  // for other channels are an error.
  Status build(const Shape &input_shape);
  bool built() const;

  // Builds on first use, and records the call where the layer has a graph.
  Result<Tensor> operator()(const Tensor &input) { return apply(input); }
  Result<Tensor> apply(const Tensor &input);

  // The computation alone, of a layer that is built: nothing is recorded, and no activity loss computed.
  Result<Tensor> call(const Tensor &input) const;
  // The same into the caller's memory, without a copy of either; `output` has compute_output_shape() elements and does
  // not overlap the input. Its contents are unspecified after an error.
  Status call(std::span<const float> input, const Shape &input_shape, std::span<float> output) const;

  // With that kernel instead of the layer's, without bias and activation. Does not build.
  Result<Tensor> convolution_op(const Tensor &input, const Tensor &kernel) const;

  // In the order of weights(): the kernel in its dialect's layout, kernel_shape(config()), the bias (filters,) if there
  // is one, and what add_weight() made. Builds the layer if need be, for the channels that the kernel has. After an
  // error the weights are what they were.
  Status set_weights(std::span<const Tensor> weights);
  // Copies; none before the layer is built.
  Result<std::vector<Tensor>> get_weights() const;

  Result<Shape> compute_output_shape(const Shape &input_shape) const;
  // None; a mask is an error.
  Result<std::optional<Tensor>> compute_mask(const Tensor &input, const std::optional<Tensor> &mask = {}) const;
  // Of all weights; an error before the layer is built.
  Result<std::int64_t> count_params() const;

  // The constructor's arguments as JSON text, which Keras' from_config() takes; a layer with groups is tconv's alone.
  Result<std::string> get_config() const;
  // The same with class_name, module and, once built, build_config: what keras.layers.serialize() writes.
  Result<std::string> serialize() const;

  // Which kernel serves calls of this shape, whose batch and spatial sizes may be `unknown`; without a shape those of
  // build() or of the config.
  Result<KernelInfo> kernel_info(const Shape &input_shape) const;
  Result<KernelInfo> kernel_info() const;

  // Registers a kernel that was compiled for `layer`, both from an emitted header. A call takes the first registered
  // one that serves its sizes, else the library's general kernel. One that could serve no call of this layer is
  // refused.
  Status use_kernel(const tconv_kernel &kernel, const tconv_layer &layer);

 protected:
  using Layer::Layer;
};

template <int rank>
class ConvTranspose : public TransposedConvolution {
 public:
  using Arguments = ConvTransposeArguments<rank>;

  explicit ConvTranspose(const Arguments &arguments);

  // From get_config()'s or serialize()'s JSON, Keras' own included. Functions that are not Keras' are looked up by
  // their names.
  static Result<ConvTranspose> from_config(std::string_view json, const CustomObjects &custom_objects = {},
                                           const std::optional<Graph> &graph = {});
  // A layer of any dialect, as parse_layer() reads it, and not built. Of its input_shape the channels bind the calls.
  static Result<ConvTranspose> from_config(const LayerConfig &config, const std::optional<Graph> &graph = {});

  // A layer of its own with the same arguments, name and registered kernels, and copies of the weights; without
  // records, added losses and updates. User functions and the graph are shared.
  Result<ConvTranspose> deep_copy() const;

 private:
  using TransposedConvolution::TransposedConvolution;
};

extern template class ConvTranspose<1>;
extern template class ConvTranspose<2>;
extern template class ConvTranspose<3>;

using Conv1DTranspose = ConvTranspose<1>;
using Conv2DTranspose = ConvTranspose<2>;
using Conv3DTranspose = ConvTranspose<3>;

// Keras' other names for them.
using Convolution1DTranspose = Conv1DTranspose;
using Convolution2DTranspose = Conv2DTranspose;
using Convolution3DTranspose = Conv3DTranspose;

}  // namespace tconv

#endif
