"""ONNX Runtime: its CPU provider, input and output bound to memory of its own. It has NCHW alone."""

import numpy as np
import onnxruntime

from peers import Variant, channels_first, channels_last, onnx_model


def make(name, settings):
    return Peer(settings["threads"])


class Peer:
    def __init__(self, threads):
        self.version = onnxruntime.__version__
        self.options = onnxruntime.SessionOptions()
        self.options.intra_op_num_threads = threads
        self.options.inter_op_num_threads = 1
        self.options.log_severity_level = 3

    def prepare(self, shape, input, kernel):
        session = onnxruntime.InferenceSession(onnx_model.model(shape, kernel), self.options,
                                               providers=["CPUExecutionProvider"])
        x = onnxruntime.OrtValue.ortvalue_from_numpy(channels_first(input))
        y = onnxruntime.OrtValue.ortvalue_from_numpy(
            np.zeros((shape.batch, shape.filters, *shape.out), np.float32))
        binding = session.io_binding()
        binding.bind_ortvalue_input("x", x)
        binding.bind_ortvalue_output("y", y)
        yield Variant("NCHW", lambda: session.run_with_iobinding(binding), lambda: channels_last(y.numpy()))
