// What the tests of read_definition(), write_config() and write_layer() share: functions of the user's under the names
// that the golden files have, and the comparison with Keras' JSON.
#ifndef TCONV_TESTS_LAYER_DEFINITION_TEST_H
#define TCONV_TESTS_LAYER_DEFINITION_TEST_H

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/layer_definition.h"

namespace tconv {

using OrderedJson = nlohmann::ordered_json;

inline CustomObjects custom_objects() {
  CustomObjects custom;
  for (const char *const name : {"double", "package>registered"}) {
    custom.activations[name] = [](std::span<float>, const Shape &) {};
    custom.initializers[name] = [](const Shape &shape) { return Tensor{shape, {}}; };
    custom.regularizers[name] = [](const Tensor &) { return 0.0f; };
    custom.constraints[name] = [](const Tensor &value) { return value; };
  }
  return custom;
}

inline LayerDefinition definition_of(const std::string &json, int rank) {
  Result<LayerDefinition> result = read_definition(json, rank, custom_objects());
  EXPECT_TRUE(result.ok()) << json << ": " << result.status().message();
  return result.ok() ? std::move(result).value() : LayerDefinition();
}

inline std::string text_of(const Result<std::string> &written) {
  EXPECT_TRUE(written.ok()) << written.status().message();
  return written.ok() ? written.value() : "null";
}

inline OrderedJson read_golden(const std::string &name) {
  return OrderedJson::parse(std::ifstream(std::string(TCONV_GOLDEN_DIRECTORY) + "/" + name));
}

// The first difference between two values, with the way to it; "" where there is none. The order of fields counts;
// numbers may differ by what a float32 rounds away, because Keras passes some of them through one.
inline std::string difference(const OrderedJson &ours, const OrderedJson &keras, const std::string &where = "") {
  const std::string both = where + ": " + ours.dump() + " is not " + keras.dump();
  if (ours.is_number() && keras.is_number()) {
    const double a = ours.get<double>(), b = keras.get<double>();
    return std::fabs(a - b) <= 1e-7 * std::max(1.0, std::fabs(b)) ? "" : both;
  }
  if (ours.type() != keras.type() || ours.size() != keras.size()) return both;
  if (!ours.is_structured()) return ours == keras ? "" : both;
  for (auto a = ours.begin(), b = keras.begin(); a != ours.end(); ++a, ++b) {
    if (ours.is_object() && a.key() != b.key()) return where + ": field " + a.key() + " is not " + b.key();
    const std::string inner = where + "/" + (ours.is_object() ? a.key() : std::to_string(a - ours.begin()));
    if (const std::string found = difference(*a, *b, inner); !found.empty()) return found;
  }
  return "";
}

}  // namespace tconv

#endif
