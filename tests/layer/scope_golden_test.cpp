// Scopes, names and sharing as TensorFlow 1 has them: programs that tests/golden/from_tf_layers.py recorded, replayed
// with VariableScope and the functional forms.
// Where tconv differs from TensorFlow's code on purpose, and follows its documentation, a test here says so; the
// recorded programs leave it out.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "golden_json.h"
#include "layer_case.h"
#include "tconv/functional.h"

namespace tconv::test {
namespace {

constexpr std::size_t least_programs = 40, least_outputs = 12;

Reuse to_reuse(const std::string &text) {
  if (text == "true") return Reuse::yes;
  return text == "auto" ? Reuse::automatic : Reuse::no;  // TensorFlow's False is its None
}

Result<Tensor> call(const VariableScope &scope, const Json &arguments, const Tensor &input) {
  const Reuse reuse = to_reuse(arguments["reuse"].get<std::string>());
  if (input.shape.size() == 4) return conv2d_transpose(scope, input, to_arguments<2>(arguments), reuse);
  return conv3d_transpose(scope, input, to_arguments<3>(arguments), reuse);
}

Tensor input_of(const Json &step) {
  return step.contains("input") ? to_tensor(step["input"]) : random_tensor(to_shape(step["call"]["input_shape"]), 1);
}

std::string message_part(const Json &step) {
  const std::string kind = step["error"].get<std::string>();
  const std::string part = kind == "exists" ? "exists" : kind == "missing" ? "does not exist" : "is shared, but has";
  return "variable '" + step["error_variable"].get<std::string>() + "' " + part;
}

// The scopes that a program has entered and not left.
class Scopes {
 public:
  explicit Scopes(const VariableScope &root) : open_({root}) {}

  const VariableScope &current() const { return open_.back(); }

  // True where the step is not a call.
  bool follow(const Json &step) {
    if (step.contains("enter")) {
      open_.emplace_back(open_.back(), step["enter"].get<std::string>(), to_reuse(step["reuse"].get<std::string>()));
    } else if (step.contains("leave")) {
      open_.pop_back();
    }
    return !step.contains("call");
  }

 private:
  std::vector<VariableScope> open_;
};

void replay(const Json &program, const Graph &graph) {
  Scopes scopes((VariableScope(graph)));
  for (const Json &step : program["steps"]) {
    SCOPED_TRACE(step.dump().substr(0, 200));
    if (scopes.follow(step)) {
      if (step.contains("leave")) continue;
      EXPECT_TRUE(scopes.current().status().ok());
      EXPECT_EQ(scopes.current().name(), step["scope_name"].get<std::string>());
      EXPECT_EQ(scopes.current().reuse(), to_reuse(step["scope_reuse"].get<std::string>()));
      continue;
    }
    const Result<Tensor> output = call(scopes.current(), step["call"], input_of(step));
    if (step.contains("error")) {
      expect_message(output.status(), StatusCode::invalid_argument, message_part(step).c_str());
    } else {
      ASSERT_TRUE(output.ok()) << output.status().message();
      EXPECT_EQ(output.value().shape, to_shape(step["output_shape"]));
    }
    EXPECT_EQ(paths(graph.variables()), step["variables"].get<std::vector<std::string>>());
    EXPECT_EQ(paths(graph.trainable_variables()), step["trainable_variables"].get<std::vector<std::string>>());
  }
}

// The same calls again, which find what the first pass made, with the values that TensorFlow's session had.
std::size_t compare_numbers(const Json &program, const Graph &graph) {
  const std::vector<Variable> variables = graph.variables().value();
  for (Variable variable : variables) {
    const Status assigned = variable.assign(to_tensor(program["values"][variable.path()]));
    EXPECT_TRUE(assigned.ok()) << assigned.message();
  }
  const std::size_t first_pass = graph.regularization_losses().value().size();
  Scopes scopes(VariableScope(graph, Reuse::yes));
  std::size_t compared = 0;
  for (const Json &step : program["steps"]) {
    if (scopes.follow(step)) continue;
    const Result<Tensor> output = call(scopes.current(), step["call"], input_of(step));
    EXPECT_TRUE(output.ok()) << output.status().message();
    if (!output.ok() || !step.contains("output")) continue;
    expect_near(output.value(), to_tensor(step["output"]), "output");
    ++compared;
  }
  // Those of the first pass' calls are in front, and TensorFlow's order is that of the graph's construction.
  std::vector<float> losses = graph.regularization_losses().value();
  losses.erase(losses.begin(), losses.end() - static_cast<std::ptrdiff_t>(first_pass));
  std::sort(losses.begin(), losses.end());
  expect_near(losses, program["regularization_losses"].get<std::vector<float>>(), "regularization losses");
  return compared;
}

TEST(ScopeGolden, ProgramsGiveTheNamesSharingAndErrorsOfTensorFlow) {
  const Json programs = read_golden("tf_layers.json");
  ASSERT_GE(programs.size(), least_programs);
  for (const Json &program : programs) {
    SCOPED_TRACE(program["name"].get<std::string>());
    replay(program, Graph());
  }
}

TEST(ScopeGolden, ProgramsGiveTheNumbersOfTensorFlow) {
  std::size_t compared = 0;
  for (const Json &program : read_golden("tf_layers.json")) {
    if (!program.contains("values")) continue;
    SCOPED_TRACE(program["name"].get<std::string>());
    const Graph graph;
    replay(program, graph);
    compared += compare_numbers(program, graph);
  }
  EXPECT_GE(compared, least_outputs);
}

// TensorFlow's page says "If None, no bias will be applied"; its code makes the bias then too.
TEST(ScopeGolden, NoBiasInitializerIsNoBiasAsDocumented) {
  const VariableScope scope;
  const ConvTransposeArguments<2> up = {.filters = 2, .kernel_size = 2, .bias_initializer = {}, .name = "up"};
  ASSERT_TRUE(conv2d_transpose(scope, random_tensor({1, 2, 3, 2}, 1), up).ok());
  EXPECT_EQ(paths(scope.graph().variables()), (std::vector<std::string>{"up/kernel"}));
}

// TensorFlow goes on counting where a scope is entered by its object, as the root has to be. A scope of tconv's has its
// own count, the root like any other.
TEST(ScopeGolden, ANewRootScopeCountsFromTheStart) {
  const Graph graph;
  const ConvTransposeArguments<2> up = {.filters = 2, .kernel_size = 2};
  const Tensor x = random_tensor({1, 2, 3, 2}, 1);
  ASSERT_TRUE(conv2d_transpose(VariableScope(graph), x, up).ok());
  ASSERT_TRUE(conv2d_transpose(VariableScope(graph, Reuse::yes), x, up).ok());
  expect_message(conv2d_transpose(VariableScope(graph), x, up).status(), StatusCode::invalid_argument,
                 "variable 'conv2d_transpose/kernel' exists");
}

// TensorFlow accepts these and makes paths with an empty part.
TEST(ScopeGolden, AScopeNamesNoEmptyPart) {
  for (const char *name : {"", "/a", "a/"}) {
    expect_message(VariableScope(VariableScope(), name).status(), StatusCode::invalid_argument, "scope");
  }
}

}  // namespace
}  // namespace tconv::test
