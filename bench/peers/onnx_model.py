"""The layer as an ONNX model of one node, which ONNX Runtime runs and MNN's converter reads."""

import onnx
from onnx import TensorProto, helper, numpy_helper


def model(shape, kernel):
    node = helper.make_node(
        "ConvTranspose", ["x", "w"], ["y"], strides=shape.stride, dilations=shape.dilation, group=shape.groups,
        kernel_shape=shape.kernel, pads=[*shape.crop, *(max(0, end) for end in shape.crop_end)],
        output_padding=[max(0, -end) for end in shape.crop_end])
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [shape.batch, shape.channels, *shape.size])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [shape.batch, shape.filters, *shape.out])
    graph = helper.make_graph([node], "layer", [x], [y], [numpy_helper.from_array(kernel, "w")])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(made)
    return made.SerializeToString()
