"""Runs tconvc for a test, in a directory of the test's own, and watches that a failure leaves nothing behind."""

import json
import pathlib
import subprocess
import tempfile
import unittest

TCONVC = None  # set by main()


def main():
    """The test's main program: unittest's, after taking the path of tconvc from the first argument."""
    import sys
    global TCONVC
    TCONVC = sys.argv.pop(1)
    unittest.main(module="__main__", verbosity=2)


def keras_layer(rank=2, name="up", build=True, input_shape=None, **changes):
    """What keras.layers.serialize() writes, its initialisers left out."""
    config = {"name": name, "trainable": True, "filters": 3, "kernel_size": [4] * rank, "strides": [2] * rank,
              "padding": "same", "output_padding": None, "data_format": "channels_last", "dilation_rate": [1] * rank,
              "groups": 1, "activation": "linear", "use_bias": True}
    config |= changes
    layer = {"module": "keras.layers", "class_name": f"Conv{rank}DTranspose", "config": config}
    if build:
        layer["build_config"] = {"input_shape": input_shape or [1] + [5] * rank + [4]}
    return layer


class TconvcTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.out = self.directory / "out"

    def file(self, name, content):
        """Writes bytes, a text, or anything else as JSON."""
        path = self.directory / name
        if not isinstance(content, (bytes, str)):
            content = json.dumps(content)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def tconvc(self, *arguments):
        return subprocess.run([TCONVC, *map(str, arguments)], capture_output=True, text=True, cwd=self.directory)

    def succeeds(self, *arguments):
        """The standard output."""
        process = self.tconvc(*arguments)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(process.stderr, "")
        return process.stdout

    def fails(self, pattern, *arguments):
        """One line on standard error that matches, nothing else said, and no file made, moved or left half-written."""
        before = self.listing()
        process = self.tconvc(*arguments)
        self.assertGreater(process.returncode, 0, f"{arguments} succeeded or crashed ({process.returncode})")
        self.assertEqual(process.stdout, "")
        self.assertEqual(process.stderr.count("\n"), 1, process.stderr)
        self.assertTrue(process.stderr.startswith("tconvc: "), process.stderr)
        self.assertLess(len(process.stderr), 600)
        self.assertRegex(process.stderr, pattern)
        self.assertEqual(self.listing(), before)
        return process.stderr

    def listing(self):
        return sorted((str(path), path.stat().st_mtime_ns) for path in self.directory.rglob("*") if path.is_file())
