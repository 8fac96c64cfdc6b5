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
        host = MNN.Tensor(image.shape, MNN.Halide_Type_Float, image, MNN.Tensor_DimensionType_Caffe)
        shape_of_output = (shape.batch, shape.filters, *shape.out)

        # A session keeps other things in its input's memory while it runs, so the input is put there before each call.
        def refill(image=image):
            x.copyFrom(host)

        def call():
            interpreter.runSession(session)

        def output():
            # A sequence is an image of one column to MNN.
            if (*shape_of_output, 1)[:len(y.getShape())] != tuple(y.getShape()):
                raise Refused(f"MNN's output has shape {y.getShape()} for {shape_of_output}")
            array = np.zeros(y.getShape(), np.float32)
            result = MNN.Tensor(array.shape, MNN.Halide_Type_Float, array, MNN.Tensor_DimensionType_Caffe)
            y.copyToHostTensor(result)
            return channels_last(np.array(result.getNumpyData(), np.float32).reshape(shape_of_output))

        yield Variant("session", call, output, before=refill)
