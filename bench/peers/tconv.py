"""tconv: a kernel compiled for the shape (`tconv`; `tconv_avx2` for that target), or the library's any-size kernel
(`tconv_general`), called in a loop of C."""

import ctypes
import pathlib
import re
import subprocess

import numpy as np

from entries import LAYOUTS
from peers import Variant, channels_first, channels_last
from shapes import onnx_layer

SOURCE = pathlib.Path(__file__).resolve().parent.parent / "tconv_kernel.c"
TARGETS = {"tconv_avx2": "x86-64-linux-avx2-fma-f16c"}
MOST_TIMES = 1 << 16
FLOATS = np.ctypeslib.ndpointer(np.float32, flags="C_CONTIGUOUS")


def make(name, settings):
    return Peer(name, settings)


def aligned(shape):
    """Zeros that begin at a cache line, as the arrays of a program that cares do; NumPy's begin at 16 bytes."""
    count, line = int(np.prod(shape)), 64
    memory = np.zeros(count + line // 4, np.float32)
    start = -memory.ctypes.data % line // 4
    return memory[start:start + count].reshape(shape)


class Peer:
    def __init__(self, name, settings):
        self.name, self.settings = name, settings
        version = subprocess.run([settings["tconvc"], "--version"], capture_output=True, text=True)
        self.version = version.stdout.strip() or "unknown"

    def build(self, shape):
        """The shared library of one shape's kernel."""
        directory = pathlib.Path(self.settings["work"]) / f"{self.name}_{shape.name}"
        directory.mkdir(parents=True, exist_ok=True)
        layer = directory / "layer.json"
        layer.write_text(onnx_layer(shape, self.settings["layout"]))
        subprocess.run([self.settings["tconvc"], "compile", layer, "--name", "layer", "-o", directory / "kernel",
                        "--target", TARGETS.get(self.name, "host")], check=True, stdout=subprocess.DEVNULL)
        macros = {"HEADER": '"layer.h"', "LAYER": "layer_layer", "STRIDES": "layer_weight_strides",
                  "KERNEL": "layer_kernel"}
        folders, archives = [directory / "kernel"], [directory / "kernel/liblayer.a"]
        if self.name == "tconv_general":
            general = self.general_directory()
            name = f"tconv_conv{shape.rank}d_transpose_{self.settings['layout']}"
            macros |= {"GENERAL_HEADER": f'"{name}.h"', "KERNEL": f"(*{name}_kernel(&LAYER))"}
            folders.append(general)
            archives.append(general / f"lib{name}.a")
        library = directory / "layer.so"
        subprocess.run(["gcc", "-O2", "-std=gnu99", "-shared", "-fPIC", *(f"-I{folder}" for folder in folders),
                        *(f"-D{key}={value}" for key, value in macros.items()), SOURCE, *archives, "-o", library,
                        "-lpthread", "-ldl", "-lm"], check=True)
        return ctypes.CDLL(str(library))

    def general_directory(self):
        """Where the build puts the library's kernels: beside the compiler's own folder."""
        prefix = pathlib.Path(self.settings["tconvc"]).resolve().parent.parent
        return next((prefix / "general").glob("x86-64-linux" if self.settings["x86"] else "arm-64-linux"))

    def prepare(self, shape, input, kernel):
        library = self.build(shape)
        library.bench_time.argtypes = [ctypes.c_double, np.ctypeslib.ndpointer(np.float64), ctypes.c_int]
        library.bench_prepare.argtypes = [FLOATS, FLOATS, FLOATS, ctypes.c_int]
        library.bench_method.restype = ctypes.c_char_p
        first = self.settings["layout"] == LAYOUTS[1]
        source = channels_first(input) if first else input
        x = aligned(source.shape)
        x[...] = source
        y = aligned((shape.batch, shape.filters, *shape.out) if first else shape.output_shape)
        self.check(library, library.bench_prepare(x, kernel, y, self.settings["threads"]))
        times = np.zeros(MOST_TIMES)

        def call():
            self.check(library, library.bench_run())

        def measure(seconds):
            count = library.bench_time(seconds, times, MOST_TIMES)
            self.check(library, min(count, 0))
            return times[:count].tolist()

        # x is named so that it lives as long as the library reads it.
        yield Variant(re.sub(r".*linux-?", "", library.bench_method().decode()) or "host", call,
                      lambda x=x: channels_last(y) if first else y, measure)

    def check(self, library, status):
        if status:
            raise RuntimeError(f"{self.name}: status {status}")
