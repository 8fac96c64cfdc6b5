"""Cases from ONNX Runtime's ConvTranspose. The layer's config holds the node's attributes, with defaults left out here
and there. ONNX' data is channels first; every fourth case is moved to channels last.

Left out, because ONNX Runtime refuses it: negative pads, output_padding >= stride, an output_shape that is larger than
the kernel's reach by a stride or more. Where a kernel is so short that auto_pad SAME_* would have to *add* to the
output (extent + output_padding < stride), ONNX Runtime adds nothing: the output stays at (in - 1) * stride + extent +
output_padding, below the in * stride of ONNX' text. The cases named `short_kernel` pin that.
"""

import onnx
import onnxruntime

from golden_file import by_extent, channels_last, draw_channels, draw_list, is_small, normal, normal_kernel
from golden_file import MAX_KERNEL, MAX_SPATIAL, MAX_STRIDE

OPSET = 17

# Corners that chance might miss: a name, the input's shape, the kernel's shape, the attributes.
CORNERS = [
    ("plain", (1, 1, 1), (1, 1, 1), dict()),
    ("pads_beyond_kernel", (1, 2, 4), (2, 2, 3), dict(pads=[5, 0])),
    ("pads_end_only", (1, 2, 5), (2, 3, 3), dict(pads=[0, 2], strides=[2])),
    ("short_kernel_same_upper", (1, 2, 4), (2, 3, 3), dict(auto_pad="SAME_UPPER", strides=[5])),
    ("short_kernel_same_lower", (2, 3, 2, 3), (3, 2, 1, 2), dict(auto_pad="SAME_LOWER", strides=[2, 3])),
    ("same_upper_odd_total", (1, 2, 4, 3), (2, 3, 3, 5), dict(auto_pad="SAME_UPPER", strides=[2, 2])),
    ("same_lower_odd_total", (1, 2, 4, 3), (2, 3, 3, 5), dict(auto_pad="SAME_LOWER", strides=[2, 2])),
    ("valid_auto_pad", (1, 3, 3, 5), (3, 2, 2, 3), dict(auto_pad="VALID", strides=[3, 2])),
    ("output_shape_odd_total", (1, 2, 4), (2, 3, 3), dict(output_shape=[8], strides=[2])),
    ("output_shape_wins_over_pads", (1, 2, 4), (2, 3, 3), dict(output_shape=[8], strides=[2], pads=[1, 0])),
    ("output_shape_larger", (1, 2, 4), (2, 3, 3), dict(output_shape=[14], strides=[4])),
    ("output_shape_valid", (1, 2, 4), (2, 3, 4), dict(output_shape=[7], strides=[2], auto_pad="VALID")),
    ("dcgan", (1, 4, 4, 4), (4, 8, 4, 4), dict(strides=[2, 2], pads=[1, 1, 1, 1], kernel_shape=[4, 4])),
    ("depthwise", (1, 16, 2, 3), (16, 1, 4, 4), dict(strides=[2, 2], pads=[1, 1, 1, 1], group=16)),
]
RANDOM_CASES = 44

MODES = ["", "pads", "pads", "SAME_UPPER", "SAME_LOWER", "VALID", "output_shape", "output_shape",
         "output_shape SAME_UPPER", "output_shape SAME_LOWER", "output_shape VALID"]


def cases(rng):
    for index, (name, *corner) in enumerate(CORNERS):
        yield make_case(rng, index, name, *corner)
    for index in range(len(CORNERS), len(CORNERS) + RANDOM_CASES):
        mode = MODES[index % len(MODES)]
        yield make_case(rng, index, mode.lower().replace(" ", "_") or "plain", *draw(rng, 1 + index % 3, mode))


