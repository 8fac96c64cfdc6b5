// read_definition(), write_config() and write_layer(): every layer that Keras wrote is read and written alike
// (tests/golden/from_keras_configs.py), and the exact words of the refusals.
#include "layer_definition_test.h"

#include "tconv/image_data_format.h"

namespace tconv {
namespace {

const nlohmann::json plain =
    nlohmann::json::parse(R"({"class_name": "Conv2DTranspose", "config": {"filters": 4, "kernel_size": 3}})");

std::string refusal(const std::string &json, int rank = 2) {
  const Status status = read_definition(json, rank, {}).status();
  EXPECT_EQ(status.message().find('\n'), std::string::npos);
  return status.message();
}

// The plain layer with some fields replaced (RFC 7396; null takes one away).
std::string with(const char *changes) {
  nlohmann::json layer = plain;
  layer.merge_patch(nlohmann::json::parse(changes));
  return layer.dump();
}

std::optional<Shape> built_shape(const LayerDefinition &definition, const OrderedJson &layer) {
  return layer.contains("build_config") ? definition.config.input_shape : std::nullopt;
}

TEST(KerasConfigs, LayersOfKerasAreWrittenAsKerasWritesThem) {
  const OrderedJson cases = read_golden("keras_configs.json");
  std::size_t keras3 = 0, keras2 = 0;
  for (const OrderedJson &one : cases) {
    const auto &name = one["name"].get_ref<const std::string &>();
    SCOPED_TRACE(name);
    ++(name.starts_with("tf_keras") ? keras2 : keras3);
    const OrderedJson &layer = one["layer"], &expected = one["expected"];
    const int rank = layer["class_name"].get_ref<const std::string &>()[4] - '0';

    const LayerDefinition from_layer = definition_of(layer.dump(), rank);
    const std::optional<Shape> built_for = built_shape(from_layer, layer);
    EXPECT_EQ(difference(OrderedJson::parse(text_of(write_layer(from_layer, built_for))), expected), "");
    const LayerDefinition from_config = definition_of(layer["config"].dump(), rank);
    EXPECT_EQ(difference(OrderedJson::parse(text_of(write_config(from_config))), expected["config"]), "");
  }
  EXPECT_GE(keras3, 80u);
  EXPECT_GE(keras2, 20u);
}

TEST(LayerDefinition, WhatIsLeftOutHasKerasDefaults) {
  ASSERT_TRUE(set_image_data_format("channels_last").ok());
  const LayerDefinition definition = definition_of(R"({"filters": 4, "kernel_size": 3})", 2);
  EXPECT_TRUE(definition.trainable);
  EXPECT_EQ(definition.config.name, "");
  EXPECT_EQ(definition.config.data_format, DataFormat::channels_last);
  EXPECT_TRUE(definition.activation.is_builtin());
  EXPECT_FALSE(definition.kernel_initializer.is_none());
  EXPECT_FALSE(definition.bias_initializer.is_none());
  EXPECT_TRUE(definition.kernel_regularizer.is_none());
  EXPECT_TRUE(definition.bias_constraint.is_none());
}

TEST(LayerDefinition, NullIsKerasNone) {
  const LayerDefinition definition = definition_of(
      R"({"filters": 4, "kernel_size": 3, "kernel_initializer": null, "activation": null, "trainable": null})", 2);
  EXPECT_TRUE(definition.kernel_initializer.is_none());
  EXPECT_EQ(definition.activation.builtin(), Activation::linear);
  EXPECT_EQ(OrderedJson::parse(text_of(write_config(definition)))["kernel_initializer"], OrderedJson());
}

TEST(LayerDefinition, DataFormatThatIsLeftOutIsTheProcess) {
  ASSERT_TRUE(set_image_data_format("channels_first").ok());
  EXPECT_EQ(definition_of(plain.dump(), 2).config.data_format, DataFormat::channels_first);
  EXPECT_EQ(definition_of(R"({"filters": 4, "kernel_size": 3, "data_format": null})", 2).config.data_format,
            DataFormat::channels_first);
  EXPECT_EQ(definition_of(with(R"({"config": {"data_format": "channels_last"}})"), 2).config.data_format,
            DataFormat::channels_last);
  ASSERT_TRUE(set_image_data_format("channels_last").ok());
}

TEST(LayerDefinition, KernelsActivationIsTheBuiltinOne) {
  EXPECT_EQ(definition_of(with(R"({"config": {"activation": "swish"}})"), 2).config.activation, Activation::silu);
  const LayerDefinition custom = definition_of(
      with(R"({"config": {"activation": {"module": "builtins", "class_name": "function", "config": "double",
                                         "registered_name": "function"}}})"),
      2);
  EXPECT_FALSE(custom.activation.is_builtin());
  EXPECT_EQ(custom.config.activation, Activation::linear);
}

