"""The parent's side of worker.py: starts a process for each peer, asks it, and starts it anew when a layer ended it."""

import json
import os
import select
import subprocess
import sys
import time

from arguments import BENCH

# A call that takes minutes is reported as refused.
ANSWER_SECONDS = 180


def environment(threads):
    """Threads for the libraries that are told so before they start; NPROC is XLA's."""
    count = str(threads)
    return os.environ | {
        "OMP_NUM_THREADS": count, "MKL_NUM_THREADS": count, "OPENBLAS_NUM_THREADS": count, "NPROC": count,
        "XLA_FLAGS": "" if threads > 1 else "--xla_cpu_multi_thread_eigen=false", "TF_CPP_MIN_LOG_LEVEL": "2",
        "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "",
        "PYTHONDONTWRITEBYTECODE": "1"}


class Worker:
    def __init__(self, name, settings, log):
        self.name, self.settings, self.log = name, settings, log
        self.process = None
        self.version = None
        self.unusable = None  # why, for all shapes
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(BENCH / "worker.py"), self.name, json.dumps(self.settings)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=self.settings["work"],
                env=environment(self.settings["threads"]))
        greeting = self.read()
        self.version = greeting.get("version")
        self.unusable = greeting.get("refused")

    def ask(self, **request):
        if self.unusable:
            return {"refused": self.unusable}
        if self.process.poll() is not None:
            self.start()
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        return self.read()

    def read(self):
        end, line = time.monotonic() + ANSWER_SECONDS, b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            if not ready:
                self.stop()
                return {"refused": f"no answer in {ANSWER_SECONDS} s"}
            chunk = os.read(self.process.stdout.fileno(), 65536)
            if not chunk:
                return {"refused": f"its process ended with code {self.process.wait()} (see {self.log})"}
            line += chunk
        return json.loads(line)

    def stop(self):
        self.process.kill()
        self.process.wait()