def draw(rng, rank, mode):
    while True:
        group = int(rng.choice([1, 1, 2, 3]))
        channels = group * (draw_channels(rng) if group == 1 else int(rng.integers(1, 4)))
        filters = draw_channels(rng) if group == 1 else int(rng.integers(1, 4))
        input_shape = (int(rng.integers(1, 4)), channels, *draw_list(rng, 1, MAX_SPATIAL[rank], rank))
        kernel = draw_list(rng, 1, MAX_KERNEL[rank], rank)
        strides = draw_list(rng, 1, MAX_STRIDE[rank], rank)
        dilations = draw_list(rng, 1, 3, rank) if rng.random() < 0.4 else [1] * rank
        extra = [int(rng.integers(0, s)) for s in strides] if rng.random() < 0.4 else [0] * rank
        extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
        full = [(i - 1) * s + e + o for i, s, e, o in zip(input_shape[2:], strides, extents, extra)]
        attributes = dict(kernel_shape=kernel, strides=strides, dilations=dilations, output_padding=extra, group=group)
        pads = [0] * (2 * rank)
        if mode == "pads":
            pads = attributes["pads"] = draw_list(rng, 0, 3, 2 * rank)
        elif mode.startswith("output_shape"):
            gaps = [max(s - 1 - o, 0) for s, o in zip(strides, extra)]
            attributes["output_shape"] = [f + int(rng.integers(-min(e, 4), g + 1))
                                          for f, e, g in zip(full, extents, gaps)]
        if mode.split(" ")[-1].isupper():
            attributes["auto_pad"] = mode.split(" ")[-1]
        if mode.startswith("SAME") and any(e + o < s for e, o, s in zip(extents, extra, strides)):
            continue
        spatial = attributes.get("output_shape", [f - b - e for f, b, e in zip(full, pads[:rank], pads[rank:])])
        kernel_shape = (channels, filters, *kernel)
        if min(spatial) > 0 and is_small(input_shape, kernel_shape, (input_shape[0], filters * group, *spatial)):
            return input_shape, kernel_shape, sparse(rng, attributes)


def sparse(rng, attributes):
    """Leaves most defaults out."""
    rank = len(attributes["strides"])
    defaults = dict(kernel_shape=attributes["kernel_shape"], strides=[1] * rank, dilations=[1] * rank,
                    output_padding=[0] * rank, group=1, pads=[0] * (2 * rank))
    return {key: value for key, value in attributes.items() if value != defaults.get(key) or rng.random() < 0.3}


def make_case(rng, index, name, input_shape, kernel_shape, attributes):
    rank = len(input_shape) - 2
    group = attributes.get("group", 1)
    strides = attributes.get("strides", [1] * rank)
    input = normal(rng, input_shape)
    kernel = normal_kernel(rng, kernel_shape, kernel_shape[0] // group, kernel_shape[2:], strides)
    bias = None if index % 4 == 3 else normal(rng, [kernel_shape[1] * group], 0.5)
    output = run_node(attributes, input, kernel, bias)
    layer = {"dialect": "onnx"}
    if index % 4 == 2:
        layer["data_format"] = "channels_last"
        input, output = channels_last(input), channels_last(output)
    layer |= {"op_type": "ConvTranspose", "config": attributes, "build_config": {"input_shape": list(input.shape)}}
    return dict(name=f"{index:02}_{rank}d_k{by_extent(kernel_shape[2:])}_s{by_extent(strides)}_g{group}_{name}",
                layer=layer, input=input, kernel=kernel, bias=bias, output=output)


def run_node(attributes, input, kernel, bias):
    inputs = {"input": input, "kernel": kernel} | ({} if bias is None else {"bias": bias})
    node = onnx.helper.make_node("ConvTranspose", list(inputs), ["output"], **attributes)
    info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [node], "golden", [info(name, onnx.TensorProto.FLOAT, array.shape) for name, array in inputs.items()],
        [info("output", onnx.TensorProto.FLOAT, None)])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", OPSET)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3  # it warns where its own shape inference and its kernel disagree
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    return session.run(None, inputs)[0]
