"""tconvc run and bench: right numbers for every dialect, kernel, number of threads and target; and what they refuse.

    run_test.py TCONVC
"""

import itertools
import json
import math
import operator
import pathlib
import random
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.arrays import Golden, differences, npy_bytes, read_npy, write_npy
from support.tconvc import TconvcTest, keras_layer, main

QEMU = shutil.which("qemu-aarch64")
CROSS = shutil.which("aarch64-linux-gnu-gcc")


def pick(framework, wanted):
    golden = Golden(framework)
    return golden, next(case for case in golden.cases if wanted(case))


def rank_two(case):
    return len(case["input_shape"]) == 4 and len(case["layer"]["build_config"]["input_shape"]) == 4


class Run(TconvcTest):
    def gives(self, golden, case, *options, change=None):
        """tconvc run, with these options, gives what the framework gave."""
        arguments = golden.write(case, self.directory)
        if change:
            layer = json.loads(json.dumps(case["layer"]))
            change(layer)
            arguments[0] = self.file("changed.json", layer)
        output = self.directory / "output.npy"
        self.assertEqual(self.succeeds("run", *arguments, "--output", output, *options), "")
        self.assertIsNone(differences(read_npy(output), golden.array(case, "output")), case["name"])

    def test_general_kernels_in_every_dialect(self):
        for framework in ("keras_jax", "torch", "onnxruntime", "litert"):
            golden = Golden(framework)
            for case in golden.cases[3::20]:
                with self.subTest(case["name"]):
                    self.gives(golden, case, "--general")

    def test_threads(self):
        golden, case = pick("torch", rank_two)
        for threads in (1, 2, 7):
            self.gives(golden, case, "--threads", threads)

    def test_sizes_that_are_null(self):
        def open_all(layer):
            layer["build_config"]["input_shape"][:3] = [None] * 3

        def keeps_channels_last(case):
            return rank_two(case) and case["layer"]["config"]["data_format"] == "channels_last"

        golden, case = pick("keras_jax", keeps_channels_last)
        self.gives(golden, case, change=open_all)
        self.gives(golden, case, "--general", change=open_all)

    def paths_here(self):
        return [line.split()[0] for line in self.succeeds("targets").splitlines() if line.endswith("runs here")]

    def lanes_here(self):
        return {path: 16 if "avx512" in path else 8 if "avx2" in path else 4 for path in self.paths_here()}

    def test_every_path_of_this_machine(self):
        golden, case = pick("keras_jax", lambda c: rank_two(c) and c["bias_shape"])
        paths = self.paths_here()
        self.assertGreater(len(paths), 0)
        for path in paths:
            self.gives(golden, case, "--target", path)

    @unittest.skipUnless(QEMU and CROSS, "missing: apt install qemu-user gcc-aarch64-linux-gnu")
    def test_arm_under_qemu(self):
        golden, case = pick("onnxruntime", rank_two)
        self.gives(golden, case, "--target", "arm-64-linux")
        self.gives(golden, case, "--target", "arm-64-linux", "--general")

    def test_positions_that_are_transposed_as_they_are_read(self):
        """Kernel as wide as the stride, few filters, channels last: blocks of channels x a vector of positions."""
        lanes = self.lanes_here()
        if QEMU and CROSS:
            lanes["arm-64-linux"] = 4
        for path, most in lanes.items():
            for rank, filters, stride, channels, size in ((2, 1, 2, 32, [3, 37]), (1, 2, 4, 12, [most]),
                                                          (3, 1, 2, 16, [2, 1, 2 * most])):
                activation = "tanh" if rank == 1 else "linear"
                layer = keras_layer(rank, filters=filters, kernel_size=[stride] * rank, strides=[stride] * rank,
                                    activation=activation, input_shape=[2, *size, channels])
                columns = filters * stride**rank
                for width, read in {(most, 4), (most, most), (max(most // 2, 4), 4)}:
                    if channels % read != 0:
                        continue
                    vectors = 2 if rank == 2 and read == 4 else 1
                    schedule = (f"pixel_shuffle panel={columns} columns={columns} lanes={width} "
                                f"tile=1x1x{vectors * width} dense=1 read={read} block=1024")
                    with self.subTest(path=path, schedule=schedule):
                        self.shuffles_pixels(layer, size, channels, filters, stride, "--target", path, "--schedule",
                                             schedule)

    def test_panels_of_three_vectors(self):
        """As the rules choose them where registers are few, and with a last one in part."""
        for path, lanes in self.lanes_here().items():
            three = f"pixel_shuffle panel={3 * lanes} columns={3 * lanes} lanes={lanes} tile=1x1x4 block=1024"
            for filters, options in ((48, ["--rules"]), (40, ["--schedule", three])):
                layer = keras_layer(2, filters=filters, kernel_size=[2, 2], strides=[2, 2], input_shape=[2, 3, 16, 8])
                with self.subTest(path=path, filters=filters):
                    self.shuffles_pixels(layer, [3, 16], 8, filters, 2, "--target", path, *options)

    def test_input_channels_that_are_unrolled(self):
        """Where what is unrolled does not divide them; tiles of several rows, panels of four vectors."""
        channels = 10
        for path, lanes in self.lanes_here().items():
            four = f"pixel_shuffle panel={4 * lanes} columns={4 * lanes} lanes={lanes} tile=1x3x1 unroll=4 block=1024"
            tiles = f"winograd panel={lanes} columns={lanes} lanes={lanes} unroll=4 rows=3 outputs=1x2x3 block=4096"
            filters = 4 * lanes - 3
            layer = keras_layer(2, filters=filters, kernel_size=[2, 2], strides=[2, 2],
                                input_shape=[2, 4, 5, channels])
            with self.subTest(path=path, schedule=four):
                self.shuffles_pixels(layer, [4, 5], channels, filters, 2, "--target", path, "--schedule", four)
            layer = self.file("layer.json", keras_layer(2, filters=5, input_shape=[1, 7, 6, channels]))
            with self.subTest(path=path, schedule=tiles):
                self.checks_itself(layer, path, tiles, threads=1)

    def test_long_tiles(self):
        """Of Winograd's method: five to seven outputs in one dimension, of phases of two to four taps, shared or apart,
        in all of the image, in a part of one tile and with rests."""
        for path, lanes in self.lanes_here().items():
            for index, (size, kernel, stride, outputs) in enumerate((
                    ([23], 4, 2, "outputs=1x1x7"), ([4], 6, 3, "outputs=1x1x6 own=0x0x6"),
                    ([31], 3, 1, "outputs=1x1x6"), ([9], 16, 4, "outputs=1x1x5"),
                    ([5, 17], 4, 2, "outputs=1x3x7"), ([13, 2], 5, 2, "outputs=1x6x2 own=0x7x3"))):
                rank = len(size)
                layer = self.file("layer.json", keras_layer(rank, filters=lanes + 3, kernel_size=[kernel] * rank,
                                                            strides=[stride] * rank, input_shape=[2, *size, 5]))
                tiles = f"winograd panel={2 * lanes} columns={lanes} lanes={lanes} rows=3 {outputs} block=4096"
                with self.subTest(path=path, schedule=tiles):
                    self.checks_itself(layer, path, tiles, threads=1 + index % 2)

    def test_strassens_products(self):
        """One and two dimensions in pairs, of each rank; sizes that pairs, vectors and register tiles do not divide. All
        of them on the first path, a third on each of the others."""
        for turn, (path, lanes) in enumerate(self.lanes_here().items()):
            for index, (size, channels, filters, stride, outputs) in enumerate((
                    ([5], 8, 5, [2], "1x1x2"), ([1], 2, 1, [2], "1x1x2"), ([37], 18, 17, [6], "1x1x2"),
                    ([3, 5], 20, 2 * lanes + 1, [2, 2], "1x2x2"), ([1, 1], 4, 3, [2, 4], "1x2x2"),
                    ([7, 4], 36, 8, [3, 2], "1x1x2"), ([6, 3], 6, 12, [2, 1], "1x2x1"),
                    ([2, 3, 5], 12, 9, [2, 2, 1], "2x2x1"), ([3, 1, 4], 40, lanes, [2, 2, 2], "2x1x2"))):
                if turn > 0 and (index + turn) % 3 != 0:
                    continue
                last, rank = index % 2 == 0, len(size)
                shape = [2, *size, channels] if last else [2, channels, *size]
                layer = self.file("layer.json", keras_layer(
                    rank, filters=filters, kernel_size=stride, strides=stride, activation="relu", padding="valid",
                    data_format="channels_last" if last else "channels_first", input_shape=shape))
                schedule = f"strassen panel={2 * lanes} columns={lanes} lanes={lanes} unroll=2 rows=3 outputs={outputs}"
                schedule += ("" if last else f" transpose=both square={lanes}") + " block=4096"
                with self.subTest(path=path, shape=shape, filters=filters, stride=stride, schedule=schedule):
                    self.checks_itself(layer, path, schedule, threads=2)

    def test_matrix_units(self):
        """Sums of numbers in three bfloat16 parts, as exact as float32 sums, where the processor has AMX."""
        path = next((path for path in self.paths_here() if "sapphirerapids" in path), None)
        if path is None:
            self.skipTest("this processor has no AMX")
        for index, (rank, size, channels, filters, kernel, stride) in enumerate((
                (2, [5, 7], 48, 33, 3, 2), (2, [1, 1], 64, 16, 2, 2), (2, [16, 3], 32, 40, 5, 3),
                (2, [6, 6], 16, 5, 2, 3), (1, [37], 64, 17, 7, 2), (1, [1], 32, 32, 1, 1), (3, [3, 2, 5], 32, 20, 4, 2),
                (3, [2, 3, 3], 80, 32, 3, 2))):
            last = index % 2 == 0
            shape = [2, *size, channels] if last else [2, channels, *size]
            layer = self.file("layer.json", keras_layer(
                rank, filters=filters, kernel_size=[kernel] * rank, strides=[stride] * rank, activation="relu",
                data_format="channels_last" if last else "channels_first", input_shape=shape))
            panel = 32 if filters > 16 else 16
            own = "x".join("1" if d >= 3 - rank and kernel > stride and kernel % stride else "0" for d in range(3))
            schedule = f"bf16x3 panel={panel} columns={panel} lanes=16 rows=32 outputs=1x1x1"
            schedule += "" if own == "0x0x0" else f" own={own}"
            schedule += ("" if last else " transpose=both square=16") + " block=8192"
            with self.subTest(shape=shape, filters=filters, kernel=kernel, stride=stride):
                self.checks_itself(layer, path, schedule, threads=2)

    def checks_itself(self, layer, path, schedule, threads):
        """A program of the layer, which compares its output with the definition in double precision."""
        self.succeeds("compile", layer, "--name", "tiles", "--emit", "program", "--target", path, "--schedule",
                      schedule, "-o", self.directory)
        ran = subprocess.run([self.directory / "tiles_program", str(threads), "0.01"], capture_output=True, text=True)
        self.assertEqual((ran.returncode, json.loads(ran.stdout)["correct"]), (0, True))

    def shuffles_pixels(self, layer, size, channels, filters, stride, *options):
        """tconvc run against the definition in double precision; each output has one tap."""
        draw = random.Random(11)
        rank, images = len(size), 2
        taps = list(itertools.product(range(stride), repeat=rank))
        image = [draw.uniform(-1, 1) for _ in range(images * math.prod(size) * channels)]
        kernel = [draw.uniform(-1, 1) for _ in range(len(taps) * filters * channels)]
        for name, shape, values in (("input", [images, *size, channels], image),
                                    ("kernel", [stride] * rank + [filters, channels], kernel)):
            write_npy(self.directory / f"{name}.npy", shape, values)
        activate = math.tanh if layer["config"]["activation"] == "tanh" else float
        expected = {}
        positions = itertools.product(range(images), *map(range, size))
        for position, at in enumerate(positions):
            pixel = image[position * channels:(position + 1) * channels]
            for (tap, offset), filter in itertools.product(enumerate(taps), range(filters)):
                row = (tap * filters + filter) * channels
                output = (at[0], *(stride * q + t for q, t in zip(at[1:], offset)), filter)
                expected[output] = activate(sum(map(operator.mul, pixel, kernel[row:row + channels])))
        given = self.directory / "given.npy"
        self.succeeds("run", self.file("layer.json", layer), "--kernel", self.directory / "kernel.npy", "--input",
                      self.directory / "input.npy", "--output", given, *options)
        shape, values = read_npy(given)
        self.assertEqual(shape, [images, *(stride * n for n in size), filters])
        at = itertools.product(*map(range, shape))
        self.assertLess(max(abs(value - expected[index]) for index, value in zip(at, values)), 2e-6 * channels)

    def test_an_activation_that_is_fused(self):
        golden, case = pick("torch", rank_two)
        output = self.directory / "output.npy"
        self.succeeds("run", *golden.write(case, self.directory), "--output", output, "--activation", "relu")
        shape, values = golden.array(case, "output")
        self.assertIsNone(differences(read_npy(output), (shape, [max(value, 0) for value in values])))

    def test_batch_normalisation_that_is_folded(self):
        golden, case = pick("litert", lambda c: c["bias_shape"] and c["output_shape"][-1] > 1)
        filters = case["output_shape"][-1]
        gamma, beta, mean, variance = ([0.5 + (i + 3 * k) % 5 / 4 for k in range(filters)] for i in range(4))
        norm = self.file("norm.npy", npy_bytes([4, filters], [*gamma, *beta, *mean, *variance]))
        output = self.directory / "output.npy"
        self.succeeds("run", *golden.write(case, self.directory), "--output", output, "--batchnorm", norm,
                      "--epsilon", 0.25)
        shape, values = golden.array(case, "output")
        wanted = [gamma[k] * (y - mean[k]) / (variance[k] + 0.25) ** 0.5 + beta[k]
                  for k, y in ((i % filters, y) for i, y in enumerate(values))]
        self.assertIsNone(differences(read_npy(output), (shape, wanted), tolerance=3e-5))

    def test_an_output_without_elements(self):
        layer = self.file("layer.json", keras_layer(input_shape=[0, 5, 5, 4]))
        kernel = self.file("kernel.npy", npy_bytes([4, 4, 3, 4], [1] * 192))
        empty = self.file("input.npy", npy_bytes([0, 5, 5, 4], []))
        for options in ([], ["--general"]):
            self.succeeds("run", layer, "--kernel", kernel, "--input", empty, "--output", self.out, *options)
            self.assertEqual(read_npy(self.out)[0], [0, 10, 10, 3])


class RunRefuses(TconvcTest):
    def refuses(self, pattern, *options, shape=(1, 5, 5, 4), values=None):
        layer = self.file("layer.json", keras_layer())
        kernel = self.file("kernel.npy", npy_bytes([4, 4, 3, 4], [1] * 192))
        count = 1
        for size in shape:
            count *= size
        array = self.file("input.npy", npy_bytes(shape, [1] * count if values is None else values))
        output = self.directory / "output.npy"
        options = options if "--output" in options else [*options, "--output", output]
        self.fails(pattern, "run", layer, "--kernel", kernel, "--input", array, *options)

    def test_an_input_that_does_not_fit(self):
        self.refuses("has 3 channels, the layer takes 4", shape=(1, 5, 5, 3))
        self.refuses("has 3 dimensions, the layer takes 4", shape=(5, 5, 4))
        self.refuses("size 1 is 6, input_shape says 5", shape=(1, 6, 5, 4))
        self.refuses("takes 400 bytes of data, and there are 4", values=[1])

    def test_an_output_that_cannot_be_written(self):
        self.refuses("file/output.npy", "--output", self.file("file", "") / "output.npy")

    def test_targets_that_do_not_run_here(self):
        self.refuses("does not run x86-64-windows", "--target", "x86-64-windows")
        self.refuses("does not run arm-64-ios", "--target", "arm-64-ios")
        self.refuses("CUDA", "--target", "x86-64-linux-cuda-cuda_capability_70")
        self.refuses("unknown target", "--target", "x86-64-lunix")

    def test_threads_out_of_range(self):
        self.refuses("--threads", "--threads", 0)
        self.refuses("--threads", "--threads", "many")


class Bench(TconvcTest):
    def bench(self, *options):
        layer = self.file("layer.json", keras_layer(filters=16, input_shape=[1, 16, 16, 32]))
        return self.succeeds("bench", layer, "--seconds", 0.05, *options)

    def test_the_figures_agree_with_each_other(self):
        for kernel, options in (("specialised", []), ("general", ["--general"])):
            report = json.loads(self.bench("--json", "--threads", 2, *options))
            self.assertEqual((report["kernel"], report["threads"]), (kernel, 2))
            self.assertIn(report["method"],
                          ("direct", "pixel_shuffle", "phase_rows", "depthwise", "lane_sums", "winograd"))
            self.assertGreaterEqual(report["median_ms"], report["minimum_ms"])
            self.assertGreater(report["minimum_ms"], 0)
            # Each of the 16 x 16 x 32 inputs meets 4 x 4 taps of 16 filters; two operations each.
            gflop = 2e-9 * 16 * 16 * 32 * 16 * 16
            self.assertAlmostEqual(report["gflops"] / (gflop / report["median_ms"] * 1e3), 1, places=3)
            self.assertAlmostEqual(report["share_of_peak"], report["gflops"] / report["peak_gflops"], places=6)
            self.assertLess(report["share_of_peak"], 1.2)
            self.assertGreater(report["peak_gflops"], 5)

    def test_for_people(self):
        self.assertRegex(self.bench(), r"median .* ms, minimum .* ms[\s\S]*GFLOP/s, .* % of")

    def test_sizes_have_to_be_given(self):
        self.fails("null", "bench", self.file("layer.json", keras_layer(input_shape=[1, None, 5, 4])))


if __name__ == "__main__":
    main()
