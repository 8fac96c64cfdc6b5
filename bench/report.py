"""table.md from results.json, and the pictures where matplotlib is installed.

    report.py DIRECTORY     what `./bootstrap bench` wrote; writes the rest anew
"""

import json
import math
import pathlib
import sys

import limits
from entries import is_ours
from shapes import Shape


# With one thread, and with more.
CALLS = ("What a call of an almost empty layer takes is subtracted from the other libraries' times, and from none of "
         "tconv's.", "The other libraries are called from Python: 0.2 to 10 us a call, TensorFlow 40 to 90 us.")


def gflops(shape, peer, key="minimum_ms"):
    return None if "refused" in peer else shape.flops / peer[key] * 1e-6


def geometric_mean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


class Row:
    """One layer's figures; best is the fastest of the other libraries, or None."""

    def __init__(self, fields, results):
        self.shape = Shape.from_json(fields["shape"])
        self.peers = fields["peers"]
        self.limit = limits.limit_gflops(self.shape, results["machine"], results["threads"])
        self.best = self.best_peer("minimum_ms")

    def gflops(self, name, key="minimum_ms"):
        return gflops(self.shape, self.peers[name], key) if name in self.peers else None

    def best_peer(self, key):
        others = {name: self.gflops(name, key) for name in self.peers if not is_ours(name)}
        return max((name for name in others if others[name]), key=others.get, default=None)

    def ratio(self, name, key="minimum_ms"):
        """To the best of the other libraries; None without one or the other."""
        own, best = self.gflops(name, key), self.best_peer(key)
        return own / self.gflops(best, key) if own and best else None

    def share(self, name):
        own = self.gflops(name)
        return own / self.limit if own else None


def rows(results):
    return [Row(fields, results) for fields in results["rows"]]


def figure(value, places=0):
    return "-" if value is None else f"{value:.{places}f}"


def percent(value):
    return "-" if value is None else f"{100 * value:.0f} %"


def line(cells):
    return "| " + " | ".join(cells) + " |"


def names_of(results):
    return [name for name in results["versions"]]


def table(results):
    names, all_rows = names_of(results), rows(results)
    ours = [name for name in names if is_ours(name)]
    header = ["layer", *names, "best peer", *(f"{name} / best" for name in ours), "limit",
              *(f"{name} of limit" for name in ours)]
    lines = [line(header), "|" + "---|" * len(header)]
    for row in all_rows:
        lines.append(line([row.shape.name, *(figure(row.gflops(name), 1) for name in names), row.best or "-",
                           *(figure(row.ratio(name), 2) for name in ours), figure(row.limit),
                           *(percent(row.share(name)) for name in ours)]))
    means = [figure(geometric_mean(r for r in (row.ratio(name) for row in all_rows) if r), 2) for name in ours]
    shares = [percent(geometric_mean(s for s in (row.share(name) for row in all_rows) if s)) for name in ours]
    lines.append(line(["geometric mean", *([""] * len(names)), "", *means, "", *shares]))
    return lines


def summary(results):
    lines = []
    for name in (name for name in names_of(results) if is_ours(name)):
        ratios = {row.shape.name: row.ratio(name) for row in rows(results) if row.ratio(name)}
        medians = geometric_mean(r for r in (row.ratio(name, "median_ms") for row in rows(results)) if r)
        lost = [f"{layer} ({ratio:.2f})" for layer, ratio in sorted(ratios.items(), key=lambda r: r[1]) if ratio < 1]
        if ratios:
            lines.append(f"- {name}: {figure(geometric_mean(ratios.values()), 2)} times the best peer's speed in the "
                         f"geometric mean ({figure(medians, 2)} by medians); slower on {', '.join(lost) or 'none'}.")
    return lines


def refusals(results):
    """Every dash in the table, once for each reason."""
    reasons = {}
    for row in results["rows"]:
        for name, peer in row["peers"].items():
            if "refused" in peer:
                reasons.setdefault((name, peer["refused"]), []).append(row["shape"]["name"])
    return [f"- {name}, {', '.join(layers)}: {reason.splitlines()[0]}" for (name, reason), layers in reasons.items()]


def crowded(results):
    """Peers that kept more processors busy than they were given threads."""
    busy = {}
    for row in results["rows"]:
        for name, peer in row["peers"].items():
            most = max((one["processors"] for one in peer.get("rounds", [])), default=0)
            if most > 1.2 * results["threads"]:
                busy[name] = max(most, busy.get(name, 0))
    return [f"- {name} kept {most:.1f} processors busy with {results['threads']} thread(s)"
            for name, most in busy.items()]


def text(results):
    machine, threads = results["machine"], results["threads"]
    key = str(threads)
    lines = [f"# tconv and other libraries, {threads} thread{'s' if threads > 1 else ''}, {results['layout']}", ""]
    lines += [f"{results['date']}, {machine['processor']}, {machine['system']}. float32, GFLOP/s of useful "
              "multiply-adds (2 x in-positions x taps x channels x filters / groups), from the fastest call of all "
              "rounds; the rounds of all peers alternate. " + CALLS[threads > 1], ""]
    lines += [f"Multiply-add peak {machine['peak_gflops'][key]:.0f} GFLOP/s, memory read "
              f"{machine['read_gbs'][key]:.1f} GB/s, write {machine['write_gbs'][key]:.1f} GB/s, last-level cache "
              f"{limits.cache_share(machine, threads) / 2**20:.0f} MiB for these threads. The limit is that of direct "
              "convolution; Winograd's may pass it.", ""]
    lines += table(results)
    for title, part in (("In short", summary(results)), ("Without a figure", refusals(results)),
                        ("More processors than threads", crowded(results)),
                        ("Outputs that differ", [f"- {error}" for error in results.get("wrong", [])])):
        if part:
            lines += ["", f"{title}:", "", *part]
    versions = ", ".join(f"{name} {version or 'unusable'}" for name, version in results["versions"].items())
    return "\n".join([*lines, "", f"Versions: {versions}.", ""])


def write(directory):
    results = json.loads((directory / "results.json").read_text())
    (directory / "table.md").write_text(text(results))
    print((directory / "table.md").read_text())
    try:
        import pictures
    except ImportError as error:
        print(f"no pictures: {error}", file=sys.stderr)
        return
    if results["rows"]:
        pictures.write(results, directory)


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]))
