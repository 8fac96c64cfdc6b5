"""Logs as `tconvc tune` writes them, of searches that never ran: every strategy and outcome, the same for each call."""

import json
import random

TARGET = "x86-64-linux-avx-avx2-avx512-avx512_skylake-f16c-fma-sse41"
POSE = "conv2d_transpose channels_last n1 i32x32 c256 o256 k4x4 s2x2 d1x1 crop1x1 out64x64 linear"
VOICE = "conv1d_transpose channels_first n1 i32 c512 o256 k16 s8 d1 crop4 out256 linear"
SCANS = "conv3d_transpose channels_last n2 i8x8x8 c64 o32 g2 k4x4x4 s2x2x2 d1x1x1 crop1x1x1 out16x16x16 relu"
FLOP = {POSE: 2147483648, VOICE: 134217728, SCANS: 268435456}
BYTES = {POSE: 7340032, VOICE: 8781824, SCANS: 5242880}
# What must not end a script, nor become markup.
NASTY = "</script><script>throw 'out'</script><!--<script> \"'&amp; Größe ≠ 0 \\u003c\u2028 \U0001f4a5"
MESSAGES = {
    "failed": "Halide: the bound of panel is not a multiple of 16",
    "crashed": "signal 11 (SIGSEGV)",
    "timed_out": "no answer within 20 s",
    "wrong": "output 1, 3, 17 differs by 0.25",
}


def schedule(draw):
    if draw.random() < 0.35:
        return (f"direct columns={draw.choice((16, 32, 48))} rows={draw.choice(('4', '6', '8,7'))} lanes=16 "
                f"block={draw.choice((262144, 1048576, 2097152))} read={draw.choice(('plain', 'packed'))}")
    return (f"winograd panel={draw.choice((8, 16, 32, 64))} columns={draw.choice((16, 32, 48))} lanes=16 "
            f"rows={draw.choice(('4', '6', '8,7'))} outputs={draw.choice(('2x2', '3x3', '4x4'))} "
            f"block={draw.choice((262144, 1048576, 2097152))}")


def cost(text):
    """What makes one schedule faster than another, so that a parameter has an effect."""
    factor = 1.0 if text.startswith("winograd") else 1.45
    factor *= {"16": 1.35, "32": 1.0, "48": 1.12}[text.split("columns=")[1].split()[0]]
    factor *= {"4": 1.3, "6": 1.08, "8,7": 1.0}[text.split("rows=")[1].split()[0]]
    factor *= {"262144": 1.15, "1048576": 1.03, "2097152": 1.0}[text.split("block=")[1].split()[0]]
    return factor * {"outputs=2x2": 1.2, "outputs=4x4": 1.05}.get(text.split()[-2], 1.0)


def entry(layer, threads, strategy, text, outcome, number, **more):
    line = {"layer": layer, "target": TARGET, "processor": "amd-26-2", "threads": threads, "strategy": strategy,
            "schedule": text, "outcome": outcome, "flop": FLOP[layer], "bytes": BYTES[layer],
            "peak_gflops": 243.125 * threads, "bandwidth_gbs": 31.25, "seconds": 1.5,
            "time": f"2026-11-21T13:{number // 60 % 60:02}:{number % 60:02}Z"}
    return line | more


def times(ms, draw):
    return {"minimum_ms": ms, "median_ms": ms * (1.02 + 0.1 * draw.random()), "runs": draw.randint(8, 60),
            "largest_error": draw.choice((0, 9.5e-7, 2.384e-6)), "code_bytes": draw.randint(9000, 90000)}


def search(layer, threads, count=60, seed=1, baselines=True):
    """The lines of one search. Its first lines are `start`; a tenth of the candidates has no time."""
    draw = random.Random(seed)
    base = FLOP[layer] / 230e6 / threads
    lines = []

    def add(strategy, text, ms, **more):
        outcome = draw.choice(list(MESSAGES)) if strategy != "start" and draw.random() < 0.1 else "measured"
        about = times(ms, draw) if outcome == "measured" else {"message": MESSAGES[outcome]}
        lines.append(entry(layer, threads, strategy, text, outcome, len(lines), **about, **more,
                           seconds=round(draw.uniform(0.4, 3.0), 3)))

    add("start", "winograd panel=32 columns=32 lanes=16 rows=6 outputs=2x2 block=1048576", 1.3 * base, model_ms=base)
    for strategy, part in (("database", 0.05), ("model", 0.9), ("prior_neighbour", 0.05)):
        for _ in range(max(1, round(part * count))):
            text = schedule(draw)
            add(strategy, text, base * cost(text) * draw.uniform(0.97, 1.2), model_ms=base * cost(text))
    if baselines:
        for _ in range(count):
            text = schedule(draw)
            add("random", text, 1.3 * base * cost(text) * draw.uniform(1.0, 1.6))
        for strategy, tried, slower in (("adams2019", 12, 2.2), ("li2018", 1, 9.0), ("mullapudi2016", 1, 4.0),
                                        ("anderson2021", 5, 3.0)):
            for index in range(tried):
                add(strategy, f"{strategy} seed={index}", slower * base * draw.uniform(1.0, 1.5))
    return lines


def text(lines):
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
