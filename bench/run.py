"""Measures tconv and other libraries alternately on the same layers. Called by `./bootstrap bench`, with .venv-bench's
python; writes results.json, table.md and pictures (report.py).

Every peer is a process of its own that lives as long as the run and is asked in turn, in several rounds, so that what
else the machine does hits all alike.
"""

import json
import os
import pathlib
import sys
import tempfile
import time

import numpy as np

import check
import report
import shapes
from arguments import BENCH, choose_peers, parse_arguments
from entries import ENTRIES
from machine import Machine
from workers import Worker

ROUNDS = 5


def tiny_shape(rank):
    """A layer with next to nothing to compute: what is left is the way from Python into the library and back."""
    return shapes.parse_line(f"tiny{rank} {rank} 1 1 1 1 1 1 0 0")


def less(milliseconds, overhead):
    """At least half is left: a disturbed measurement of the overhead does not make a layer free."""
    return max(milliseconds - overhead, milliseconds / 2)


class Run:
    def __init__(self, arguments, work):
        self.arguments, self.work = arguments, pathlib.Path(work)
        self.machine = Machine(work, arguments.threads)
        self.overhead_ms = {}
        self.wrong = []
        settings = {"threads": arguments.threads, "layout": arguments.layout, "work": str(work),
                    "tconvc": str(arguments.tconvc.resolve()), "x86": os.uname().machine == "x86_64"}
        self.workers = {}
        for name in choose_peers(arguments.peers, arguments.layout):
            print(f"== Starting {name} ...", flush=True)
            self.workers[name] = worker = Worker(name, settings, self.log(name))
            print(f"   {worker.version or 'unusable: ' + worker.unusable}", flush=True)

    def log(self, name):
        directory = self.arguments.output / "logs"
        directory.mkdir(parents=True, exist_ok=True)
        log = directory / f"{name}.log"
        log.write_bytes(b"")
        return log

    def prepare(self, name, shape):
        return self.workers[name].ask(do="prepare", shape=shape.to_json(), input=str(self.work / "input.npy"),
                                      kernel=str(self.work / "kernel.npy"), output=str(self.work / f"{name}.npy"))

    def write_arrays(self, shape):
        input, kernel = check.draw(shape)
        np.save(self.work / "input.npy", input)
        np.save(self.work / "kernel.npy", kernel)
        return input, kernel

    def measure_overheads(self, rank):
        """Once for each rank, since some peers take another path for each."""
        self.write_arrays(tiny_shape(rank))
        for name in self.workers:
            if (name, rank) not in self.overhead_ms:
                overhead = 0.0
                # With more threads an almost empty layer mostly waits for them, which is part of any layer's work.
                called = self.arguments.threads == 1 and ENTRIES[name].from_python
                if called and "refused" not in self.prepare(name, tiny_shape(rank)):
                    overhead = self.workers[name].ask(do="time", seconds=0.05).get("minimum_ms", 0.0)
                self.overhead_ms[name, rank] = overhead

    def check(self, shape, answers, wanted):
        """Notes each output's difference in its answer, and refuses what is too large."""
        for name, answer in answers.items():
            if "refused" not in answer:
                answer["difference"] = check.difference(np.load(self.work / f"{name}.npy"), wanted)
                wrong = check.disagreement(shape, name, answer["difference"])
                if wrong:
                    answer["refused"] = wrong
                    self.wrong.append(wrong)

    def measure_rounds(self, ready):
        seconds = self.arguments.seconds / ROUNDS
        rounds = {name: [] for name in ready}
        for index in range(ROUNDS):
            # Each round begins with another peer, so that none always follows the same one.
            start = index % max(1, len(ready))
            for name in ready[start:] + ready[:start]:
                # A peer whose one call is longer than all its time has been measured in the first round.
                if not rounds[name] or rounds[name][0]["minimum_ms"] < 1e3 * self.arguments.seconds:
                    rounds[name].append(self.workers[name].ask(do="time", seconds=seconds))
        return rounds

    def measure(self, shape):
        self.measure_overheads(shape.rank)
        input, kernel = self.write_arrays(shape)
        answers = {name: self.prepare(name, shape) for name in self.workers}
        self.check(shape, answers, check.reference(shape, input, kernel))
        ready = [name for name, answer in answers.items() if "refused" not in answer]
        rounds = self.measure_rounds(ready)
        self.machine.measure()
        row = {"shape": shape.to_json(), "peers": {}}
        for name, answer in answers.items():
            failed = [one["refused"] for one in rounds.get(name, []) if "refused" in one]
            if "refused" in answer or failed:
                row["peers"][name] = {"refused": answer.get("refused") or failed[0]}
                continue
            # The library's own calls of an almost empty layer are in what is subtracted, in the peer's favour.
            overhead = self.overhead_ms[name, shape.rank]
            row["peers"][name] = answer | {
                "minimum_ms": less(min(one["minimum_ms"] for one in rounds[name]), overhead),
                "median_ms": less(float(np.median([one["median_ms"] for one in rounds[name]])), overhead),
                "overhead_ms": overhead, "rounds": rounds[name]}
        return row

    def results(self, rows):
        return {"date": time.strftime("%Y-%m-%d %H:%M:%S"), "threads": self.arguments.threads,
                "layout": self.arguments.layout, "seconds": self.arguments.seconds, "machine": self.machine.fields,
                "versions": {name: worker.version for name, worker in self.workers.items()},
                "unusable": {name: worker.unusable for name, worker in self.workers.items() if worker.unusable},
                "wrong": self.wrong, "rows": rows}

    def stop(self):
        for worker in self.workers.values():
            worker.stop()


def progress(row):
    times = {name: peer["minimum_ms"] for name, peer in row["peers"].items() if "refused" not in peer}
    return ", ".join(f"{name} {value:.3f}" for name, value in sorted(times.items(), key=lambda item: item[1]))


def main():
    arguments = parse_arguments()
    try:
        chosen = shapes.select(arguments.shapes, BENCH / "shapes.txt", arguments.tconvc)
    except (shapes.ShapeError, OSError) as error:
        sys.exit(f"bench: {error}; to mend it: ./bootstrap bench --help")
    with tempfile.TemporaryDirectory() as work:
        run = Run(arguments, work)
        rows = []
        try:
            for shape in chosen:
                print(f"== {shape.name} ...", flush=True)
                rows.append(run.measure(shape))
                print(f"   ms: {progress(rows[-1])}", flush=True)
                (arguments.output / "results.json").write_text(json.dumps(run.results(rows), indent=1) + "\n")
        finally:
            run.stop()
    report.write(arguments.output)
    for error in run.wrong:
        print(f"bench: {error}; to mend it: leave that one out with --peers", file=sys.stderr)
    return 1 if run.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
