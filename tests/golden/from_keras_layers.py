"""What Keras 3's transposed layers do beside computing: losses, constraints, weights, open shapes.

    golden/bin/python from_keras_layers.py          # writes keras_layers.json

Recorded of a layer: what keras.layers.serialize() writes for it, its weights, and of one or two calls the input, the
output and the losses after it (Keras keeps the latest call's activity loss, then come the weights' losses); then what
compute_output_shape() says of open sizes, the losses of the layer that is not trainable, and the weights after each
was projected by its constraint.
The numbers are random with a fixed seed and three digits: the same versions write the same file.
"""

import json
import os
import pathlib

os.environ |= {"KERAS_BACKEND": "jax", "JAX_DEFAULT_MATMUL_PRECISION": "highest", "JAX_PLATFORMS": "cpu"}

import keras
import numpy

from keras.constraints import MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from keras.layers import ELU, LeakyReLU, ReLU, Softmax
from keras.regularizers import L1, L1L2, L2

# The input without its channels, the channels, and the layer's arguments. One more call where there is a second input.
LAYERS = [
    # Sizes.
    ([2, 5], None, 3, dict(filters=2, kernel_size=3)),
    ([1, 4], [3, 2], 2, dict(filters=3, kernel_size=2, strides=3, padding="same", activation="relu")),
    ([2, 3], [1, 5], 4, dict(filters=2, kernel_size=4, strides=2, output_padding=1, use_bias=False)),
    ([1, 6], None, 2, dict(filters=2, kernel_size=3, dilation_rate=2, activation="tanh")),
    ([3, 4], None, 2, dict(filters=1, kernel_size=5, padding="same", dilation_rate=2, data_format="channels_first")),
    ([1, 7], None, 3, dict(filters=4, kernel_size=1, strides=2, activation="sigmoid")),
    ([1, 2, 3], None, 2, dict(filters=2, kernel_size=[2, 3])),
    ([2, 3, 2], [1, 1, 4], 3, dict(filters=2, kernel_size=3, strides=2, padding="same", activation="elu")),
    ([1, 2, 2], None, 4, dict(filters=3, kernel_size=[1, 3], strides=[2, 3], output_padding=[1, 0])),
    ([1, 3, 3], None, 2, dict(filters=2, kernel_size=2, dilation_rate=[2, 1], data_format="channels_first")),
    ([2, 2, 3], None, 2, dict(filters=3, kernel_size=[3, 2], strides=[2, 1], padding="same",
                              data_format="channels_first", activation="softplus")),
    ([1, 1, 2], None, 5, dict(filters=2, kernel_size=4, strides=4, padding="same", output_padding=2)),
    ([1, 2, 1, 2], None, 2, dict(filters=2, kernel_size=2)),
    ([2, 1, 2, 2], [1, 2, 1, 1], 2, dict(filters=1, kernel_size=[1, 2, 2], strides=[2, 1, 2], activation="gelu")),
    ([1, 2, 2, 1], None, 2, dict(filters=2, kernel_size=2, strides=2, padding="same", data_format="channels_first")),
    ([1, 1, 2, 2], None, 3, dict(filters=2, kernel_size=[2, 1, 2], dilation_rate=[1, 2, 2], padding="same")),
    ([1, 2, 1, 1], None, 2, dict(filters=2, kernel_size=[3, 1, 2], strides=[2, 1, 2], output_padding=[1, 0, 1],
                                 data_format="channels_first", use_bias=False)),
    # Activations, as objects too.
    ([1, 4], None, 2, dict(filters=3, kernel_size=2, activation=LeakyReLU(0.1))),
    ([2, 2, 2], None, 2, dict(filters=2, kernel_size=2, activation=LeakyReLU(0.5), data_format="channels_first")),
    ([1, 3, 2], None, 2, dict(filters=2, kernel_size=2, activation=ReLU(max_value=0.75, negative_slope=0.2))),
    ([1, 2, 3], None, 2, dict(filters=2, kernel_size=2, activation=ReLU(threshold=0.5))),
    ([1, 3, 2], None, 2, dict(filters=2, kernel_size=2, activation=ELU(alpha=0.3))),
    ([1, 2, 2], None, 2, dict(filters=3, kernel_size=2, activation=Softmax())),
    ([1, 2, 2], None, 2, dict(filters=3, kernel_size=2, activation=Softmax(axis=1), data_format="channels_first")),
    ([1, 5], None, 2, dict(filters=2, kernel_size=2, activation="hard_sigmoid")),
    ([1, 1, 2, 1], None, 2, dict(filters=2, kernel_size=2, activation="softmax")),
    ([1, 1, 2, 1], None, 2, dict(filters=2, kernel_size=2, activation="swish")),
    # Regularizers.
    ([3, 4], [2, 2], 2, dict(filters=2, kernel_size=2, activity_regularizer=L1(0.05))),
    ([2, 3], [1, 3], 2, dict(filters=2, kernel_size=2, kernel_regularizer=L1(0.1), activity_regularizer=L2(0.25))),
    ([1, 2, 2], [3, 1, 2], 2, dict(filters=2, kernel_size=2, kernel_regularizer=L2(0.3), bias_regularizer=L1(0.2))),
    ([2, 2, 1], [3, 2, 2], 3, dict(filters=2, kernel_size=2, strides=2, kernel_regularizer=L1L2(l1=0.01, l2=0.02),
                                   bias_regularizer="l2", activity_regularizer="l1", activation="relu")),
    ([4, 2, 2], None, 2, dict(filters=2, kernel_size=2, activity_regularizer=L1L2(l1=0.1, l2=0.2),
                              data_format="channels_first", activation=LeakyReLU(0.1))),
    ([2, 1, 1, 2], [1, 1, 2, 2], 2, dict(filters=2, kernel_size=[1, 2, 1], kernel_regularizer="l1",
                                         bias_regularizer=L1L2(l1=0.3), activity_regularizer=L2(0.5))),
    ([1, 3], None, 2, dict(filters=2, kernel_size=2, use_bias=False, bias_regularizer="l2", kernel_regularizer="l2")),
    ([2, 3], None, 2, dict(filters=2, kernel_size=2, kernel_regularizer="l1l2", activity_regularizer="l1l2")),
    ([2, 2, 2], None, 2, dict(filters=2, kernel_size=1, trainable=False, kernel_regularizer=L2(0.5),
                              bias_regularizer=L1(0.5), activity_regularizer=L1(0.5))),
    # Constraints.
    ([1, 3], None, 2, dict(filters=3, kernel_size=2, kernel_constraint=NonNeg(), bias_constraint="non_neg")),
    ([1, 3], None, 3, dict(filters=2, kernel_size=3, kernel_constraint=MaxNorm(0.5), bias_constraint=MaxNorm(0.25))),
    ([1, 2, 2], None, 3, dict(filters=2, kernel_size=2, kernel_constraint=MaxNorm(0.75, axis=[0, 1, 3]))),
    ([1, 2, 2], None, 3, dict(filters=2, kernel_size=2, kernel_constraint=UnitNorm(axis=[0, 1, 2]),
                              bias_constraint=UnitNorm())),
    ([1, 1, 2], None, 2, dict(filters=3, kernel_size=2, kernel_constraint=MinMaxNorm(0.5, 0.8, 0.5, axis=[0, 1]),
                              bias_constraint=MinMaxNorm(0.2, 0.3, axis=0))),
    ([1, 2, 1], None, 2, dict(filters=2, kernel_size=2, kernel_constraint="max_norm", bias_constraint="unit_norm",
                              data_format="channels_first", kernel_regularizer="l2")),
    ([1, 1, 1, 2], None, 2, dict(filters=2, kernel_size=2, kernel_constraint=UnitNorm(axis=-1),
                                 bias_constraint=NonNeg(), use_bias=False)),
    ([1, 2, 1, 1], None, 2, dict(filters=2, kernel_size=2, kernel_constraint=MinMaxNorm(1.5, 2.5, axis=[0, 1, 2, -1]),
                                 bias_constraint="min_max_norm", trainable=False)),
]


