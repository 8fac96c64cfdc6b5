// Cases that Keras itself computed (tests/golden/from_keras_objects.py and its like), by kind: what it was given, what
// it wrote for it, and what came out. Shared by the tests of Keras' objects.
#ifndef TCONV_TESTS_KERAS_GOLDEN_H
#define TCONV_TESTS_KERAS_GOLDEN_H

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tconv/tensor.h"

namespace tconv::test {

using Json = nlohmann::json;

// The cases of one kind; with `raises` those that Keras refuses, else the others.
inline std::vector<Json> golden_cases(const std::string &file, std::string_view kind, bool raises = false) {
  const Json all = Json::parse(std::ifstream(std::string(TCONV_GOLDEN_DIRECTORY) + "/" + file));
  std::vector<Json> cases;
  for (const Json &one : all) {
    if (one["kind"] == kind && one.contains("raises") == raises) cases.push_back(one);
  }
  return cases;
}

// What a class's constructor takes for it.
inline std::string text(const Json &given) { return given.is_string() ? given.get<std::string>() : given.dump(); }

inline Tensor input(const Json &one) {
  return {one["input"]["shape"].get<Shape>(), one["input"]["values"].get<std::vector<float>>()};
}

// Keras computes in float32.
inline void expect_near(const std::vector<float> &values, const Json &wanted, const std::string &where) {
  ASSERT_EQ(values.size(), wanted.size()) << where;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = wanted[i].get<double>();
    ASSERT_NEAR(values[i], value, 2e-6 * (1 + std::abs(value))) << where << " at " << i;
  }
}

// Equal but for the digits of numbers: Keras sends some factors through float32.
inline bool same_json(const Json &a, const Json &b) {
  if (a.is_number() && b.is_number()) {
    const double x = a.get<double>(), y = b.get<double>();
    return std::abs(x - y) <= 1e-7 * std::max(1.0, std::abs(y));
  }
  if (a.type() != b.type() || a.size() != b.size() || !a.is_structured()) return a == b;
  if (a.is_array()) {
    return std::equal(a.begin(), a.end(), b.begin(), [](const Json &x, const Json &y) { return same_json(x, y); });
  }
  for (const auto &item : a.items()) {
    if (!b.contains(item.key()) || !same_json(item.value(), b[item.key()])) return false;
  }
  return true;
}

// Object is one of the library's classes: the JSON that it writes for what Keras was given, and for what Keras wrote.
template <typename Object>
void expect_keras_json(const Json &one) {
  for (const char *const key : {"given", "identifier"}) {
    const Object object(text(one[key]));
    ASSERT_TRUE(object.status().ok()) << one[key] << ": " << object.status().message();
    EXPECT_TRUE(same_json(Json::parse(object.serialize()), one["identifier"]))
        << one[key] << " became " << object.serialize();
  }
}

}  // namespace tconv::test

#endif
