"""Layers' configs in both directions: what Keras writes must be read and written alike, what tconv writes Keras must
take.

    python -m venv golden && golden/bin/pip install -r requirements.txt tf_keras==2.21.0
    TCONV_WRITE_CONFIGS=ours.json build/bin/layer_definition_tests --gtest_filter=TconvConfigs.*
    golden/bin/python from_keras_configs.py ours.json

keras_configs.json: "layer" is what keras.layers.serialize() of Keras 3, or tf_keras.layers.serialize() of Keras 2,
wrote; "expected" is what Keras 3 writes for it: the same, or for Keras 2 what it writes for the layer that it loads
from the config without what Keras 3 does not know ("groups" where it is 1 and "batch_input_shape").
tconv_configs.json: "layer" and "config" are the texts of write_layer() and write_config() (runtime/layer_definition.h)
that the test wrote into ours.json; "layer_again" is keras.layers.serialize(keras.layers.deserialize(layer)),
"config_again" is from_config(config).get_config(). A text that Keras refuses ends the script.
Without an argument only the first file is written. Nothing is random: the same versions write the same files.
"""

import json
import os
import pathlib
import sys

os.environ |= {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}

import keras
import tf_keras

FOLDER = pathlib.Path(__file__).parent
LAYERS = [keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose]


def double(x, **_):
    """A function of the user's, in any role."""
    return 2 * x


@keras.saving.register_keras_serializable("package", "registered")
def registered(x, **_):
    return x


CUSTOM_OBJECTS = {"double": double}
UNKNOWN_TO_KERAS_3 = ("groups", "batch_input_shape")


def arguments():
    """(name, rank, input shape or None, the layer's arguments)"""
    yield from structures()
    yield from activations()
    yield from initializers()
    yield from regularizers_and_constraints()
    yield from functions()


def structures():
    for rank in (1, 2, 3):
        wide, flags = [2, 3, 4][:rank], [1, 0, 2][:rank]
        first, last = (None, 3, *[None] * rank), (2, *[5] * rank, 3)
        yield f"{rank}d_defaults", rank, None, dict(filters=1, kernel_size=1)
        yield f"{rank}d_strides", rank, last, dict(filters=4, kernel_size=wide, strides=wide, padding="same")
        yield f"{rank}d_output_padding", rank, last, dict(
            filters=4, kernel_size=3, strides=wide, output_padding=flags, use_bias=False)
        yield f"{rank}d_dilation", rank, first, dict(
            filters=2, kernel_size=3, dilation_rate=wide, padding="same", data_format="channels_first")
        yield f"{rank}d_frozen", rank, None, dict(
            filters=2, kernel_size=3, output_padding=0, data_format="channels_first", trainable=False)
    yield "open_spatial", 2, (None, None, 8, 3), dict(filters=2, kernel_size=[1, 5], name="a layer, \u00e4 \"quoted\"")


def activations():
    names = """relu relu6 leaky_relu elu selu celu swish gelu sigmoid tanh softplus softsign exponential hard_sigmoid
        hard_swish hard_tanh hard_shrink soft_shrink tanh_shrink squareplus sparse_plus sparse_sigmoid log_sigmoid mish
        softmax log_softmax"""
    for name in names.split():
        yield f"activation_{name}", 1, None, dict(filters=2, kernel_size=3, activation=name)
    layers = keras.layers
    for layer in (
        layers.LeakyReLU(0.1, name="leaky"),
        layers.ReLU(6, 0.25, 0.5, name="relu"),
        layers.ReLU(name="relu_defaults"),
        layers.ELU(0.5, name="elu"),
        layers.Softmax(axis=1, name="softmax"),
    ):
        yield f"activation_layer_{layer.name}", 2, (1, 4, 4, 2), dict(filters=2, kernel_size=3, activation=layer)


