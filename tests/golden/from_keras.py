"""Cases from Keras, on the backend that KERAS_BACKEND names. The layer is what keras.layers.serialize() writes.

Left out on TensorFlow's backend: what it refuses (padding same with an even kernel extent and output_padding 0), and
channels_first where the last output extent equals `filters`, because it adds that bias along the wrong axis.
Keras' softmax and log_softmax run along the *last* axis, which for channels_first is not the channels'; one case on the
JAX backend pins that.
"""

import keras

from golden_file import by_extent, draw_channels, draw_list, is_small, normal, normal_kernel
from golden_file import MAX_KERNEL, MAX_SPATIAL, MAX_STRIDE

ACTIVATIONS = """linear relu relu6 leaky_relu elu selu celu silu gelu sigmoid tanh softplus softsign exponential
    hard_sigmoid hard_silu hard_tanh hard_shrink soft_shrink tanh_shrink squareplus sparse_plus sparse_sigmoid
    log_sigmoid mish softmax log_softmax""".split()

# Corners that chance might miss: batch, input extents, channels, then the layer's arguments.
CORNERS = [
    (1, [1], 1, dict(filters=1, kernel_size=[1])),
    (1, [5], 3, dict(filters=2, kernel_size=[2], strides=[5])),
    (2, [5], 3, dict(filters=2, kernel_size=[2], strides=[5], output_padding=[4], use_bias=False)),
    (1, [7], 4, dict(filters=5, kernel_size=[5], strides=[3], padding="same", output_padding=[2])),
    (1, [11], 17, dict(filters=16, kernel_size=[3], padding="same")),
    (1, [4, 4], 4, dict(filters=8, kernel_size=[4, 4], strides=[2, 2], padding="same", use_bias=False)),
    (1, [3, 5], 8, dict(filters=8, kernel_size=[2, 2], strides=[2, 2])),
    (1, [5, 3], 3, dict(filters=2, kernel_size=[6, 6], strides=[2, 2], padding="same")),
    (1, [2, 3], 2, dict(filters=1, kernel_size=[9, 9], strides=[3, 3], padding="same")),
    (1, [1, 7], 2, dict(filters=3, kernel_size=[3, 1], strides=[4, 2], padding="same")),
    (1, [3, 3], 1, dict(filters=3, kernel_size=[3, 2], dilation_rate=[2, 5], padding="valid")),
    (1, [1, 2, 3], 2, dict(filters=2, kernel_size=[2, 4, 2], strides=[2, 2, 2], padding="same")),
    (1, [2, 1, 2], 3, dict(filters=3, kernel_size=[1, 2, 3], strides=[2, 3, 1], output_padding=[1, 0, 0])),
]
RANDOM_CASES = 46  # CORNERS and these are more than twice ACTIVATIONS


def cases(rng):
    jax = keras.config.backend() == "jax"
    for index, (batch, spatial, channels, arguments) in enumerate(CORNERS):
        data_format = "channels_first" if index % 3 == 2 else "channels_last"
        yield make_case(rng, index, batch, spatial, channels, arguments | {"data_format": data_format})
    for index in range(len(CORNERS), len(CORNERS) + RANDOM_CASES):
        yield make_case(rng, index, *draw(rng, index, jax))
    if jax:
        arguments = dict(filters=3, kernel_size=[2, 3], strides=[1, 2], data_format="channels_first")
        yield make_case(rng, index + 1, 2, [3, 2], 2, arguments | {"activation": "softmax"})


def draw(rng, index, jax):
    """A random layer that the backend accepts, with its input."""
    activation = ACTIVATIONS[index % len(ACTIVATIONS)]
    rank = 1 + (index + index // len(ACTIVATIONS)) % 3  # another one when an activation comes round again
    while True:
        batch, channels = int(rng.integers(1, 4)), draw_channels(rng)
        spatial = draw_list(rng, 1, MAX_SPATIAL[rank], rank)
        dilated = rng.random() < 0.25
        strides = [1] * rank if dilated else draw_list(rng, 1, MAX_STRIDE[rank], rank)
        arguments = dict(
            filters=draw_channels(rng),
            kernel_size=draw_list(rng, 1, MAX_KERNEL[rank], rank),
            strides=strides,
            padding=str(rng.choice(["valid", "same"])),
            output_padding=None if rng.random() < 0.5 else [int(rng.integers(0, stride)) for stride in strides],
            data_format=str(rng.choice(["channels_last", "channels_first"])),
            dilation_rate=draw_list(rng, 1, 3, rank) if dilated else [1] * rank,
            activation=activation,
            use_bias=bool(rng.random() < 0.75),
        )
        if "softmax" in activation and (arguments["data_format"] == "channels_first" or arguments["filters"] == 1):
            continue
        if is_usable(batch, spatial, channels, arguments, jax):
            return batch, spatial, channels, arguments


def is_usable(batch, spatial, channels, arguments, jax):
    layer = make_layer(arguments)
    input_shape = shape_of(batch, spatial, channels, arguments)
    output_shape = layer.compute_output_shape(input_shape)
    if not is_small(input_shape, (*layer.kernel_size, layer.filters, channels), output_shape):
        return False
    if jax:
        return True
    extents = [(k - 1) * d + 1 for k, d in zip(layer.kernel_size, layer.dilation_rate)]
    refused = layer.padding == "same" and layer.output_padding is not None and any(
        extent % 2 == 0 and padding == 0 for extent, padding in zip(extents, layer.output_padding))
    misplaced = layer.use_bias and layer.data_format == "channels_first" and output_shape[-1] == layer.filters
    return not refused and not misplaced


def make_case(rng, index, batch, spatial, channels, arguments):
    arguments = {"activation": ACTIVATIONS[index % len(ACTIVATIONS)]} | arguments
    layer = make_layer(arguments)
    layer.build(shape_of(*leave_open(rng, batch, spatial), channels, arguments))
    kernel = normal_kernel(rng, layer.kernel.shape, channels, layer.kernel_size, layer.strides)
    bias = normal(rng, [layer.filters], 0.5) if layer.use_bias else None
    layer.set_weights([kernel] if bias is None else [kernel, bias])
    input = normal(rng, shape_of(batch, spatial, channels, arguments))
    output = keras.ops.convert_to_numpy(layer(input))
    serialized = keras.layers.serialize(layer)
    return dict(name=name_of(index, layer), layer=serialized, input=input, kernel=kernel, bias=bias, output=output)


def leave_open(rng, batch, spatial):
    """What build() is told: two layers in five get no batch, half of those no extents either."""
    chance = rng.random()
    return (None if chance < 0.4 else batch), ([None] * len(spatial) if chance < 0.2 else spatial)


def make_layer(arguments):
    rank = len(arguments["kernel_size"])
    return getattr(keras.layers, f"Conv{rank}DTranspose")(**arguments)


def shape_of(batch, spatial, channels, arguments):
    if arguments["data_format"] == "channels_first":
        return (batch, channels, *spatial)
    return (batch, *spatial, channels)


def name_of(index, layer):
    padding = "" if layer.output_padding is None else f"_op{by_extent(layer.output_padding)}"
    return (f"{index:02}_{layer.rank}d_{layer.data_format}_k{by_extent(layer.kernel_size)}_s{by_extent(layer.strides)}"
            f"_d{by_extent(layer.dilation_rate)}_{layer.padding}{padding}_{layer.activation.__name__}")
