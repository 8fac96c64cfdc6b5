"""MNN: a session on the ONNX model as its converter leaves it, float32 throughout. The converter is called in MNN's
native module: the Python package around it, MNN.tools, installs packages by itself and reports its use."""

import pathlib
import tempfile

import _tools
import MNN
import numpy as np

from peers import Refused, Variant, channels_last, channels_first, onnx_model


def make(name, settings):
    return Peer(settings["threads"])


class Peer:
    def __init__(self, threads):
        self.version = MNN.version()
        self.threads = threads

    def prepare(self, shape, input, kernel):
        with tempfile.TemporaryDirectory() as scratch:
            model, converted = (str(pathlib.Path(scratch) / name) for name in ("layer.onnx", "layer.mnn"))
            pathlib.Path(model).write_bytes(onnx_model.model(shape, kernel))
            _tools.mnnconvert(["mnnconvert", "-f", "ONNX", "--modelFile", model, "--MNNModel", converted])
            if not pathlib.Path(converted).is_file():
                raise Refused("MNN's converter did not take the layer")
            interpreter = MNN.Interpreter(converted)
        session = interpreter.createSession({"numThread": self.threads, "precision": "high", "backend": "CPU"})
        x, y = interpreter.getSessionInput(session), interpreter.getSessionOutput(session)
        image = channels_first(input)
        x.copyFrom(MNN.Tensor(image.shape, MNN.Halide_Type_Float, image, MNN.Tensor_DimensionType_Caffe))
        shape_of_output = (shape.batch, shape.filters, *shape.out)

        def call():
            interpreter.runSession(session)

        def output():
            if tuple(y.getShape()) != shape_of_output:
                raise Refused(f"MNN's output has shape {y.getShape()} for {shape_of_output}")
            host = MNN.Tensor(shape_of_output, MNN.Halide_Type_Float, np.zeros(shape_of_output, np.float32),
                              MNN.Tensor_DimensionType_Caffe)
            y.copyToHostTensor(host)
            return channels_last(np.array(host.getNumpyData()).reshape(shape_of_output))

        yield Variant("session", call, output)
