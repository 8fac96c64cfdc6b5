// Constraints: Keras' own values and configs, the refusals, and functions of the user's.
#include "tconv/constraints.h"

#include <limits>
#include <stdexcept>

#include "keras_golden.h"
#include "keras_objects.h"

namespace tconv {
namespace {

const Tensor small = {{2, 2}, {1, -2, 3, 0}};

Tensor project(const Constraint &constraint, const Tensor &tensor = small) {
  const Result<Tensor> result = constraint(tensor);
  EXPECT_TRUE(result.ok()) << result.status().message();
  return result.ok() ? result.value() : Tensor();
}

TEST(Constraints, ProjectionsAndConfigsAreThoseOfKeras) {
  const std::vector<Json> cases = test::golden_cases("keras_objects.json", "constraint");
  EXPECT_GE(cases.size(), 40);
  for (const Json &one : cases) {
    test::expect_keras_json<Constraint>(one);
    const Tensor input = test::input(one);
    const Tensor result = project(Constraint(test::text(one["identifier"])), input);
    EXPECT_EQ(result.shape, input.shape);
    test::expect_near(result.data, one["result"], one["given"].dump());
  }
}

TEST(Constraints, WhatKerasRefusesIsAnInvalidArgument) {
  const std::vector<Json> cases = test::golden_cases("keras_objects.json", "constraint", true);
  EXPECT_GE(cases.size(), 8);
  for (const Json &one : cases) {
    const Constraint constraint(test::text(one["given"]));
    EXPECT_EQ(constraint.status().code(), StatusCode::invalid_argument) << one["given"];
    EXPECT_EQ(constraint(small).status().message(), constraint.status().message());
    EXPECT_EQ(constraint.serialize(), "");
  }
}

TEST(Constraints, AxesMustBeThoseOfTheTensor) {
  EXPECT_EQ(constraints::unit_norm({2})(small).status().message(),
            "axis 2 of constraint UnitNorm: 2 is not an axis of shape (2, 2)");
  EXPECT_EQ(constraints::max_norm({.axis = {0, -3}})(small).status().message(),
            "axis (0, -3) of constraint MaxNorm: -3 is not an axis of shape (2, 2)");
  EXPECT_EQ(constraints::min_max_norm({.axis = {1, -1}})(small).status().message(),
            "axis (1, -1) of constraint MinMaxNorm: axis 1 of shape (2, 2) is given twice");
  EXPECT_EQ(constraints::unit_norm()({{}, {1}}).status().message(),
            "axis 0 of constraint UnitNorm: 0 is not an axis of shape ()");
  EXPECT_EQ(constraints::non_neg()({{2, 2}, {1}}).status().message(),
            "the tensor has 1 elements, but its shape (2, 2) has 4");
  EXPECT_EQ(project(constraints::unit_norm(), {{0, 3}, {}}).shape, (Shape{0, 3}));
}

// Keras takes these, and fails when the constraint runs, or writes what is not JSON.
TEST(Constraints, ParametersOfNoUseAreRefused) {
  EXPECT_EQ(Constraint(R"({"class_name": "MaxNorm", "config": {"max_value": null}})").status().message(),
            "'max_value' in constraint MaxNorm must not be null");
  EXPECT_EQ(Constraint(R"({"class_name": "MaxNorm", "config": {"max_value": "2"}})").status().message(),
            "'max_value' in constraint MaxNorm must be a number, got '2'");
  EXPECT_EQ(Constraint(R"({"class_name": "UnitNorm", "config": {"axis": 1.5}})").status().message(),
            "'axis' in constraint UnitNorm must be an integer of 64 bits, got 1.5");
  EXPECT_EQ(constraints::min_max_norm({.rate = std::nan("")}).status().message(),
            "'rate' in constraint MinMaxNorm must be finite, got nan");
}

TEST(Constraints, FunctionsHaveTheDefaultsOfKerasClasses) {
  const auto json = [](const Constraint &constraint) { return Json::parse(constraint.serialize()); };
  EXPECT_EQ(json(constraints::max_norm()), json("max_norm"));
  EXPECT_EQ(json(constraints::min_max_norm()), json("min_max_norm"));
  EXPECT_EQ(json(constraints::unit_norm()), json("unit_norm"));
  EXPECT_EQ(json(constraints::non_neg()), json("non_neg"));
  EXPECT_EQ(json(constraints::unit_norm({0, 1}))["config"]["axis"], (Json{0, 1}));
}

TEST(Constraints, NanStaysNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(project(constraints::non_neg(), {{1}, {nan}}).data[0]));
  EXPECT_TRUE(std::isnan(project(constraints::max_norm(), {{2}, {nan, 1}}).data[1]));
}

TEST(Constraints, NoneReturnsItsArgument) {
  const Constraint none;
  EXPECT_TRUE(none.is_none());
  EXPECT_EQ(project(none).data, small.data);
  EXPECT_EQ(none.serialize(), "null");
}

TEST(Constraints, FunctionOfTheUsersMustKeepTheShape) {
  const Constraint twice("twice", [](const Tensor &value) {
    Tensor result = value;
    for (float &x : result.data) x *= 2;
    return result;
  });
  EXPECT_EQ(project(twice).data, (std::vector<float>{2, -4, 6, 0}));
  EXPECT_EQ(Json::parse(twice.serialize())["config"], "twice");
  const Constraint flat("flat", [](const Tensor &value) { return Tensor{{4}, value.data}; });
  EXPECT_EQ(flat(small).status().message(),
            "constraint 'flat' returned a tensor of shape (4,) for one of shape (2, 2)");
  const Constraint empty("empty", [](const Tensor &value) { return Tensor{value.shape, {}}; });
  EXPECT_EQ(empty(small).status().message(), "constraint 'empty' returned 0 elements for a tensor of shape (2, 2)");
  const Constraint bad("bad", [](const Tensor &) -> Tensor { throw std::runtime_error("reason"); });
  EXPECT_EQ(bad(small).status().code(), StatusCode::invalid_argument);
  EXPECT_EQ(bad(small).status().message(), "constraint 'bad' failed: 'reason'");
  EXPECT_EQ(Constraint("none", nullptr).status().message(), "the function of constraint 'none' is empty");
}

TEST(Constraints, CustomObjectsAreFoundByName) {
  CustomObjects custom;
  custom.constraints["mine"] = [](const Tensor &value) { return value; };
  EXPECT_TRUE(read_constraint("mine", custom).ok());
  EXPECT_EQ(read_constraint("mine", {}).status().code(), StatusCode::invalid_argument);
  EXPECT_EQ(read_constraint(to_json(Constraint("yours", custom.constraints["mine"])), custom).status().code(),
            StatusCode::not_found);
  EXPECT_TRUE(read_constraint(nullptr, custom).value().is_none());
}

}  // namespace
}  // namespace tconv
