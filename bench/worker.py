"""One peer in a process of its own: answers requests of workers.py, a line of JSON each, until its input ends.

    worker.py NAME SETTINGS     SETTINGS: JSON with threads, layout, tconvc, work

prepare builds the layer, keeps the fastest of the peer's variants and writes its output; time runs it for a while.
"""

import importlib
import json
import os
import sys
import time

import numpy as np

from entries import ENTRIES
from shapes import Shape

# How long each variant is tried, at least three calls.
TRIAL_SECONDS = 0.05
# A call so long needs no other to warm it up.
LONG_SECONDS = 0.5


def trial(variant):
    """The fastest of a few calls, after one that does not count; a single one where a call is long."""
    first = min(variant.times(0))
    if first > LONG_SECONDS:
        return first
    return min(time for _ in range(3) for time in variant.times(TRIAL_SECONDS / 3))


class Worker:
    def __init__(self, name, settings):
        self.peer = importlib.import_module(f"peers.{ENTRIES[name].module}").make(name, settings)
        self.variant = None

    def prepare(self, request):
        """The variant's name and its output, in a file; or why there is none."""
        self.variant = None
        shape = Shape.from_json(request["shape"])
        input, kernel = np.load(request["input"]), np.load(request["kernel"])
        tried, reasons, best = {}, [], None
        variants = iter(self.peer.prepare(shape, input, kernel))
        while True:
            # A variant that cannot be made ends the list, one that cannot be run does not.
            try:
                variant = next(variants, None)
                if variant is None:
                    break
                tried[variant.name] = seconds = trial(variant)
                if best is None or seconds < best:
                    best, self.variant = seconds, variant
            except Exception as error:
                reasons.append(f"{type(error).__name__}: {error}".strip()[:400])
        if self.variant is None:
            return {"refused": "; ".join(reasons) or "no variant"}
        if len(tried) > 1:
            self.variant.once()
        self.long = best > LONG_SECONDS
        np.save(request["output"], np.ascontiguousarray(self.variant.output()))
        return {"variant": self.variant.name, "tried_ms": {name: 1e3 * value for name, value in tried.items()},
                "failed": reasons}

    def time(self, request):
        if not self.long:
            self.variant.once()
        wall, busy = time.perf_counter(), time.process_time()
        times = self.variant.times(request["seconds"])
        wall, busy = time.perf_counter() - wall, time.process_time() - busy
        return {"minimum_ms": 1e3 * min(times), "median_ms": 1e3 * float(np.median(times)), "runs": len(times),
                "processors": busy / wall}


def main():
    # What the libraries print goes to the log; the answers have the standard output for themselves.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(fields):
        answers.write(json.dumps(fields) + "\n")
        answers.flush()

    try:
        worker = Worker(sys.argv[1], json.loads(sys.argv[2]))
        answer({"version": str(worker.peer.version)})
    except Exception as error:
        answer({"refused": f"{type(error).__name__}: {error}".strip()[:400]})
        return
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer(getattr(worker, request.pop("do"))(request))
        except Exception as error:
            answer({"refused": f"{type(error).__name__}: {error}".strip()[:400]})


if __name__ == "__main__":
    main()
