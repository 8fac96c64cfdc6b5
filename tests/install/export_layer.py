"""Runs the README's export from Keras, where there is a Keras, and compiles what it wrote.

    export_layer.py REPOSITORY TCONVC
"""

import importlib.util
import pathlib
import subprocess
import sys
import tempfile

root, tconvc = pathlib.Path(sys.argv[1]), sys.argv[2]
if importlib.util.find_spec("keras") is None:
    print("SKIPPED: this Python has no keras")
    sys.exit(0)
with tempfile.TemporaryDirectory() as directory:
    subprocess.run([sys.executable, root / "examples/consumer/export_layer.py", directory], check=True)
    written = pathlib.Path(directory)
    subprocess.run([tconvc, "compile", written / "decoder.json", "--target", "host", "--kernel",
                    written / "decoder_kernel.npy", "--bias", written / "decoder_bias.npy", "-o", written / "decoder"],
                   check=True)