def initializers():
    k = keras.initializers
    for index, initializer in enumerate([
        None, k.Zeros(), k.Ones(), k.Constant(0.25), k.Constant(-3), k.Identity(2.0), k.RandomNormal(0.5, 2.0, 7),
        k.RandomNormal(), k.RandomUniform(-1.5, 2, 8), k.RandomUniform(), k.TruncatedNormal(0.5, 0.1, 9),
        k.TruncatedNormal(), k.VarianceScaling(2.0, "fan_avg", "uniform", 10), k.VarianceScaling(),
        k.VarianceScaling(0.5, "fan_out", "untruncated_normal"), k.GlorotUniform(11), k.GlorotNormal(),
        k.GlorotNormal(12), k.HeUniform(), k.HeUniform(13), k.HeNormal(), k.HeNormal(14), k.LecunUniform(),
        k.LecunUniform(15), k.LecunNormal(), k.LecunNormal(16), k.Orthogonal(), k.Orthogonal(0.5, 17),
    ]):
        kind = type(initializer).__name__
        yield f"initializer_{index:02}_{kind}", 1 + index % 3, None, dict(
            filters=2, kernel_size=3, kernel_initializer=initializer)
    for name in ("ones", "random_normal", "he_uniform"):
        yield f"bias_initializer_{name}", 2, (None, 4, 4, 3), dict(filters=2, kernel_size=3, bias_initializer=name)


def regularizers_and_constraints():
    r, c = keras.regularizers, keras.constraints
    base = dict(filters=2, kernel_size=3)
    yield "regularizer_names", 1, (1, 4, 3), base | dict(kernel_regularizer="l1", bias_regularizer="l2")
    yield "regularizer_l1_l2", 2, None, base | dict(kernel_regularizer="l1l2", bias_regularizer=r.L1L2(0.125, 0.5))
    yield "regularizer_values", 2, None, base | dict(kernel_regularizer=r.L1(0.3), bias_regularizer=r.L2(0.0001))
    yield "regularizer_orthogonal", 2, None, base | dict(kernel_regularizer=r.OrthogonalRegularizer(0.25, "columns"))
    yield "activity_regularizer", 3, (1, 2, 2, 2, 3), base | dict(activity_regularizer=r.L2(0.05))
    yield "constraint_max_norm", 2, None, base | dict(
        kernel_constraint=c.MaxNorm(3, [0, 1, 2]), bias_constraint="max_norm")
    yield "constraint_min_max_norm", 2, None, base | dict(
        kernel_constraint=c.MinMaxNorm(0.25, 1.5, 0.75, axis=-1), bias_constraint="min_max_norm")
    yield "constraint_unit_norm", 1, None, base | dict(
        kernel_constraint=c.UnitNorm([0, 1]), bias_constraint="unit_norm")
    yield "constraint_non_neg", 1, None, base | dict(kernel_constraint="non_neg", bias_constraint=c.NonNeg())


def functions():
    for rank, function in ((1, double), (2, registered)):
        yield f"functions_{function.__name__}", rank, None, dict(
            filters=2, kernel_size=3, activation=function, kernel_initializer=function, bias_initializer=function,
            kernel_regularizer=function, bias_regularizer=function, activity_regularizer=function,
            kernel_constraint=function, bias_constraint=function)


def keras_case(name, rank, input_shape, arguments):
    layer = LAYERS[rank - 1](**{"name": name} | arguments)
    if input_shape is not None:
        layer.build(input_shape)
    serialized = through_json(keras.layers.serialize(layer))
    if serialized["config"] != through_json(layer.get_config()):
        raise ValueError(f"{name}: get_config() is not the config of serialize()")
    return dict(name=name, layer=serialized, expected=serialized)


