// Regularizers: Keras' own values and configs, the refusals, and functions of the user's.
#include "tconv/regularizers.h"

#include <limits>
#include <stdexcept>

#include "keras_golden.h"
#include "keras_identifier.h"
#include "keras_objects.h"

namespace tconv {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
const Tensor small = {{2, 2}, {1, -2, 3, 0}};

float penalty(const Regularizer &regularizer, const Tensor &tensor = small) {
  const Result<float> result = regularizer(tensor);
  EXPECT_TRUE(result.ok()) << result.status().message();
  return result.ok() ? result.value() : -1;
}

TEST(Regularizers, PenaltiesAndConfigsAreThoseOfKeras) {
  const std::vector<Json> cases = test::golden_cases("keras_objects.json", "regularizer");
  EXPECT_GE(cases.size(), 40);
  for (const Json &one : cases) {
    test::expect_keras_json<Regularizer>(one);
    const float result = penalty(Regularizer(test::text(one["identifier"])), test::input(one));
    test::expect_near({result}, one["result"], one["given"].dump());
  }
}

TEST(Regularizers, WhatKerasRefusesIsAnInvalidArgument) {
  const std::vector<Json> cases = test::golden_cases("keras_objects.json", "regularizer", true);
  EXPECT_GE(cases.size(), 10);
  for (const Json &one : cases) {
    const Regularizer regularizer(test::text(one["given"]));
    EXPECT_EQ(regularizer.status().code(), StatusCode::invalid_argument) << one["given"];
    EXPECT_EQ(regularizer(small).status().message(), regularizer.status().message());
    EXPECT_EQ(regularizer.serialize(), "");
  }
}

TEST(Regularizers, RefusalsNameTheValue) {
  EXPECT_EQ(Regularizer("l1_l2").status().message(), "regularizer 'l1_l2' is not one of Keras': did you mean 'L1L2'?");
  EXPECT_EQ(regularizers::l2(-1).status().message(), "'l2' in regularizer L2 must be zero or more and finite, got -1");
  EXPECT_EQ(regularizers::l1_l2(0, infinity).status().message(),
            "'l2' in regularizer L1L2 must be zero or more and finite, got inf");
  EXPECT_EQ(regularizers::l1(std::nan("")).status().message(),
            "'l1' in regularizer L1 must be zero or more and finite, got nan");
  EXPECT_EQ(regularizers::orthogonal_regularizer(1, "diagonals").status().message(),
            "'mode' in regularizer OrthogonalRegularizer must be 'rows' or 'columns', got 'diagonals'");
  EXPECT_EQ(Regularizer(R"({"class_name": "L2", "config": {"l3": 1}})").status().message(),
            "unknown field 'l3' in regularizer L2: did you mean 'l2'?");
}

TEST(Regularizers, FunctionsHaveTheDefaultsOfKerasClasses) {
  EXPECT_EQ(regularizers::l1().serialize(), Regularizer("l1").serialize());
  EXPECT_EQ(regularizers::l2().serialize(), Regularizer("l2").serialize());
  EXPECT_EQ(regularizers::l1_l2().serialize(), Regularizer("l1l2").serialize());
  EXPECT_EQ(regularizers::orthogonal_regularizer().serialize(), Regularizer("orthogonal_regularizer").serialize());
  EXPECT_EQ(penalty(regularizers::l1_l2(1, 10)), 6 + 140);
}

TEST(Regularizers, SumsAreInDoublePrecision) {
  const Tensor many = {{1 << 20}, std::vector<float>(1 << 20, 0.1F)};
  EXPECT_FLOAT_EQ(penalty(regularizers::l1(1), many), 0.1F * (1 << 20));
}

TEST(Regularizers, NoneHasNoPenalty) {
  const Regularizer none;
  EXPECT_TRUE(none.is_none());
  EXPECT_TRUE(none.status().ok());
  EXPECT_EQ(penalty(none), 0);
  EXPECT_EQ(none.serialize(), "null");
}

TEST(Regularizers, TensorMustFit) {
  EXPECT_EQ(regularizers::l1()({{2, 2}, {1}}).status().message(),
            "the tensor has 1 elements, but its shape (2, 2) has 4");
  EXPECT_EQ(regularizers::orthogonal_regularizer()({{4}, {1, 2, 3, 4}}).status().message(),
            "regularizer OrthogonalRegularizer takes tensors of 2 dimensions, got shape (4,)");
  EXPECT_TRUE(std::isnan(penalty(regularizers::orthogonal_regularizer(), {{1, 2}, {1, 2}})));  // as Keras
}

TEST(Regularizers, FunctionOfTheUsersIsCalledAndNamed) {
  const Regularizer last("last", [](const Tensor &tensor) { return tensor.data[2]; });
  EXPECT_EQ(penalty(last), 3);
  EXPECT_EQ(Json::parse(last.serialize()), Json::parse(R"({"module": "builtins", "class_name": "function",
      "config": "last", "registered_name": "function"})"));
  const Regularizer bad("bad", [](const Tensor &) -> float { throw std::runtime_error("no\nrank"); });
  EXPECT_EQ(bad(small).status().code(), StatusCode::invalid_argument);
  EXPECT_EQ(bad(small).status().message(), "regularizer 'bad' failed: 'no\\x0arank'");
  const Regularizer odd("odd", [](const Tensor &) -> float { throw 3; });
  EXPECT_EQ(odd(small).status().message(), "regularizer 'odd' failed: it threw what is no std::exception");
  const Regularizer large("large", [](const Tensor &) -> float { throw std::bad_alloc(); });
  EXPECT_EQ(large(small).status().code(), StatusCode::resource_exhausted);
  EXPECT_EQ(Regularizer("none", nullptr).status().message(), "the function of regularizer 'none' is empty");
  EXPECT_EQ(Regularizer("", [](const Tensor &) { return 0.0F; }).status().message(),
            "the regularizer's name is empty: serialize() needs one");
  EXPECT_NE(Regularizer("\xff", [](const Tensor &) { return 0.0F; }).serialize(), "");
}

TEST(Regularizers, CustomObjectsAreFoundByName) {
  CustomObjects custom;
  custom.regularizers["mine"] = [](const Tensor &) { return 5.0F; };
  const Json by_class = Json::parse(R"({"module": null, "class_name": "mine", "config": {},
      "registered_name": "package>mine"})");
  for (const Json &value :
       {Json("mine"), by_class, Json::parse(R"({"module": "builtins", "class_name": "function", "config": "mine",
                                            "registered_name": "function"})")}) {
    const Result<Regularizer> read = read_regularizer(value, custom);
    ASSERT_TRUE(read.ok()) << value << ": " << read.status().message();
    EXPECT_EQ(penalty(read.value()), 5);
    EXPECT_EQ(to_json(read.value()), value.is_object() ? value : function_json("mine"));
  }
  EXPECT_TRUE(read_regularizer(nullptr, custom).value().is_none());
  Json configured = by_class;
  configured["config"]["factor"] = 2;
  EXPECT_EQ(read_regularizer(configured, custom).status().code(), StatusCode::unsupported);
  const Status missing = read_regularizer(by_class, {}).status();
  EXPECT_EQ(missing.code(), StatusCode::not_found);
  EXPECT_EQ(missing.message(), "not found: 'mine' is not one of Keras' regularizers: give it in custom_objects");
}

}  // namespace
}  // namespace tconv
