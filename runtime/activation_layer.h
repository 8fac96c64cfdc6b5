// Activations with parameters, as Keras' layers ReLU, LeakyReLU, ELU and Softmax have them, and sparsemax: what no
// kernel computes. They run over the finished output. Private to runtime/.
#ifndef TCONV_RUNTIME_ACTIVATION_LAYER_H
#define TCONV_RUNTIME_ACTIVATION_LAYER_H

#include <memory>
#include <span>
#include <string_view>

#include "keras_object_parts.h"
#include "keras_objects.h"

namespace tconv::detail {

// Keras' names of the layers.
std::span<const std::string_view> activation_layer_names();

// One of those, from the config that Keras wrote, or none: then it has Keras' defaults. Errors: a parameter that the
// layer does not have, or a value that Keras refuses.
Made<ActivationObject> make_activation_layer(std::string_view class_name, const Json &config);

// Along the last axis.
Made<ActivationObject> make_sparsemax();

}  // namespace tconv::detail

#endif
