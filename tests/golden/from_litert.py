"""Cases from LiteRT's TRANSPOSE_CONV. TensorFlow's converter builds the model; LiteRT's own kernel, without a delegate,
runs it. The output shapes are those that TensorFlow accepts for the input."""

import tensorflow
from ai_edge_litert import interpreter as litert

from golden_file import by_extent, draw_channels, draw_list, is_small, normal, normal_kernel
from golden_file import MAX_KERNEL, MAX_SPATIAL

# Corners that chance might miss: padding, the input's shape, filters, kernel size, strides, output extents, bias.
CORNERS = [
    ("SAME", (1, 1, 1, 1), 1, [1, 1], [1, 1], [1, 1], True),
    ("SAME", (1, 4, 4, 4), 8, [4, 4], [2, 2], [8, 8], True),
    ("SAME", (1, 4, 4, 4), 8, [4, 4], [2, 2], [7, 7], True),
    ("SAME", (1, 3, 5, 8), 8, [2, 2], [2, 2], [6, 10], False),
    ("SAME", (1, 3, 2, 2), 3, [2, 1], [3, 3], [9, 4], True),
    ("SAME", (1, 5, 3, 3), 16, [3, 3], [1, 1], [5, 3], True),
    ("VALID", (1, 3, 3, 2), 3, [2, 1], [3, 3], [10, 9], True),
    ("VALID", (1, 3, 4, 2), 3, [5, 3], [2, 3], [10, 14], False),
    ("VALID", (1, 4, 3, 17), 4, [3, 3], [1, 1], [6, 5], True),
    ("VALID", (3, 2, 1, 2), 1, [1, 5], [3, 1], [4, 5], True),
]
RANDOM_CASES = 36


def cases(rng):
    for index in range(len(CORNERS) + RANDOM_CASES):
        corner = CORNERS[index] if index < len(CORNERS) else draw(rng, ["SAME", "VALID"][index % 2])
        yield make_case(rng, index, *corner)


def draw(rng, padding):
    while True:
        height, width = draw_list(rng, 1, MAX_SPATIAL[2], 2)
        input_shape = (int(rng.integers(1, 4)), height, width, draw_channels(rng))
        filters, use_bias = draw_channels(rng), bool(rng.random() < 0.7)
        kernel, strides = draw_list(rng, 1, MAX_KERNEL[2], 2), draw_list(rng, 1, 3, 2)
        least = [1 if padding == "SAME" else k for k in kernel]  # of the `stride` extents that lead to one input extent
        extents = [(i - 1) * s + k + int(rng.integers(0, s)) for i, s, k in zip((height, width), strides, least)]
        if is_small(input_shape, (filters, *kernel, input_shape[3]), (input_shape[0], *extents, filters)):
            return padding, input_shape, filters, kernel, strides, extents, use_bias


def make_case(rng, index, padding, input_shape, filters, kernel_size, strides, extents, use_bias):
    input = normal(rng, input_shape)
    kernel = normal_kernel(rng, (filters, *kernel_size, input_shape[3]), input_shape[3], kernel_size, strides)
    bias = normal(rng, [filters], 0.5) if use_bias else None
    output_shape = [input_shape[0], *extents, filters]
    config = {"padding": padding, "stride_h": strides[0], "stride_w": strides[1], "output_shape": output_shape}
    layer = {"dialect": "tflite", "op_type": "TRANSPOSE_CONV", "config": config,
             "build_config": {"input_shape": list(input_shape)}}
    output = run_model(convert(input_shape, kernel, bias, output_shape, strides, padding), input, use_bias)
    name = f"{index:02}_2d_k{by_extent(kernel_size)}_s{by_extent(strides)}_o{by_extent(extents)}_{padding.lower()}"
    return dict(name=name, layer=layer, input=input, kernel=kernel, bias=bias, output=output)


def convert(input_shape, kernel, bias, output_shape, strides, padding):
    @tensorflow.function(input_signature=[tensorflow.TensorSpec(input_shape, tensorflow.float32)])
    def layer(input):
        # TensorFlow's kernel is (height, width, filters, channels).
        output = tensorflow.nn.conv2d_transpose(input, kernel.transpose(1, 2, 0, 3), output_shape, strides, padding)
        return output if bias is None else tensorflow.nn.bias_add(output, bias)

    return tensorflow.lite.TFLiteConverter.from_concrete_functions([layer.get_concrete_function()]).convert()


def run_model(model, input, use_bias):
    interpreter = litert.Interpreter(
        model_content=model, num_threads=1,
        experimental_op_resolver_type=litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    interpreter.allocate_tensors()
    operators = [(op["op_name"], len(op["inputs"])) for op in interpreter._get_ops_details()]
    if operators != [("TRANSPOSE_CONV", 4 if use_bias else 3)]:
        raise ValueError(f"the converter made {operators} of one layer")
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], input)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).copy()
