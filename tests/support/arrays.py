"""Golden cases and .npy files for the tests that run tconvc. Only Python's own library is used."""

import array
import ast
import json
import math
import pathlib
import struct

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden"


def npy_bytes(shape, values, descr="<f4"):
    """An array in NumPy's format 1.0; `values` are written as float32, whatever `descr` claims."""
    shape_text = "(" + "".join(f"{size}, " for size in shape) + ")"
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape_text}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + array.array("f", values).tobytes()


def write_npy(path, shape, values):
    pathlib.Path(path).write_bytes(npy_bytes(shape, values))


def read_npy(path):
    """(shape, values)"""
    data = pathlib.Path(path).read_bytes()
    length = struct.unpack("<H", data[8:10])[0]
    header = ast.literal_eval(data[10:10 + length].decode())
    assert data[:6] == b"\x93NUMPY" and header["descr"] == "<f4" and not header["fortran_order"], header
    values = array.array("f", data[10 + length:])
    assert len(values) == math.prod(header["shape"])
    return list(header["shape"]), values


class Golden:
    """What one framework computed."""

    def __init__(self, framework):
        self.cases = json.loads((GOLDEN / f"{framework}.json").read_text())
        self._floats = array.array("f", (GOLDEN / f"{framework}.bin").read_bytes())

    def array(self, case, name):
        """(shape, values), or None where the case has none"""
        shape = case[f"{name}_shape"]
        if shape is None:
            return None
        offset = case["offset"][name]
        return shape, self._floats[offset:offset + math.prod(shape)]

    def write(self, case, directory):
        """layer.json, input.npy, kernel.npy and, where there is one, bias.npy. Returns the options that name them."""
        (directory / "layer.json").write_text(json.dumps(case["layer"]))
        for name in ("input", "kernel", "bias"):
            if self.array(case, name):
                write_npy(directory / f"{name}.npy", *self.array(case, name))
        options = [directory / "layer.json", "--input", directory / "input.npy", "--kernel", directory / "kernel.npy"]
        return options + (["--bias", directory / "bias.npy"] if case["bias_shape"] else [])


def differences(got, wanted, tolerance=1e-5):
    """What is wrong with a result: a text, or None."""
    if list(got[0]) != list(wanted[0]):
        return f"shape {got[0]}, not {wanted[0]}"
    for i, (a, b) in enumerate(zip(got[1], wanted[1])):
        if not abs(a - b) <= tolerance * (1 + abs(b)):
            return f"element {i} is {a}, not {b}"
    return None
