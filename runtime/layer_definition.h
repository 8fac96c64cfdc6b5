// Everything that a layer is constructed with, without its rank in the type. Private to runtime/.
#ifndef TCONV_RUNTIME_LAYER_DEFINITION_H
#define TCONV_RUNTIME_LAYER_DEFINITION_H

#include <optional>
#include <string>
#include <string_view>

#include "tconv/custom_objects.h"
#include "tconv/graph.h"
#include "tconv/layer_config.h"

namespace tconv {

struct LayerDefinition {
  LayerConfig config;  // its activation is that of the kernels, activation.builtin()
  ActivationFunction activation = {};
  Initializer kernel_initializer = "glorot_uniform", bias_initializer = "zeros";
  Regularizer kernel_regularizer = {}, bias_regularizer = {}, activity_regularizer = {};
  Constraint kernel_constraint = {}, bias_constraint = {};
  bool trainable = true;
  std::optional<Graph> graph = {};
};

// "Conv2DTranspose".
std::string class_name(int rank);

// Keras refuses a '/' in a layer's name.
Status check_layer_name(std::string_view name);

// Keras' config of a Keras-dialect layer of that rank: the object of get_config(), or of serialize() with class_name.
// The config's input_shape is what "build_config" has. Without a data_format it gets image_data_format().
Result<LayerDefinition> read_definition(std::string_view json, int rank, const CustomObjects &custom);

// The text of get_config(). A layer of another dialect is unsupported, with what it has that Keras has not.
Result<std::string> write_config(const LayerDefinition &definition);

// The text of serialize(); `built_for` is the shape of build(), none before it.
Result<std::string> write_layer(const LayerDefinition &definition, const std::optional<Shape> &built_for);

}  // namespace tconv

#endif
