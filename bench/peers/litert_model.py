"""LiteRT with XNNPACK: a model of one TRANSPOSE_CONV, or CONV_3D_TRANSPOSE, and a SLICE where its SAME crops elsewhere.
The model is written here, so that TensorFlow's converter is not needed."""

import importlib.metadata

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from peers import Refused, Variant, with_rows
from peers.cropping import padding


def make(name, settings):
    return Peer(settings["threads"])


class ModelWriter:
    """Collects tensors and operators; tensors are named by their index."""

    def __init__(self):
        self.model, self.graph = schema.ModelT(), schema.SubGraphT()
        self.model.version, self.model.subgraphs, self.model.operatorCodes = 3, [self.graph], []
        self.model.buffers = [schema.BufferT()]
        self.graph.tensors, self.graph.operators = [], []

    def tensor(self, shape, data=None, kind=schema.TensorType.FLOAT32):
        tensor = schema.TensorT()
        tensor.shape, tensor.type, tensor.name = list(shape), kind, f"t{len(self.graph.tensors)}"
        tensor.buffer = 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            tensor.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def integers(self, values):
        return self.tensor([len(values)], np.array(values, np.int32), schema.TensorType.INT32)

    def operator(self, code, version, inputs, output, kind, options):
        entry = schema.OperatorCodeT()
        entry.builtinCode, entry.deprecatedBuiltinCode, entry.version = code, min(code, 127), version
        self.model.operatorCodes.append(entry)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes) - 1
        operator.inputs, operator.outputs = inputs, [output]
        operator.builtinOptionsType, operator.builtinOptions = kind, options
        self.graph.operators.append(operator)

    def finish(self, x, y):
        self.graph.inputs, self.graph.outputs = [x], [y]
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def layer_model(shape, kernel):
    writer = ModelWriter()
    one, zero = ([1], [0]) if shape.rank == 1 else ([], [])
    word, extents, begin = padding(shape)
    whole = [shape.batch, *one, *extents, shape.filters]
    options = schema.Conv3DOptionsT() if shape.rank == 3 else schema.TransposeConvOptionsT()
    options.padding = getattr(schema.Padding, word)
    options.strideH, options.strideW = (1, *shape.stride)[-2:]
    if shape.rank == 3:
        options.strideD = shape.stride[0]
        code, kind = schema.BuiltinOperator.CONV_3D_TRANSPOSE, schema.BuiltinOptions.Conv3DOptions
        weights = np.moveaxis(kernel, (0, 1), (-1, -2))
    else:
        code, kind = schema.BuiltinOperator.TRANSPOSE_CONV, schema.BuiltinOptions.TransposeConvOptions
        weights = np.moveaxis(kernel, 0, -1)
        weights = weights[:, None] if shape.rank == 1 else weights
    x = writer.tensor([shape.batch, *one, *shape.size, shape.channels])
    y = writer.tensor(whole)
    writer.operator(code, 1, [writer.integers(whole), writer.tensor(weights.shape, weights), x], y, kind, options)
    if extents != shape.out:
        inner = [shape.batch, *one, *shape.out, shape.filters]
        cut, whole_y = writer.tensor(inner), y
        y = cut
        writer.operator(schema.BuiltinOperator.SLICE, 1,
                        [whole_y, writer.integers([0, *zero, *begin, 0]), writer.integers(inner)], y,
                        schema.BuiltinOptions.SliceOptions, schema.SliceOptionsT())
    return writer.finish(x, y)


class Peer:
    version = importlib.metadata.version("ai-edge-litert")

    def __init__(self, threads):
        self.threads = threads

    def prepare(self, shape, input, kernel):
        if shape.groups > 1 or max(shape.dilation) > 1:
            raise Refused("LiteRT's operation has neither groups nor dilation")
        interpreter = Interpreter(model_content=layer_model(shape, kernel), num_threads=self.threads)
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], with_rows(shape, input))
        place = interpreter.get_output_details()[0]["index"]

        def output():
            array = interpreter.get_tensor(place)
            return array[:, 0] if shape.rank == 1 else array

        yield Variant("interpreter", interpreter.invoke, output)
