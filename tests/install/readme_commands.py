"""Runs the README's tconvc commands, word for word, in a directory that has what they name.

    readme_commands.py REPOSITORY TCONVC

Of the layers that speed is measured on there is only one here: the command that times them all takes minutes.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

root, tconvc = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
# Indented blocks, their continued lines joined.
blocks = re.findall(r"(?:^    .+\n)+", (root / "README.md").read_text(), re.M)
commands = [re.sub(r"^    ", "", block, flags=re.M) for block in blocks if "build/bin/tconvc" in block]
if not commands:
    sys.exit("the README has no command of tconvc")

with tempfile.TemporaryDirectory() as directory:
    work = pathlib.Path(directory)
    (work / "build/bin").mkdir(parents=True)
    os.symlink(tconvc, work / "build/bin/tconvc")
    (work / "bench/layers").mkdir(parents=True)
    shutil.copy(root / "bench/layers/selfie.json", work / "bench/layers")
    shutil.copy(root / "examples/consumer/decoder.json", work)
    for command in commands:
        print(f"$ {command}", flush=True)
        subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=work, check=True)
    for name in ("libdecoder.a", "decoder.h", "decoder.manifest.json", "decoderConfig.cmake"):
        if not (work / "decoder" / name).is_file():
            sys.exit(f"the README's compile command left no decoder/{name}")
