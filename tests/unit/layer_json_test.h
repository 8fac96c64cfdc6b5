// What the tests of parse_layer() share: a layer with some fields changed, and what became of it.
#ifndef TCONV_TESTS_LAYER_JSON_TEST_H
#define TCONV_TESTS_LAYER_JSON_TEST_H

#include <gtest/gtest.h>

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "tconv/layer_config.h"

namespace tconv {

using Json = nlohmann::json;

// The layer with some fields replaced (RFC 7396; null takes one away).
inline std::string with(Json layer, const char *changes) {
  layer.merge_patch(Json::parse(changes));
  return layer.dump();
}

inline LayerConfig parsed(const std::string &json, const std::optional<Shape> &kernel = std::nullopt) {
  const Result<LayerConfig> result = parse_layer(json, kernel);
  EXPECT_TRUE(result.ok()) << json << ": " << result.status().message();
  return result.ok() ? result.value() : LayerConfig();
}

inline std::string refusal(const std::string &json, const std::optional<Shape> &kernel = std::nullopt) {
  const std::string message = parse_layer(json, kernel).status().message();
  EXPECT_EQ(message.find('\n'), std::string::npos);
  return message;
}

struct Refusal {
  const char *changes;
  const char *message;
};

inline void expect_refusals(const Json &layer, std::initializer_list<Refusal> cases) {
  for (const Refusal &c : cases) EXPECT_EQ(refusal(with(layer, c.changes)), c.message) << c.changes;
}

}  // namespace tconv

#endif
