"""TensorFlow: `tf` runs the gradient operation that its transposed convolutions are made of, `tfxla` has XLA compile
it. The operation for volumes knows SAME and VALID alone."""

import numpy as np
import tensorflow as tf

from peers import Refused, Variant, with_rows
from peers.cropping import padding


def make(name, settings):
    tf.config.threading.set_intra_op_parallelism_threads(settings["threads"])
    tf.config.threading.set_inter_op_parallelism_threads(1)
    return Peer(name)


class Peer:
    def __init__(self, name):
        self.version = tf.__version__
        self.compiled = name == "tfxla"

    def prepare(self, shape, input, kernel):
        if shape.groups > 1:
            raise Refused("TensorFlow's operation has no groups")
        x = tf.constant(with_rows(shape, input))
        w = np.ascontiguousarray(np.moveaxis(kernel, (0, 1), (-1, -2)))
        w = tf.constant(w[None] if shape.rank == 1 else w)
        operation = self.volume(shape) if shape.rank == 3 else self.image(shape)
        function = tf.function(lambda a, b: operation(a, b), jit_compile=self.compiled).get_concrete_function(x, w)
        result = []

        def call():
            result[:] = [function(x, w)]

        def output():
            array = result[0].numpy()
            return array[:, 0] if shape.rank == 1 else array

        yield Variant("function", call, output)

    @staticmethod
    def image(shape):
        one, none = ([1], [0, 0]) if shape.rank == 1 else ([], [])
        strides = [1, *one, *shape.stride, 1]
        dilations = [1, *one, *shape.dilation, 1]
        output_shape = [shape.batch, *one, *shape.out, shape.filters]
        # It says what a forward convolution pads, and there is none at the end where the output goes on.
        pads = [value for front, end in zip(shape.crop, shape.crop_end) for value in (front, max(0, end))]
        return lambda x, w: tf.raw_ops.Conv2DBackpropInput(
            input_sizes=output_shape, filter=w, out_backprop=x, strides=strides, padding="EXPLICIT",
            explicit_paddings=[0, 0, *none, *pads, 0, 0], dilations=dilations)

    @staticmethod
    def volume(shape):
        word, extents, begin = padding(shape)
        whole = [shape.batch, *extents, shape.filters]

        def operation(x, w):
            y = tf.raw_ops.Conv3DBackpropInputV2(input_sizes=whole, filter=w, out_backprop=x,
                                                 strides=[1, *shape.stride, 1], padding=word,
                                                 dilations=[1, *shape.dilation, 1])
            return y if extents == shape.out else tf.slice(y, [0, *begin, 0], [shape.batch, *shape.out, shape.filters])

        return operation
