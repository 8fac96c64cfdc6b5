// read_identifier(), identifier_json() and the JSON that goes back: what the kinds of Keras' objects share.
#include "keras_identifier.h"

#include <gtest/gtest.h>

#include <array>

namespace tconv {
namespace {

KerasIdentifier read(const char *json) {
  const Result<KerasIdentifier> result = read_identifier(Json::parse(json), "initializer");
  EXPECT_TRUE(result.ok()) << json << ": " << result.status().message();
  return result.ok() ? result.value() : KerasIdentifier();
}

TEST(KerasIdentifiers, FormsAreTakenApart) {
  const KerasIdentifier name = read(R"("zeros")");
  EXPECT_EQ(name.name, "zeros");
  EXPECT_EQ(name.spelled, "zeros");
  EXPECT_FALSE(name.is_function);
  EXPECT_EQ(name.config, Json::object());

  const KerasIdentifier one_class = read(R"({"module": "keras.initializers", "class_name": "Constant",
      "config": {"value": 1}, "registered_name": null, "shared_object_id": 3})");
  EXPECT_EQ(one_class.name, "Constant");
  EXPECT_FALSE(one_class.is_function);
  EXPECT_EQ(one_class.config, Json::parse(R"({"value": 1})"));

  const KerasIdentifier function = read(function_json("mine").dump().c_str());
  EXPECT_EQ(function.name, "mine");
  EXPECT_TRUE(function.is_function);
  EXPECT_EQ(function.config, Json::object());

  const KerasIdentifier registered = read(R"({"module": null, "class_name": "Mine", "config": {"a": 1},
      "registered_name": "package>Mine"})");
  EXPECT_EQ(registered.name, "Mine");
  EXPECT_TRUE(registered.is_function);
  EXPECT_EQ(registered.config.size(), 1);

  EXPECT_EQ(read(R"({"class_name": "Zeros", "config": null})").config, Json::object());
}

TEST(KerasIdentifiers, OtherJsonIsRefused) {
  const struct {
    const char *json, *message;
  } cases[] = {
      {"3", "the initializer must be a name or an object, got '3'"},
      {"null", "the initializer must be a name or an object, got 'null'"},
      {"{}", "field 'class_name' in initializer is missing"},
      {R"({"class_name": 3})", "'class_name' in initializer must be a string, got 3"},
      {R"({"class_name": "Zeros", "module": 3})", "'module' in initializer must be a string, got 3"},
      {R"({"class_name": "Zeros", "registered_name": []})",
       "'registered_name' in initializer must be a string, got a list of 0 entries"},
      {R"({"class_name": "Zeros", "config": "x"})", "initializer.config must be an object, got 'x'"},
      {R"({"class_name": "Zeros", "confg": {}})", "unknown field 'confg' in initializer: did you mean 'config'?"},
      {R"({"class_name": "function"})", "field 'config' in initializer is missing"},
      {R"({"class_name": "function", "config": {}})", "'config' in initializer must be a string, got an object"},
  };
  for (const auto &c : cases) {
    const Status status = read_identifier(Json::parse(c.json), "initializer").status();
    EXPECT_EQ(status.code(), StatusCode::invalid_argument);
    EXPECT_EQ(status.message(), c.message);
  }
}

TEST(KerasIdentifiers, TextIsJsonWhereItStartsWithABrace) {
  EXPECT_EQ(identifier_json("zeros", "initializer").value(), "zeros");
  EXPECT_EQ(identifier_json("", "initializer").value(), "");
  EXPECT_EQ(identifier_json("\n {\"a\": 1}", "initializer").value(), Json::parse(R"({"a": 1})"));
  const auto message = [](const std::string &text) { return identifier_json(text, "initializer").status().message(); };
  EXPECT_TRUE(message("{").starts_with("initializer: not JSON: ")) << message("{");
  EXPECT_EQ(message(R"({"a": 1, "a": 2})"), "initializer: field 'a' is given twice");
  std::string deep = R"({"a": )";
  deep += std::string(70, '[') + std::string(70, ']') + "}";
  EXPECT_EQ(message(deep), "initializer: the JSON is nested more than 64 deep");
  EXPECT_EQ(message("{" + std::string(1 << 20, ' ') + "}"),
            "initializer: the JSON has 1048578 bytes, more than 1048576");
}

TEST(KerasIdentifiers, ObjectsAreWrittenAsKerasDoes) {
  EXPECT_EQ(class_json("keras.initializers", "Zeros", Json::object()),
            Json::parse(R"({"module": "keras.initializers", "class_name": "Zeros", "config": {},
                            "registered_name": null})"));
  EXPECT_EQ(function_json("mine"), Json::parse(R"({"module": "builtins", "class_name": "function", "config": "mine",
                                                   "registered_name": "function"})"));
}

TEST(KerasIdentifiers, UnknownNamesAreRefusedWithTheNearest) {
  constexpr std::array<std::string_view, 2> names = {"zeros", "glorot_uniform"};
  const Status near = unknown_identifier("initializer", read(R"("glorot_unifrom")"), names);
  EXPECT_EQ(near.code(), StatusCode::invalid_argument);
  EXPECT_EQ(near.message(), "initializer 'glorot_unifrom' is not one of Keras': did you mean 'glorot_uniform'?");
  EXPECT_EQ(unknown_identifier("initializer", read(R"("abc")"), names).message(),
            "initializer 'abc' is not one of Keras'");
  EXPECT_EQ(unknown_identifier("initializer", read(R"({"class_name": "abc"})"), names).message(),
            "initializer 'abc' is not one of Keras': give a class of your own as a function in custom_objects");
  EXPECT_EQ(missing_custom_object("initializer", "mine").message(),
            "not found: 'mine' is not one of Keras' initializers: give it in custom_objects");
  EXPECT_EQ(missing_custom_object("initializer", "mine").code(), StatusCode::not_found);
}

}  // namespace
}  // namespace tconv