def draw(rng, shape):
    return (numpy.round(rng.standard_normal(shape), 3) + 0.0).astype(numpy.float32)


def to_json(array):
    array = numpy.asarray(array)
    return {"shape": list(array.shape), "data": [float(str(value)) for value in array.ravel()]}


def numbers(losses):
    return [float(str(numpy.float32(loss))) for loss in losses]


def variables(weights):
    return [{"name": weight.name, "shape": list(weight.shape)} for weight in weights]


def with_channels(sizes, channels, layer):
    return [sizes[0], channels, *sizes[1:]] if layer.data_format == "channels_first" else [*sizes, channels]


def open_shapes(layer, sizes, channels):
    """What the layer says of shapes without a batch, without an extent, and without any."""
    inputs = [[None, *sizes[1:]], [*sizes[:-1], None], [None] * len(sizes)]
    inputs = [with_channels(open_sizes, channels, layer) for open_sizes in inputs]
    return [{"input": shape, "output": list(layer.compute_output_shape(shape))} for shape in inputs]


def record(rng, index, sizes, second, channels, arguments):
    rank = len(sizes) - 1
    layer = getattr(keras.layers, f"Conv{rank}DTranspose")(name=f"layer_{index:02}", **arguments)
    layer.build(with_channels(sizes, channels, layer))
    layer.set_weights([draw(rng, weight.shape) for weight in layer.weights])
    case = {"layer": keras.layers.serialize(layer), "weights": [to_json(weight) for weight in layer.get_weights()]}
    case["calls"] = []
    for input_sizes in [sizes] if second is None else [sizes, second]:
        input = draw(rng, with_channels(input_sizes, channels, layer))
        output = layer(input)
        case["calls"].append({"input": to_json(input), "output": to_json(output), "losses": numbers(layer.losses)})
    case["open_shapes"] = open_shapes(layer, sizes, channels)
    case["count_params"] = layer.count_params()
    case["trainable_weights"] = variables(layer.trainable_weights)
    case["non_trainable_weights"] = variables(layer.non_trainable_weights)
    trainable = layer.trainable
    layer.trainable = False
    case["losses_not_trainable"] = numbers(layer.losses)
    layer.trainable = trainable
    for weight in layer.weights:
        if weight.constraint is not None:
            weight.assign(weight.constraint(weight))
    case["projected"] = [to_json(weight) for weight in layer.get_weights()]
    return case


def main():
    rng = numpy.random.default_rng(0)
    cases = [record(rng, index, *layer) for index, layer in enumerate(LAYERS)]
    file = pathlib.Path(__file__).parent / "keras_layers.json"
    file.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    print(f"{len(cases)} layers, {sum(len(case['calls']) for case in cases)} calls, {file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
