"""Winograd's and Strassen's methods against the direct sum and the definition in double: what tconv/winograd.h and
tconv/strassen.h say of their rounding.

    accuracy_test.py TCONVC
"""

import math
import pathlib
import random
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.arrays import read_npy, write_npy
from support.tconvc import TconvcTest, keras_layer, main

CHANNELS, FILTERS = 128, 64
SAMPLES = 400


def taps_of(position, kernel, stride, size):
    """(tap, input) pairs that meet in one output position of one dimension, with padding `same`."""
    crop = max(kernel - stride, 0) // 2
    for tap in range(kernel):
        at = position + crop - tap
        if at % stride == 0 and 0 <= at // stride < size:
            yield tap, at // stride


class Accuracy(TconvcTest):
    def run_layer(self, *options):
        output = self.directory / "output.npy"
        self.succeeds("run", self.directory / "layer.json", "--input", self.directory / "input.npy", "--kernel",
                      self.directory / "kernel.npy", "--output", output, *options)
        return read_npy(output)[1]

    def errors(self, size, kernel, stride, filters=FILTERS, schedule=None):
        """Root mean square errors of the chosen method and of the exact one, over a sample; and the method."""
        options = ("--schedule", schedule) if schedule else ("--rules",)
        draw = random.Random(1)
        inputs = [draw.uniform(-1, 1) for _ in range(size * size * CHANNELS)]
        weights = [draw.uniform(-1, 1) for _ in range(kernel * kernel * filters * CHANNELS)]
        write_npy(self.directory / "input.npy", [1, size, size, CHANNELS], inputs)
        write_npy(self.directory / "kernel.npy", [kernel, kernel, filters, CHANNELS], weights)
        inputs, weights = (read_npy(self.directory / name)[1] for name in ("input.npy", "kernel.npy"))
        layer = keras_layer(kernel_size=[kernel] * 2, strides=[stride] * 2, filters=filters, use_bias=False,
                            input_shape=[1, size, size, CHANNELS])
        method = self.succeeds("explain", self.file("layer.json", layer), *options)
        results = [self.run_layer(*options), self.run_layer("--rules", "--exact")]
        sums = [0.0, 0.0]
        for _ in range(SAMPLES):
            y, x, f = draw.randrange(size * stride), draw.randrange(size * stride), draw.randrange(filters)
            wanted = 0.0
            for ty, iy in taps_of(y, kernel, stride, size):
                for tx, ix in taps_of(x, kernel, stride, size):
                    i, w = (iy * size + ix) * CHANNELS, ((ty * kernel + tx) * filters + f) * CHANNELS
                    wanted += math.fsum(a * b for a, b in zip(inputs[i:i + CHANNELS], weights[w:w + CHANNELS]))
            for k, result in enumerate(results):
                sums[k] += (result[(y * size * stride + x) * filters + f] - wanted)**2
        return math.sqrt(sums[0] / SAMPLES), math.sqrt(sums[1] / SAMPLES), method

    def test_two_taps_a_phase(self):
        for size in (16, 18):
            winograd, direct, method = self.errors(size, 4, 2)
            self.assertRegex(method, r"method: winograd; F\([2-7], 2\)( apart)? x")
            longest = max(int(outputs) for outputs in re.findall(r"F\((\d), 2\)", method))
            most = {2: 2, 3: 2, 4: 3}.get(longest, 6)
            self.assertLess(winograd, most * direct)
            self.assertGreater(winograd, 0)

    def test_more_taps(self):
        for size, kernel, stride, most in ((16, 3, 1, 4), (16, 8, 2, 6), (16, 5, 1, 8), (12, 6, 1, 6), (12, 7, 1, 6)):
            winograd, direct, method = self.errors(size, kernel, stride)
            self.assertRegex(method, rf"method: winograd; F\([2-6], {kernel // stride}\)( apart)? x")
            self.assertLess(winograd, most * direct)
            self.assertGreater(winograd, 0)

    def test_merged_phases(self):
        # Beside lane sums, whose partial sums are shorter than direct's.
        for kernel, stride, filters, most in ((4, 2, 3, 4), (9, 3, 1, 12)):
            winograd, direct, method = self.errors(32, kernel, stride, filters)
            self.assertRegex(method, r"method: winograd; F\([234], [23]\) x F\([234], [23]\), phases merged,")
            self.assertLess(winograd, most * direct)
            self.assertGreater(winograd, 0)

    def test_long_tiles(self):
        for kernel, stride, outputs, most in ((4, 2, 5, 3), (4, 2, 6, 4), (4, 2, 7, 5), (3, 1, 5, 4), (3, 1, 6, 4)):
            schedule = f"winograd panel=16 columns=16 lanes=4 rows=3 outputs=1x2x{outputs} block=262144"
            winograd, direct, method = self.errors(16, kernel, stride, schedule=schedule)
            self.assertIn("method: winograd", method)
            self.assertLess(winograd, most * direct)
            self.assertGreater(winograd, direct)

    def test_strassens_products(self):
        for outputs, most in (("1x1x2", 2), ("1x2x1", 2), ("1x2x2", 3)):
            schedule = f"strassen panel=16 columns=16 lanes=4 rows=3 outputs={outputs} block=262144"
            strassen, direct, method = self.errors(16, 2, 2, schedule=schedule)
            self.assertIn("method: strassen", method)
            self.assertLess(strassen, most * direct)
            self.assertGreater(strassen, 0)


if __name__ == "__main__":
    main()
