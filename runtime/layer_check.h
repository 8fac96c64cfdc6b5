// The checks that make a LayerConfig valid, and where its shapes keep what. Private to runtime/.
#ifndef TCONV_RUNTIME_LAYER_CHECK_H
#define TCONV_RUNTIME_LAYER_CHECK_H

#include <cstddef>
#include <string_view>

#include "tconv/layer_config.h"

namespace tconv {

// Everything but input_shape.
Status check_layer(const LayerConfig &config);

// An input's shape for a layer that check_layer() passed.
Status check_input(const LayerConfig &config, const Shape &shape);

// A shape whose product tconv can address; `what` names the array.
Status check_elements(const char *what, const Shape &shape);

// A type that tconv has, by Keras' name.
Status check_dtype(std::string_view dtype);

inline std::size_t count(int rank) { return static_cast<std::size_t>(rank); }

inline std::size_t channel_axis(const LayerConfig &config) {
  return config.data_format == DataFormat::channels_last ? count(config.rank) + 1 : 1;
}

inline std::size_t spatial_axis(const LayerConfig &config) {
  return config.data_format == DataFormat::channels_last ? 1 : 2;
}

}  // namespace tconv

#endif
