// What tconv writes is what Keras 3 reads: each text below is byte for byte the one in tests/golden/tconv_configs.json,
// which has what Keras wrote after loading it (tests/golden/from_keras_configs.py). With TCONV_WRITE_CONFIGS=PATH the
// texts of today go to that file, the script's input.
#include <cstdlib>

#include "layer_definition_test.h"

namespace tconv {
namespace {

struct Sample {
  LayerDefinition definition;
  std::optional<Shape> built_for = {};
};

LayerDefinition layer(const std::string &name, int rank, std::int64_t kernel = 3) {
  const auto count = static_cast<std::size_t>(rank);
  LayerDefinition definition;
  definition.config.rank = rank;
  definition.config.name = name;
  definition.config.filters = 2;
  definition.config.kernel_size = Shape(count, kernel);
  definition.config.strides = definition.config.dilation_rate = Shape(count, 1);
  return definition;
}

void add_structures(std::vector<Sample> &samples) {
  for (int rank = 1; rank <= 3; ++rank) {
    const auto count = static_cast<std::size_t>(rank);
    const std::string prefix = "rank_" + std::to_string(rank) + "_";
    samples.push_back({layer(prefix + "plain", rank)});

    LayerDefinition strided = layer(prefix + "strided", rank, 4);
    strided.config.strides = Shape(count, 3);
    strided.config.output_padding = Shape(count, 0);
    strided.config.output_padding->back() = 2;
    strided.config.padding = TCONV_PADDING_KERAS_SAME;
    Shape last(count + 2, 5);
    last.front() = unknown;
    samples.push_back({strided, last});

    LayerDefinition dilated = layer(prefix + "dilated", rank);
    dilated.config.dilation_rate.back() = 2;
    dilated.config.data_format = DataFormat::channels_first;
    dilated.config.use_bias = false;
    dilated.trainable = false;
    Shape first(count + 2, unknown);
    first[1] = 4;
    samples.push_back({dilated, first});
  }
  samples.push_back({layer("\"quoted\\\", \xc3\xa4, \n", 2), Shape{1, 4, 4, 3}});
}

void add_activations(std::vector<Sample> &samples) {
  for (int i = 0; i < activation_count; ++i) {
    const auto activation = static_cast<Activation>(i);
    LayerDefinition named = layer("activation_" + std::string(name(activation)), 1 + i % 3);
    named.activation = activation;
    samples.push_back({named});
  }
  for (const char *const json :
       {R"({"class_name": "LeakyReLU", "config": {"name": "leaky", "negative_slope": 0.125}})",
        R"({"class_name": "ReLU", "config": {"name": "relu", "max_value": 6, "negative_slope": 0.5, "threshold": 1}})",
        R"({"class_name": "ELU", "config": {"name": "elu", "alpha": 0.5}})",
        R"({"class_name": "Softmax", "config": {"name": "softmax", "axis": 1}})"}) {
    LayerDefinition parametrised = layer("activation_layer_" + std::to_string(samples.size()), 2);
    parametrised.activation = json;
    samples.push_back({parametrised});
  }
}

void add_initializers(std::vector<Sample> &samples) {
  using namespace initializers;
  const Initializer all[] = {{},
                             zeros(),
                             ones(),
                             constant(0.25),
                             constant(-1e-9),
                             identity(),
                             identity(2),
                             random_normal({.mean = 0.5, .stddev = 2, .seed = 7}),
                             random_uniform({.minval = -1.5, .maxval = 2, .seed = 8}),
                             truncated_normal({.stddev = 0.1}),
                             variance_scaling({.scale = 2, .mode = "fan_avg", .distribution = "uniform", .seed = 9}),
                             variance_scaling(),
                             glorot_uniform(10),
                             glorot_normal(),
                             he_uniform(),
                             he_normal(11),
                             lecun_uniform(12),
                             lecun_normal(),
                             orthogonal(),
                             orthogonal(0.5, 13)};
  for (const Initializer &initializer : all) {
    LayerDefinition definition = layer("initializer_" + std::to_string(samples.size()), 2);
    definition.kernel_initializer = initializer;
    definition.bias_initializer = "ones";
    samples.push_back({definition});
  }
}

void add_regularizers_and_constraints(std::vector<Sample> &samples) {
  using namespace regularizers;
  using namespace constraints;
  const Regularizer penalties[] = {l1(), l2(0.0001), l1_l2(0.125, 0.5), orthogonal_regularizer(0.25, "columns")};
  for (const Regularizer &regularizer : penalties) {
    LayerDefinition definition = layer("regularizer_" + std::to_string(samples.size()), 1);
    definition.kernel_regularizer = regularizer;
    definition.bias_regularizer = "l2";
    definition.activity_regularizer = regularizer;
    samples.push_back({definition, Shape{1, 8, 3}});
  }
  const Constraint projections[] = {max_norm(), max_norm({.max_value = 3, .axis = {0, 1, 2}}),
                                    min_max_norm({.min_value = 0.25, .max_value = 1.5, .rate = 0.75, .axis = {-1}}),
                                    unit_norm({0, 1}), non_neg()};
  for (const Constraint &constraint : projections) {
    LayerDefinition definition = layer("constraint_" + std::to_string(samples.size()), 2);
    definition.kernel_constraint = constraint;
    definition.bias_constraint = "unit_norm";
    samples.push_back({definition, Shape{unknown, 4, 4, 3}});
  }
}

void add_functions(std::vector<Sample> &samples) {
  const CustomObjects custom = custom_objects();
  LayerDefinition definition = layer("functions", 2);
  definition.activation = {"double", custom.activations.at("double")};
  definition.kernel_initializer = {"double", custom.initializers.at("double")};
  definition.kernel_regularizer = {"double", custom.regularizers.at("double")};
  definition.activity_regularizer = {"double", custom.regularizers.at("double")};
  definition.bias_constraint = {"double", custom.constraints.at("double")};
  samples.push_back({definition});
}

std::vector<Sample> samples() {
  std::vector<Sample> all;
  add_structures(all);
  add_activations(all);
  add_initializers(all);
  add_regularizers_and_constraints(all);
  add_functions(all);
  return all;
}

OrderedJson texts(const Sample &sample) {
  OrderedJson one;
  one["name"] = sample.definition.config.name;
  one["layer"] = text_of(write_layer(sample.definition, sample.built_for));
  one["config"] = text_of(write_config(sample.definition));
  return one;
}

// Keras 3 loses the gain of Identity: its get_config() is empty (keras/src/initializers/constant_initializers.py).
OrderedJson without_gain_of_identity(OrderedJson config) {
  OrderedJson &initializer = config["kernel_initializer"];
  if (initializer.is_object() && initializer["class_name"] == "Identity") initializer["config"] = OrderedJson::object();
  return config;
}

void expect_keras_agrees(const OrderedJson &ours, const OrderedJson &golden) {
  EXPECT_EQ(ours["layer"], golden["layer"]);
  EXPECT_EQ(ours["config"], golden["config"]);
  OrderedJson layer = OrderedJson::parse(ours["layer"].get_ref<const std::string &>());
  layer["config"] = without_gain_of_identity(layer["config"]);
  EXPECT_EQ(difference(layer, golden["layer_again"]), "");
  const OrderedJson config = OrderedJson::parse(ours["config"].get_ref<const std::string &>());
  EXPECT_EQ(difference(without_gain_of_identity(config), golden["config_again"]), "");
}

TEST(TconvConfigs, KerasLoadsWhatIsWrittenAndWritesItAgain) {
  OrderedJson written = OrderedJson::array();
  for (const Sample &sample : samples()) written.push_back(texts(sample));
  if (const char *const path = std::getenv("TCONV_WRITE_CONFIGS")) {
    std::ofstream(path) << written.dump(1) << '\n';
    GTEST_SKIP() << written.size() << " layers written to " << path;
  }
  const OrderedJson golden = read_golden("tconv_configs.json");
  ASSERT_GE(golden.size(), 60u);
  ASSERT_EQ(written.size(), golden.size());
  for (std::size_t i = 0; i < golden.size(); ++i) {
    SCOPED_TRACE(written[i]["name"]);
    expect_keras_agrees(written[i], golden[i]);
  }
}

// What is written is read again: the same text comes out.
TEST(TconvConfigs, TextsAreReadAndWrittenAgain) {
  for (const Sample &sample : samples()) {
    SCOPED_TRACE(sample.definition.config.name);
    const std::string text = text_of(write_layer(sample.definition, sample.built_for));
    const LayerDefinition again = definition_of(text, sample.definition.config.rank);
    EXPECT_EQ(again.config.input_shape, sample.built_for);
    EXPECT_EQ(text_of(write_layer(again, again.config.input_shape)), text);
  }
}

}  // namespace
}  // namespace tconv
