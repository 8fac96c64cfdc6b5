"""Puts bench/ on the path, and keeps the path of tconvc that CMake gives each test."""

import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench"
sys.path.insert(0, str(BENCH))
sys.dont_write_bytecode = True
TCONVC = None


def main():
    global TCONVC
    TCONVC = sys.argv.pop(1)
    # The test's module imports this one by its name, where it finds the path.
    unittest.main(module="__main__", verbosity=2)
