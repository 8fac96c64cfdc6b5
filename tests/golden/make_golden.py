"""Writes the golden values: small transposed convolutions whose outputs came from the frameworks themselves.

    python -m venv golden && golden/bin/pip install -r requirements.txt
    golden/bin/python make_golden.py              # every framework, each in a process of its own
    golden/bin/python make_golden.py torch        # one of them

Each framework's cases go to <framework>.json (what the layer is, where its arrays lie) and <framework>.bin (the arrays,
little-endian float32, one after the other; offsets count floats). The tests read these files and need no framework.
The cases are random with a fixed seed: the same versions on the same processor write the same files.

What layers do beside computing is recorded by scripts of their own, which are run by hand: from_tf_layers.py writes
tf_layers.json, from_keras_layers.py keras_layers.json.
"""

import importlib
import os
import pathlib
import subprocess
import sys
import zlib

import numpy

from golden_file import GoldenFile

# The module that yields a framework's cases, and what its environment must say before the first import.
FRAMEWORKS = {
    "keras_jax": ("from_keras", {"KERAS_BACKEND": "jax", "JAX_DEFAULT_MATMUL_PRECISION": "highest"}),
    "keras_tensorflow": ("from_keras", {"KERAS_BACKEND": "tensorflow"}),
    "torch": ("from_torch", {}),
    "onnxruntime": ("from_onnxruntime", {}),
    "litert": ("from_litert", {}),
}

# The processor only, one thread (so that sums always run in one order), no chatter.
COMMON_ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "",
    "JAX_PLATFORMS": "cpu",
    "OMP_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


def write_framework(framework):
    module, environment = FRAMEWORKS[framework]
    os.environ.update(COMMON_ENVIRONMENT | environment)
    rng = numpy.random.default_rng(zlib.crc32(framework.encode()))
    file = GoldenFile()
    for case in importlib.import_module(module).cases(rng):
        file.add(**case)
    size = file.write(pathlib.Path(__file__).parent / framework)
    print(f"{framework}: {len(file.cases)} cases, {size} bytes of arrays")


def main(frameworks):
    unknown = [name for name in frameworks if name not in FRAMEWORKS]
    if unknown:
        sys.exit(f"no framework {unknown}; there are {list(FRAMEWORKS)}")
    if len(frameworks) == 1:
        write_framework(frameworks[0])
        return
    for name in frameworks or FRAMEWORKS:
        subprocess.run([sys.executable, __file__, name], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
