"""bars.png: tconv's speed in terms of the best other library's, for each layer. roofline.png: every layer under the
machine's limits. Colours are Okabe and Ito's, which colour-blind readers tell apart; markers differ too."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter
from matplotlib.transforms import Bbox

import limits
import report
from entries import is_ours

COLOURS = {"tconv": "#0072B2", "tconv_general": "#E69F00", "tconv_avx2": "#009E73"}
PEER_COLOUR, LINE_COLOUR = "#D55E00", "#444444"
DPI = 130


def subtitle(results):
    threads = results["threads"]
    return (f"{results['machine']['processor']}, {threads} thread{'s' if threads > 1 else ''}, "
            f"{results['layout']}, float32, {results['date'][:10]}")


def plain_ticks(axis, values):
    axis.set_major_locator(FixedLocator(values))
    axis.set_minor_locator(FixedLocator([]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def powers_between(low, high):
    return [2.0 ** e for e in range(int(np.floor(np.log2(low))), int(np.ceil(np.log2(high))) + 1)]


def bars(results, path):
    rows = [row for row in report.rows(results) if row.best]
    names = [name for name in results["versions"] if is_ours(name)]
    if not rows or not names:
        return
    figure, axes = plt.subplots(figsize=(9, 1.6 + 0.16 * len(rows) * (len(names) + 1)), layout="constrained")
    height = 0.8 / len(names)
    ratios = [row.ratio(name) for row in rows for name in names]
    for index, name in enumerate(names):
        values = [row.ratio(name) or np.nan for row in rows]
        places = np.arange(len(rows)) + (index - (len(names) - 1) / 2) * height
        # Lengths are logarithms from 1, so that twice as fast and half as fast look alike.
        axes.barh(places, np.array(values) - 1, height * 0.92, left=1, color=COLOURS[name], label=name)
        for place, value in zip(places, values):
            if np.isfinite(value):
                axes.annotate(f"{value:.2f}", (value, place), (3 if value >= 1 else -3, 0), textcoords="offset points",
                              ha="left" if value >= 1 else "right", va="center", fontsize=7)
    axes.axvline(1, color=LINE_COLOUR, linewidth=1.2)
    axes.set_xscale("log")
    found = [ratio for ratio in ratios if ratio] + [1]
    axes.set_xlim(min(found) / 1.4, max(found) * 1.4)
    plain_ticks(axes.xaxis, [v for v in powers_between(min(found), max(found))
                             if min(found) / 1.4 <= v <= max(found) * 1.4])
    axes.set_yticks(range(len(rows)), [f"{row.shape.name}  (best: {row.best})" for row in rows])
    axes.invert_yaxis()
    axes.set_xlabel("speed relative to the fastest other library (higher is faster, log scale)")
    axes.set_title("tconv and the fastest other library of each layer\n" + subtitle(results), fontsize=10)
    axes.grid(axis="x", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=len(names), fontsize=8)
    figure.savefig(path, dpi=DPI)
    plt.close(figure)


def roofline(results, path):
    rows = report.rows(results)
    machine, key = results["machine"], str(results["threads"])
    peak, read, write = (machine[field][key] for field in ("peak_gflops", "read_gbs", "write_gbs"))
    figure, axes = plt.subplots(figsize=(9, 6.5), layout="constrained")
    intensities = [limits.intensity(row.shape) for row in rows]
    low, high = min(intensities) / 2, max(intensities) * 2
    x = np.geomspace(low, high, 200)
    axes.plot(x, np.minimum(peak, x * read), color=LINE_COLOUR,
              label=f"peak {peak:.0f} GFLOP/s; memory read {read:.1f} GB/s")
    axes.plot(x, np.minimum(peak, x * write), color=LINE_COLOUR, linestyle="--",
              label=f"memory written {write:.1f} GB/s")
    others = [(at, row.gflops(row.best)) for at, row in zip(intensities, rows) if row.best]
    own = [(at, row.gflops("tconv")) for at, row in zip(intensities, rows) if row.gflops("tconv")]
    for points, marker, colour, label in ((others, "s", PEER_COLOUR, "fastest other library"),
                                          (own, "o", COLOURS["tconv"], "tconv")):
        if points:
            axes.scatter(*zip(*points), marker=marker, s=36, color=colour, label=label, zorder=3)
    for at, row in zip(intensities, rows):
        ends = [value for value in (row.gflops("tconv"), row.gflops(row.best) if row.best else None) if value]
        if ends:
            axes.plot([at, at], [min(ends), max(ends)], color="#bbbbbb", linewidth=1, zorder=1)
    axes.set_xscale("log")
    axes.set_yscale("log")
    values = [value for _, value in others + own] + [peak]
    axes.set_xlim(low, high)
    axes.set_ylim(min(values) / 1.7, max(values) * 1.3)
    place_labels(figure, axes, [(at, row) for at, row in zip(intensities, rows)])
    plain_ticks(axes.xaxis, [v for v in powers_between(low, high) if low <= v <= high])
    plain_ticks(axes.yaxis, [v for v in powers_between(*axes.get_ylim())
                             if axes.get_ylim()[0] <= v <= axes.get_ylim()[1]])
    axes.set_xlabel("operations for each byte moved once (FLOP/byte, log scale)")
    axes.set_ylabel("GFLOP/s of useful multiply-adds (log scale)")
    axes.set_title("Every layer under the machine's limits\n" + subtitle(results), fontsize=10)
    axes.grid(color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.legend(loc="lower right", fontsize=8)
    figure.savefig(path, dpi=DPI)
    plt.close(figure)


def place_labels(figure, axes, points):
    """The layers' names below their lower point, lower still where a name is already."""
    figure.canvas.draw()
    # Markers are in the way too.
    taken = []
    for at, row in points:
        for value in filter(None, (row.gflops("tconv"), row.gflops(row.best) if row.best else None)):
            x, y = axes.transData.transform((at, value))
            taken.append(Bbox.from_bounds(x - 6, y - 6, 12, 12))
    for at, row in sorted(points, key=lambda point: point[0]):
        ends = [value for value in (row.gflops("tconv"), row.gflops(row.best) if row.best else None) if value]
        if not ends:
            continue
        for drop in range(8, 200, 9):
            text = axes.annotate(row.shape.name, (at, min(ends)), (0, -drop), textcoords="offset points", ha="center",
                                 va="top", fontsize=7)
            box = text.get_window_extent(figure.canvas.get_renderer()).expanded(1.05, 1.0)
            if not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            text.remove()


def write(results, directory):
    bars(results, directory / "bars.png")
    roofline(results, directory / "roofline.png")
