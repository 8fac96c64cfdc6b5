"""What `tconvc tune` gains over the rules' schedules: its search, a random one of the same length, and Halide's own
autoschedulers, on layers that no schedule ships for.

    tune.py [--tconvc PROGRAM] [--budget 2m] [--threads N] [--target T] [--shapes FILE] [--layout L] -o DIRECTORY

Writes DIRECTORY/NAME.log and NAME.random.log, which a second run goes on from, and table.md. Each gain is of schedules
that ran in turn with the rules' choice.
"""

import argparse
import json
import math
import pathlib
import subprocess
import sys

from shapes import onnx_layer, read_text

AUTOSCHEDULERS = ("adams2019", "li2018", "mullapudi2016")
ROOT = pathlib.Path(__file__).resolve().parent.parent


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--tconvc", default=ROOT / "build/bin/tconvc")
    parser.add_argument("--budget", default="2m")
    parser.add_argument("--threads", default="1")
    parser.add_argument("--target", default="host")
    parser.add_argument("--shapes", default=ROOT / "bench/tuning_shapes.txt")
    parser.add_argument("--layout", choices=["channels_last", "channels_first"], default="channels_last")
    parser.add_argument("--strategies", nargs="+", default=["model", "random"])
    parser.add_argument("-o", "--output", required=True, type=pathlib.Path)
    return parser.parse_args()


def tune(options, layer, strategy):
    log = layer.with_suffix(".log" if strategy == "model" else f".{strategy}.log")
    command = [options.tconvc, "tune", layer, "--budget", options.budget, "--threads", options.threads, "--target",
               options.target, "--strategy", strategy, "--log", log, "--db",
               options.output / ("schedules.txt" if strategy == "model" else f"{strategy}.txt")]
    if strategy != "model":
        command.append("--no-baselines")
    process = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if process.returncode:
        sys.exit(f"tune.py: tconvc tune {layer} failed")
    print(process.stdout, flush=True)
    rows = {words[0]: words for words in map(str.split, process.stdout.splitlines()) if words}
    records = [json.loads(line) for line in log.read_text().splitlines()]
    return rows, records


def table(results, strategies):
    names = [*strategies, *AUTOSCHEDULERS]
    lines = ["| layer | rules, GFLOP/s | " + " | ".join(names) + " | best schedule |",
             "|---|---|" + "---|" * (len(names) + 1)]
    gains = {name: [] for name in names}
    for layer, cells in results.items():
        for name in names:
            if cells.get(name):
                gains[name].append(cells[name])
        lines.append(f"| {layer} | {cells['rules']:.0f} | " +
                     " | ".join(f"{cells[name]:.2f}" if cells.get(name) else "-" for name in names) +
                     f" | {cells['schedule']} |")
    means = [f"{math.exp(sum(map(math.log, gains[name])) / len(gains[name])):.2f}" if gains[name] else "-"
             for name in names]
    lines.append("| geometric mean | | " + " | ".join(means) + " | |")
    return "\n".join(lines) + "\n"


def main():
    options = parse()
    options.output.mkdir(parents=True, exist_ok=True)
    results = {}
    for shape in read_text(options.shapes):
        layer = options.output / f"{shape.name}.json"
        layer.write_text(onnx_layer(shape, options.layout))
        cells = {}
        for strategy in options.strategies:
            rows, records = tune(options, layer, strategy)
            cells[strategy] = float(rows[strategy][3])
            if strategy == "model":
                start = next(record for record in records if record["strategy"] == "start")
                cells["rules"] = start["flop"] / start["minimum_ms"] * 1e-6
                cells["schedule"] = " ".join(rows[strategy][4:])
                for name in AUTOSCHEDULERS:
                    if name in rows and rows[name][1] != "-":
                        cells[name] = float(rows[name][3])
        results[shape.name] = cells
        (options.output / "table.md").write_text(table(results, options.strategies))
    print((options.output / "table.md").read_text())


if __name__ == "__main__":
    main()
