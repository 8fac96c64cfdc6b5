// ActivationFunction: which activations a kernel computes, and Keras' own values and configs for those that follow it.
#include <limits>
#include <stdexcept>

#include "keras_golden.h"
#include "keras_objects.h"
#include "tconv/activations.h"

namespace tconv {
namespace {

std::vector<float> apply(const ActivationFunction &activation, Tensor tensor) {
  const Status status = activation(tensor.data, tensor.shape);
  EXPECT_TRUE(status.ok()) << status.message();
  return tensor.data;
}

std::string refusal(const ActivationFunction &activation, Shape shape, std::vector<float> values) {
  return activation(values, shape).message();
}

TEST(ActivationFunctions, ValuesAndConfigsAreThoseOfKeras) {
  const std::vector<Json> cases = test::golden_cases("keras_objects.json", "activation");
  EXPECT_GE(cases.size(), 20);
  for (const Json &one : cases) {
    test::expect_keras_json<ActivationFunction>(one);
    const ActivationFunction activation(test::text(one["identifier"]));
    EXPECT_FALSE(activation.is_builtin());
    EXPECT_EQ(activation.builtin(), Activation::linear);
    test::expect_near(apply(activation, test::input(one)), one["result"], one["given"].dump());
  }
}

TEST(ActivationFunctions, WhatKerasRefusesIsAnInvalidArgument) {
  const std::vector<Json> cases = test::golden_cases("keras_objects.json", "activation", true);
  EXPECT_GE(cases.size(), 10);
  for (const Json &one : cases) {
    const ActivationFunction activation(test::text(one["given"]));
    EXPECT_EQ(activation.status().code(), StatusCode::invalid_argument) << one["given"];
    EXPECT_EQ(refusal(activation, {1}, {0}), activation.status().message());
    EXPECT_EQ(activation.serialize(), "");
  }
}

TEST(ActivationFunctions, NamesOfKernelsStayWithTheKernel) {
  for (int i = 0; i < activation_count; ++i) {
    const auto wanted = static_cast<Activation>(i);
    const std::string quoted = '"' + std::string(name(wanted)) + '"';
    for (const std::string &text : {std::string(name(wanted)), R"({"module": "keras.activations",
             "class_name": "function", "config": )" + quoted + R"(, "registered_name": )" +
                                                                   quoted + "}"}) {
      const ActivationFunction activation(text);
      EXPECT_TRUE(activation.status().ok()) << activation.status().message();
      EXPECT_TRUE(activation.is_builtin()) << text;
      EXPECT_EQ(activation.builtin(), wanted) << text;
      EXPECT_EQ(activation.serialize(), quoted);
      EXPECT_EQ(apply(activation, {{1}, {-3}}), (std::vector<float>{-3}));
    }
  }
  EXPECT_EQ(ActivationFunction("swish").serialize(), R"("silu")");
  EXPECT_EQ(ActivationFunction().serialize(), R"("linear")");
}

TEST(ActivationFunctions, UnsupportedOnesSayWhy) {
  for (const auto &[identifier, message] : {
           std::pair("glu",
                     "activation 'glu': it halves the last axis, but a transposed convolution has as many channels as "
                     "filters"),
           std::pair("threshold",
                     "activation 'threshold': it has two parameters without defaults, which a name cannot give"),
           std::pair(R"({"module": "keras.layers", "class_name": "PReLU", "config": {"name": "p"}})",
                     "activation 'PReLU': it has weights of its own"),
       }) {
    const Status status = ActivationFunction(identifier).status();
    EXPECT_EQ(status.code(), StatusCode::unsupported);
    EXPECT_EQ(status.message(), message);
  }
  EXPECT_EQ(ActivationFunction(R"({"class_name": "ELU", "config": {"dtype": "float16"}})").status().code(),
            StatusCode::unsupported);
}

TEST(ActivationFunctions, RefusalsNameTheValue) {
  const auto message = [](const char *identifier) { return ActivationFunction(identifier).status().message(); };
  EXPECT_EQ(message("ReLU"), "activation 'ReLU' is not one of Keras': did you mean 'relu'?");
  EXPECT_EQ(message(R"({"class_name": "ReLU", "config": {"max_value": -1}})"),
            "'max_value' in activation ReLU must be zero or more, got -1");
  EXPECT_EQ(message(R"({"class_name": "ELU", "config": {"alpha": null}})"),
            "'alpha' in activation ELU must not be null");
  EXPECT_EQ(message(R"({"class_name": "Softmax", "config": {"axis": []}})"),
            "'axis' in activation Softmax must not be empty");
  EXPECT_EQ(message(R"({"class_name": "Softmax", "config": {"alpha": 1}})"),
            "unknown field 'alpha' in activation Softmax");
}

TEST(ActivationFunctions, OutputMustFit) {
  EXPECT_EQ(refusal("sparsemax", {2, 2}, {1}), "the output has 1 elements, but its shape (2, 2) has 4");
  EXPECT_EQ(refusal("sparsemax", {}, {1}), "activation sparsemax: shape () has no last axis");
  EXPECT_EQ(refusal(R"({"class_name": "Softmax", "config": {"axis": [0, 2]}})", {1, 1}, {1}),
            "axis (0, 2) of activation Softmax: 2 is not an axis of shape (1, 1)");
  EXPECT_TRUE(apply("sparsemax", {{2, 0}, {}}).empty());
}

TEST(ActivationFunctions, SparsemaxTakesWhatIsNoNumber) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> result = apply("sparsemax", {{1, 3}, {nan, 1, nan}});
  EXPECT_TRUE(std::isnan(result[0]) && std::isnan(result[2]));
  EXPECT_EQ(result[1], 1);
  EXPECT_EQ(apply("sparsemax", {{3}, {1e8F, 0, -infinity}}), (std::vector<float>{1, 0, 0}));
}

TEST(ActivationFunctions, FunctionOfTheUsersWorksInPlace) {
  const ActivationFunction sized("sized", [](std::span<float> values, const Shape &shape) {
    for (float &x : values) x += static_cast<float>(shape[1]);
  });
  EXPECT_FALSE(sized.is_builtin());
  EXPECT_EQ(apply(sized, {{1, 2}, {1, 2}}), (std::vector<float>{3, 4}));
  EXPECT_EQ(Json::parse(sized.serialize()), Json::parse(R"({"module": "builtins", "class_name": "function",
      "config": "sized", "registered_name": "function"})"));
  const ActivationFunction bad("bad", [](std::span<float>, const Shape &) { throw std::runtime_error("reason"); });
  EXPECT_EQ(refusal(bad, {1}, {1}), "activation 'bad' failed: 'reason'");
  EXPECT_EQ(ActivationFunction("none", nullptr).status().message(), "the function of activation 'none' is empty");
  EXPECT_EQ(ActivationFunction("", [](std::span<float>, const Shape &) {}).status().message(),
            "the activation's name is empty: serialize() needs one");
}

TEST(ActivationFunctions, CustomObjectsAreFoundByName) {
  CustomObjects custom;
  custom.activations["mine"] = [](std::span<float> values, const Shape &) { values[0] = 5; };
  const Json json = to_json(ActivationFunction("mine", custom.activations["mine"]));
  const Result<ActivationFunction> read = read_activation_function(json, custom);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(apply(read.value(), {{1}, {1}}), (std::vector<float>{5}));
  EXPECT_EQ(to_json(read.value()), json);
  EXPECT_EQ(read_activation_function(json, {}).status().code(), StatusCode::not_found);
  EXPECT_TRUE(read_activation_function(nullptr, custom).value().is_builtin());
}

}  // namespace
}  // namespace tconv