TEST(LayerDefinition, GroupsAreWrittenWhereTheyAreNotOne) {
  const LayerDefinition two = definition_of(with(R"({"config": {"groups": 2}})"), 2);
  EXPECT_EQ(OrderedJson::parse(text_of(write_config(two)))["groups"], 2);
  EXPECT_EQ(definition_of(text_of(write_config(two)), 2).config.groups, 2);
  const LayerDefinition one = definition_of(with(R"({"config": {"groups": 1}})"), 2);
  EXPECT_FALSE(OrderedJson::parse(text_of(write_config(one))).contains("groups"));
}

TEST(LayerDefinition, RefusalsNameTheFieldAndTheValue) {
  EXPECT_EQ(refusal(with(R"({"class_name": "Conv1DTranspose"})")),
            "class_name 'Conv1DTranspose' is not that of the layer, 'Conv2DTranspose'");
  EXPECT_EQ(refusal(with(R"({"dialect": "torch"})")), "dialect 'torch' has no config of Keras'");
  EXPECT_EQ(refusal(with(R"({"config": {"trainable": 1}})")), "'trainable' in config must be true or false, got 1");
  EXPECT_EQ(refusal(with(R"({"config": {"name": 7}})")), "'name' in config must be a string, got 7");
  EXPECT_EQ(refusal(with(R"({"config": {"name": "a/b"}})")), "name 'a/b' cannot contain '/'");
  EXPECT_EQ(refusal(with(R"({"config": {"dtype": "float16"}})")), "dtype 'float16' must be 'float32'");
  EXPECT_EQ(refusal(with(R"({"config": {"strides": 2, "dilation_rate": 2}})")),
            "strides (2, 2) with dilation_rate (2, 2): Keras does not allow both above 1");
  EXPECT_EQ(refusal(R"({"class_name": "Conv2DTranspose"})"), "field 'config' is missing");
  EXPECT_EQ(refusal(R"({"config": {"filters": 4, "kernel_size": 3}})"), "field 'class_name' is missing");
  EXPECT_EQ(refusal(R"({"class_name": "Conv2DTranspose", "config": [1]})"),
            "config must be an object, got a list of 1 entries");
  EXPECT_EQ(refusal(R"({"kernel_size": 3})"), "field 'filters' in config is missing");
  EXPECT_EQ(refusal(R"({"filters": 4, "kernel_size": 3, "stirdes": 2})"),
            "unknown field 'stirdes' in config: did you mean 'strides'?");
  EXPECT_EQ(refusal("[1]"), "a layer must be an object, got a list of 1 entries");
  EXPECT_EQ(refusal("{").substr(0, 9), "not JSON:");
}

TEST(LayerDefinition, RefusalsOfObjectsNameTheirField) {
  for (const char *const field : {"activation", "kernel_initializer", "bias_initializer", "kernel_regularizer",
                                  "bias_regularizer", "activity_regularizer", "kernel_constraint", "bias_constraint"}) {
    const std::string message = refusal(R"({"filters": 4, "kernel_size": 3, ")" + std::string(field) + R"(": "zzz"})");
    EXPECT_TRUE(message.starts_with(std::string(field) + ": ")) << message;
    EXPECT_NE(message.find("'zzz'"), std::string::npos) << message;
  }
}

TEST(LayerDefinition, LayersOfOtherDialectsAreNotWritten) {
  const auto message = [](const char *json) {
    LayerDefinition definition;
    definition.config = parse_layer(json).value();
    const Status status = write_config(definition).status();
    EXPECT_EQ(status.code(), StatusCode::unsupported);
    return status.message();
  };
  EXPECT_EQ(message(R"({"dialect": "torch", "class_name": "ConvTranspose1d",
                        "config": {"in_channels": 2, "out_channels": 3, "kernel_size": 5, "padding": 1}})"),
            "a PyTorch layer has no config of Keras': there is no word for its pads (1,) and (1,)");
  EXPECT_EQ(message(R"({"dialect": "torch", "class_name": "ConvTranspose1d",
                        "config": {"in_channels": 2, "out_channels": 3, "kernel_size": 5}})"),
            "a PyTorch layer has no config of Keras': there is no word for its kernel of shape (2, 3, 5)");
  EXPECT_EQ(message(R"({"dialect": "tflite", "op_type": "TRANSPOSE_CONV", "weight_shape": [3, 2, 2, 4],
                        "config": {"padding": "SAME", "stride_h": 1, "stride_w": 1, "output_shape": [1, 5, 6, 3]}})"),
            "a TFLite layer has no config of Keras': there is no word for its output_shape (5, 6)");
}

TEST(LayerDefinition, ObjectWithAnErrorIsNotWritten) {
  LayerDefinition definition = definition_of(plain.dump(), 2);
  definition.kernel_constraint = "zzz";
  EXPECT_FALSE(write_config(definition).ok());
  EXPECT_EQ(write_layer(definition, std::nullopt).status().message(), definition.kernel_constraint.status().message());
}

TEST(LayerDefinition, NameThatIsNotUtf8IsNotWritten) {
  LayerDefinition definition = definition_of(plain.dump(), 2);
  definition.config.name = "\xff";
  EXPECT_EQ(write_config(definition).status().code(), StatusCode::invalid_argument);
}

}  // namespace
}  // namespace tconv
