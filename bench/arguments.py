"""The command line of `./bootstrap bench`. Run by itself it only checks that, before anything is installed: it imports
nothing that has to be."""

import argparse
import os
import pathlib

from entries import ENTRIES, LAYOUTS

BENCH = pathlib.Path(__file__).resolve().parent


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./bootstrap bench", description="Measures tconv and other libraries "
                                     "alternately, and writes results.json, table.md, bars.png and roofline.png.")
    parser.add_argument("shapes", nargs="*", metavar="SHAPE-OR-FILE", help="a name in bench/shapes.txt, a layer's "
                        ".json, or a file of lines as in bench/shapes.txt (default: all of that file)")
    parser.add_argument("--threads", type=int, default=1, help="threads of every peer (default: 1)")
    parser.add_argument("--layout", choices=LAYOUTS, default=LAYOUTS[0], help="channels_last compares with every peer "
                        "in the layout it likes best; channels_first with those that have that layout at their door")
    parser.add_argument("--peers", type=lambda text: text.split(","), help="those alone, separated by commas; "
                        f"tconv_avx2 only if asked for (of: {', '.join(ENTRIES)})")
    parser.add_argument("--seconds", type=float, default=1, help="for each peer and layer (default: 1)")
    parser.add_argument("-o", "--output", type=pathlib.Path, default=BENCH.parent / "build/bench",
                        help="the directory to write (default: build/bench)")
    parser.add_argument("--tconvc", type=pathlib.Path, default=BENCH.parent / "build/bin/tconvc",
                        help="the compiler (default: build/bin/tconvc)")
    arguments = parser.parse_args()
    if not 1 <= arguments.threads <= (os.cpu_count() or 1):
        parser.error(f"--threads {arguments.threads}: this machine has {os.cpu_count()}")
    unknown = [name for name in arguments.peers or () if name not in ENTRIES]
    if unknown:
        parser.error(f"--peers {','.join(unknown)}: not one of {', '.join(ENTRIES)}")
    if not 0 < arguments.seconds <= 600:
        parser.error(f"--seconds {arguments.seconds}: not in (0, 600]")
    return arguments


def choose_peers(names, layout):
    wanted = names or [name for name, entry in ENTRIES.items() if entry.default]
    return [name for name in wanted if layout in ENTRIES[name].layouts]


if __name__ == "__main__":
    parse_arguments()