def tf_keras_layers():
    k, r, c, i = tf_keras.layers, tf_keras.regularizers, tf_keras.constraints, tf_keras.initializers
    yield k.Conv1DTranspose(2, 3, name="plain_1d"), None
    yield k.Conv2DTranspose(2, [3, 4], strides=2, output_padding=1, padding="same", name="plain_2d"), (None, 4, 4, 3)
    yield k.Conv3DTranspose(2, 3, strides=2, activation="elu", name="plain_3d"), (1, 4, 4, 4, 3)
    yield k.Conv2DTranspose(2, 3, input_shape=(4, 4, 3), name="first_of_a_model"), None
    yield k.Conv2DTranspose(2, 3, data_format="channels_first", dilation_rate=2, name="dilated"), (None, 3, None, None)
    yield k.Conv1DTranspose(2, 3, activation=k.LeakyReLU(0.1, name="leaky"), name="leaky_relu"), None
    yield k.Conv1DTranspose(2, 3, activation=k.ReLU(6, 0.25, 0.5, name="relu"), name="relu"), None
    yield k.Conv1DTranspose(2, 3, activation=k.Softmax(1, name="softmax"), trainable=False, name="softmax"), None
    for initializer in (
        i.Zeros(), i.Ones(), i.Constant(0.2), i.RandomNormal(0.5, 0.1, 3), i.RandomUniform(-1, 1), i.TruncatedNormal(),
        i.VarianceScaling(2.0, "fan_avg", "uniform"), i.GlorotNormal(4), i.HeUniform(), i.HeNormal(), i.LecunUniform(),
        i.LecunNormal(), i.Orthogonal(0.5), i.Identity(),
    ):
        name = type(initializer).__name__
        yield k.Conv2DTranspose(2, 3, kernel_initializer=initializer, name=f"initializer_{name}"), None
    yield k.Conv2DTranspose(
        2, 3, kernel_regularizer="l1", bias_regularizer=r.L1L2(0.1, 0.2), activity_regularizer=r.L2(0.3),
        kernel_constraint=c.MinMaxNorm(axis=[0, 1]), bias_constraint="non_neg", name="objects"), None
    yield k.Conv2DTranspose(
        2, 3, kernel_regularizer=r.OrthogonalRegularizer(0.1), kernel_constraint=c.MaxNorm(3),
        bias_constraint=c.UnitNorm(), name="more_objects"), None
    yield k.Conv2DTranspose(
        2, 3, activation=double, kernel_initializer=double, kernel_regularizer=double, kernel_constraint=double,
        name="functions"), None


def tf_keras_case(layer, input_shape):
    if input_shape is not None:
        layer.build(input_shape)
    serialized = through_json(tf_keras.layers.serialize(layer))
    if serialized["config"].get("groups", 1) != 1:
        raise ValueError(f"{layer.name}: Keras 3 has no groups")
    config = {name: value for name, value in serialized["config"].items() if name not in UNKNOWN_TO_KERAS_3}
    loaded = keras.layers.deserialize(serialized | {"config": config}, CUSTOM_OBJECTS)
    return dict(name=f"tf_keras_{layer.name}", layer=serialized, expected=through_json(keras.layers.serialize(loaded)))


def tconv_case(name, layer, config):
    """The texts of one layer, and what Keras makes of them."""
    again = keras.layers.deserialize(json.loads(layer), CUSTOM_OBJECTS)
    with keras.saving.custom_object_scope(CUSTOM_OBJECTS):
        config_again = type(again).from_config(json.loads(config)).get_config()
    return dict(name=name, layer=layer, config=config, layer_again=through_json(keras.layers.serialize(again)),
                config_again=through_json(config_again))


def through_json(value):
    """Tuples as lists, a layer's numbers as numbers."""
    return json.loads(json.dumps(value))


def write(stem, cases):
    names = [case["name"] for case in cases]
    if len(set(names)) != len(names):
        raise ValueError(f"{stem}: two cases have one name")
    lines = ",\n".join(json.dumps(case) for case in cases)
    (FOLDER / f"{stem}.json").write_text(f"[\n{lines}\n]\n")
    print(f"{stem}: {len(cases)} cases")


def main(ours=None):
    cases = [keras_case(*case) for case in arguments()]
    cases += [tf_keras_case(*case) for case in tf_keras_layers()]
    write("keras_configs", cases)
    if ours is not None:
        texts = json.loads(pathlib.Path(ours).read_text())
        write("tconv_configs", [tconv_case(**text) for text in texts])


if __name__ == "__main__":
    main(*sys.argv[1:])
