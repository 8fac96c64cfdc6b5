// Whole layers as Keras 3 has them: what tests/golden/from_keras_layers.py recorded of each, checked on the layer that
// from_config() makes of Keras' own JSON and on the one that the same arguments and a graph make.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "golden_json.h"
#include "tconv/layer.h"

namespace tconv::test {
namespace {

constexpr std::size_t least_layers = 40;

using Losses = std::vector<float>;

Losses to_losses(const Json &json) { return json.get<Losses>(); }

// The activity loss of a call in front of the weights' penalties, where the layer has one.
Losses activity_loss(const Json &one, const Json &call) {
  const Losses losses = to_losses(call["losses"]);
  const bool regularized = !one["layer"]["config"]["activity_regularizer"].is_null();
  return {losses.begin(), losses.begin() + (regularized ? 1 : 0)};
}

template <int rank>
class Case {
 public:
  using Layer = ConvTranspose<rank>;

  explicit Case(const Json &recorded) : one_(recorded) {}

  void check() {
    Result<Layer> read = Layer::from_config(one_["layer"].dump());
    ASSERT_TRUE(read.ok()) << read.status().message();
    Layer &layer = read.value();
    set_weights(layer);
    check_shapes(layer);
    check_weights(layer);
    for (const Json &call : one_["calls"]) {
      check_call(layer, call);
      expect_near(layer.losses().value(), to_losses(call["losses"]), "losses");
    }
    check_not_trainable(layer);
    check_projection(layer);
    check_with_graph();
  }

 private:
  void set_weights(Layer &layer) {
    std::vector<Tensor> weights;
    for (const Json &weight : one_["weights"]) weights.push_back(to_tensor(weight));
    const Status status = layer.set_weights(weights);
    ASSERT_TRUE(status.ok()) << status.message();
  }

  void check_shapes(const Layer &layer) {
    for (const Json &shape : one_["open_shapes"]) {
      const Result<Shape> output = layer.compute_output_shape(to_shape(shape["input"]));
      ASSERT_TRUE(output.ok()) << output.status().message();
      EXPECT_EQ(output.value(), to_shape(shape["output"])) << shape;
    }
  }

  void check_weights(const Layer &layer) {
    EXPECT_EQ(layer.name(), one_["layer"]["config"]["name"].get<std::string>());
    EXPECT_EQ(layer.trainable(), one_["layer"]["config"]["trainable"].get<bool>());
    EXPECT_EQ(layer.count_params().value(), one_["count_params"].get<std::int64_t>());
    check_variables(layer.trainable_weights().value(), one_["trainable_weights"]);
    check_variables(layer.non_trainable_weights().value(), one_["non_trainable_weights"]);
  }

  static void check_variables(const std::vector<Variable> &variables, const Json &wanted) {
    ASSERT_EQ(variables.size(), wanted.size());
    for (std::size_t i = 0; i < variables.size(); ++i) {
      EXPECT_EQ(variables[i].name(), wanted[i]["name"].get<std::string>());
      EXPECT_EQ(variables[i].shape(), to_shape(wanted[i]["shape"]));
    }
  }

  void check_call(Layer &layer, const Json &call) {
    const Tensor input = to_tensor(call["input"]);
    const Result<Tensor> output = layer(input);
    ASSERT_TRUE(output.ok()) << output.status().message();
    expect_near(output.value(), to_tensor(call["output"]), "output");
    EXPECT_EQ(layer.compute_output_shape(input.shape).value(), output.value().shape);
  }

  void check_not_trainable(Layer &layer) {
    const bool trainable = layer.trainable();
    ASSERT_TRUE(layer.set_trainable(false).ok());
    expect_near(layer.losses().value(), to_losses(one_["losses_not_trainable"]), "losses while not trainable");
    EXPECT_TRUE(layer.trainable_weights().value().empty());
    ASSERT_TRUE(layer.set_trainable(trainable).ok());
  }

  void check_projection(Layer &layer) {
    const std::vector<Variable> variables = layer.weights().value();
    for (Variable variable : variables) {
      const Status projected = variable.project();
      ASSERT_TRUE(projected.ok()) << projected.message();
    }
    const std::vector<Tensor> weights = layer.get_weights().value();
    ASSERT_EQ(weights.size(), one_["projected"].size());
    for (std::size_t i = 0; i < weights.size(); ++i) {
      expect_near(weights[i], to_tensor(one_["projected"][i]), "projected weight");
    }
  }

  // Every call's loss stays.
  void check_with_graph() {
    ConvTransposeArguments<rank> arguments = to_arguments<rank>(one_["layer"]["config"]);
    arguments.graph = Graph();
    Layer layer(arguments);
    ASSERT_TRUE(layer.status().ok()) << layer.status().message();
    set_weights(layer);
    Losses wanted;
    for (const Json &call : one_["calls"]) {
      check_call(layer, call);
      const Losses own = activity_loss(one_, call);
      wanted.insert(wanted.end(), own.begin(), own.end());
      const Tensor input = to_tensor(call["input"]);
      expect_near(layer.get_losses_for(&input).value(), own, "losses of one call");
    }
    const Losses last = to_losses(one_["calls"].back()["losses"]);
    const Losses own = activity_loss(one_, one_["calls"].back());
    const Losses penalties(last.begin() + static_cast<std::ptrdiff_t>(own.size()), last.end());
    expect_near(layer.get_losses_for(nullptr).value(), penalties, "penalties");
    wanted.insert(wanted.end(), penalties.begin(), penalties.end());
    expect_near(layer.losses().value(), wanted, "losses with a graph");
  }

  const Json &one_;
};

TEST(KerasLayerGolden, LayersDoWhatKerasRecorded) {
  const Json layers = read_golden("keras_layers.json");
  ASSERT_GE(layers.size(), least_layers);
  for (const Json &one : layers) {
    SCOPED_TRACE(one["layer"]["config"].dump());
    const std::string class_name = one["layer"]["class_name"].get<std::string>();
    if (class_name == "Conv1DTranspose") Case<1>(one).check();
    if (class_name == "Conv2DTranspose") Case<2>(one).check();
    if (class_name == "Conv3DTranspose") Case<3>(one).check();
  }
}

}  // namespace
}  // namespace tconv::test
