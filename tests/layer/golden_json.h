// What the golden tests share: the recorded file, its numbers as tensors, and a layer's arguments from Keras' own keys.
#ifndef TCONV_TESTS_LAYER_GOLDEN_JSON_H
#define TCONV_TESTS_LAYER_GOLDEN_JSON_H

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "layer_case.h"
#include "tconv/conv_transpose_arguments.h"

namespace tconv::test {

using Json = nlohmann::json;

inline Json read_golden(const std::string &file) {
  return Json::parse(std::ifstream(std::string(TCONV_GOLDEN_DIRECTORY) + "/" + file));
}

// A null size is open.
inline Shape to_shape(const Json &json) {
  Shape shape;
  for (const Json &size : json) shape.push_back(size.is_null() ? unknown : size.get<std::int64_t>());
  return shape;
}

inline Tensor to_tensor(const Json &json) { return {to_shape(json["shape"]), json["data"].get<std::vector<float>>()}; }

// The frameworks sum in other orders.
inline void expect_near(const std::vector<float> &got, const std::vector<float> &wanted, const char *what) {
  ASSERT_EQ(got.size(), wanted.size()) << what;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    ASSERT_NEAR(got[i], wanted[i], 1e-5 * (1 + std::fabs(wanted[i]))) << what << ", element " << i;
  }
}

inline void expect_near(const Tensor &got, const Tensor &wanted, const char *what) {
  ASSERT_EQ(got.shape, wanted.shape) << what;
  expect_near(got.data, wanted.data, what);
}

template <int rank>
Sizes<rank> to_sizes(const Json &json) {
  if (json.is_null()) return {};
  return [&]<std::size_t... i>(std::index_sequence<i...>) {
    return Sizes<rank>(json[i].template get<std::int64_t>()...);
  }
  (std::make_index_sequence<rank>());
}

// A name, or an object in Keras' serialized form, or None.
template <typename Object>
Object to_object(const Json &json) {
  if (json.is_null()) return {};
  return json.is_string() ? Object(json.get<std::string>()) : Object(json.dump());
}

// The arguments that are there; other keys are the caller's.
template <int rank>
ConvTransposeArguments<rank> to_arguments(const Json &json) {
  ConvTransposeArguments<rank> a;
  for (const auto &[key, value] : json.items()) {
    if (key == "filters") value.get_to(a.filters);
    if (key == "kernel_size") a.kernel_size = to_sizes<rank>(value);
    if (key == "strides") a.strides = to_sizes<rank>(value);
    if (key == "padding") value.get_to(a.padding);
    if (key == "output_padding") a.output_padding = to_sizes<rank>(value);
    if (key == "data_format") value.get_to(a.data_format);
    if (key == "dilation_rate") a.dilation_rate = to_sizes<rank>(value);
    if (key == "activation") a.activation = to_object<ActivationFunction>(value);
    if (key == "use_bias") value.get_to(a.use_bias);
    if (key == "kernel_initializer") a.kernel_initializer = to_object<Initializer>(value);
    if (key == "bias_initializer") a.bias_initializer = to_object<Initializer>(value);
    if (key == "kernel_regularizer") a.kernel_regularizer = to_object<Regularizer>(value);
    if (key == "bias_regularizer") a.bias_regularizer = to_object<Regularizer>(value);
    if (key == "activity_regularizer") a.activity_regularizer = to_object<Regularizer>(value);
    if (key == "kernel_constraint") a.kernel_constraint = to_object<Constraint>(value);
    if (key == "bias_constraint") a.bias_constraint = to_object<Constraint>(value);
    if (key == "trainable") value.get_to(a.trainable);
    if (key == "name") value.get_to(a.name);
  }
  return a;
}

}  // namespace tconv::test

#endif
