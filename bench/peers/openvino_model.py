"""OpenVINO's CPU plugin, float32 throughout: with NCHW at its door, and with NHWC where the layout allows."""

import numpy as np
import openvino
from openvino import opset13 as ops
from openvino.preprocess import PrePostProcessor

from peers import Variant, channels_first, channels_last


def make(name, settings):
    return Peer(settings)


class Peer:
    def __init__(self, settings):
        self.version = openvino.__version__
        self.core = openvino.Core()
        self.layout = settings["layout"]
        self.options = {"INFERENCE_NUM_THREADS": settings["threads"], "NUM_STREAMS": 1,
                        "INFERENCE_PRECISION_HINT": "f32", "ENABLE_CPU_PINNING": False}

    @staticmethod
    def model(shape, kernel):
        x = ops.parameter([shape.batch, shape.channels, *shape.size], np.float32)
        pads = [*shape.crop], [max(0, end) for end in shape.crop_end]
        extra = [max(0, -end) for end in shape.crop_end]
        operation = ops.convolution_backprop_data
        if shape.groups > 1:
            operation = ops.group_convolution_backprop_data
            kernel = kernel.reshape(shape.groups, shape.channels // shape.groups, *kernel.shape[1:])
        y = operation(x, ops.constant(kernel), strides=[*shape.stride], pads_begin=pads[0], pads_end=pads[1],
                      dilations=[*shape.dilation], output_padding=extra)
        return openvino.Model([y], [x])

    def prepare(self, shape, input, kernel):
        yield self.variant("NCHW", self.model(shape, kernel), channels_first(input), channels_last)
        if self.layout == "channels_last":
            letters = {1: "W", 2: "HW", 3: "DHW"}[shape.rank]
            processor = PrePostProcessor(self.model(shape, kernel))
            for port in (processor.input(), processor.output()):
                port.tensor().set_layout(openvino.Layout(f"N{letters}C"))
                port.model().set_layout(openvino.Layout(f"NC{letters}"))
            yield self.variant(f"N{letters}C", processor.build(), input, np.array)

    def variant(self, name, model, image, as_channels_last):
        request = self.core.compile_model(model, "CPU", self.options).create_infer_request()
        request.set_input_tensor(openvino.Tensor(np.array(image)))
        return Variant(name, request.infer, lambda: as_channels_last(request.get_output_tensor().data))
