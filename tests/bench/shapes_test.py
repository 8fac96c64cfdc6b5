"""Shapes from lines, from layers' files and back to a layer's file, and what follows from their sizes.

    shapes_test.py TCONVC
"""

import pathlib
import subprocess
import tempfile
import unittest

import support
import limits
import shapes

POSE = "pose 2 1 32 256 256 4 2 1 0"
GROUPED = "odd 3 2 4x5x6 8 12 3x1x2 2x1x3 1x0x0 1x0x2 2x1x1 4"


class Lines(unittest.TestCase):
    def test_one_size_serves_all_dimensions(self):
        shape = shapes.parse_line(POSE)
        self.assertEqual((shape.size, shape.kernel, shape.out), ((32, 32), (4, 4), (64, 64)))
        self.assertEqual((shape.crop, shape.crop_end, shape.output_padding), ((1, 1), (1, 1), (0, 0)))
        self.assertEqual(shape.flops, 2 * 32 * 32 * 16 * 256 * 256)
        self.assertEqual((shape.bytes_read, shape.bytes_written), (4 * (32 * 32 * 256 + 16 * 65536), 4 * 64 * 64 * 256))

    def test_sizes_for_each_dimension_dilation_and_groups(self):
        shape = shapes.parse_line(GROUPED)
        self.assertEqual(shape.out, (10, 5, 19))
        self.assertEqual(shape.output_padding, (1, 0, 2))
        self.assertEqual(shape.kernel_shape, (8, 3, 3, 1, 2))
        self.assertEqual(shape.flops, 2 * 2 * 120 * 6 * 8 * 3)

    def test_json_and_back(self):
        shape = shapes.parse_line(GROUPED)
        self.assertEqual(shapes.Shape.from_json(shape.to_json()), shape)

    def test_what_is_refused_and_with_which_words(self):
        for line, words in (("a 2 1 8", "4 fields"), ("a 4 1 8 4 4 3 1 0 0", "rank 4"),
                            ("a 2 1 8x8x8 4 4 3 1 0 0", "8x8x8"), ("a 2 1 8 4 4 0 1 0 0", "'0'"),
                            ("a 2 1 8 4 6 3 1 0 0 1 4", "4 groups do not divide"), ("a-b 2 1 8 4 4 3 1 0 0", "a-b"),
                            ("a 2 1 1 4 4 2 1 1 0", "empty"), ("a 2 1 -8 4 4 3 1 0 0", "-8")):
            with self.assertRaisesRegex(shapes.ShapeError, words):
                shapes.parse_line(line)


class Files(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def test_the_layers_are_the_lines(self):
        """Each of bench/layers is what its line in shapes.txt says."""
        for shape in shapes.read_text(support.BENCH / "shapes.txt"):
            with self.subTest(shape.name):
                self.assertEqual(shapes.read_layer(support.BENCH / f"layers/{shape.name}.json", support.TCONVC), shape)

    def test_a_shape_survives_tconvc(self):
        """The layer file that is written for a shape means that shape, in both layouts."""
        for line in (POSE, GROUPED, "one 1 3 7 5 6 4 3 1 2", "short 2 1 5 4 4 1x2 3 0 2x1"):
            shape = shapes.parse_line(line)
            for layout in ("channels_last", "channels_first"):
                path = self.directory / f"{shape.name}.json"
                path.write_text(shapes.onnx_layer(shape, layout))
                with self.subTest(line=line, layout=layout):
                    self.assertEqual(shapes.read_layer(path, support.TCONVC), shape)
                    key = subprocess.run([support.TCONVC, "explain", path], capture_output=True, text=True).stdout
                    self.assertIn(layout, key)

    def test_the_command_line_takes_names_and_files(self):
        lines = self.directory / "mine.txt"
        lines.write_text(f"# a comment\n\n{GROUPED}  # another\n")
        layer = support.BENCH / "layers/selfie.json"
        chosen = shapes.select(["pose_32", str(lines), str(layer)], support.BENCH / "shapes.txt", support.TCONVC)
        self.assertEqual([shape.name for shape in chosen], ["pose_32", "odd", "selfie"])
        self.assertEqual(len(shapes.select([], support.BENCH / "shapes.txt", support.TCONVC)), 16)

    def test_what_the_command_line_refuses(self):
        bad = self.directory / "bad.txt"
        bad.write_text(f"{POSE}\nrest\n")
        broken = self.directory / "broken.json"
        broken.write_text("{}")
        for words, message in ((["nothing"], "'nothing' is neither"), ([str(bad)], "bad.txt:2: "),
                               (["pose_32", "pose_32"], "twice: pose_32"), ([str(broken)], "broken.json")):
            with self.assertRaisesRegex(shapes.ShapeError, message):
                shapes.select(words, support.BENCH / "shapes.txt", support.TCONVC)

    def test_a_layer_with_an_open_size(self):
        path = self.directory / "open.json"
        path.write_text(shapes.onnx_layer(shapes.parse_line(POSE), "channels_last").replace("32", "null", 1))
        with self.assertRaisesRegex(shapes.ShapeError, "leaves sizes open"):
            shapes.read_layer(path, support.TCONVC)


class Limits(unittest.TestCase):
    machine = {"cache_bytes": 32 << 20, "cache_sharers": 2, "peak_gflops": {"1": 100.0, "2": 200.0},
               "read_gbs": {"1": 8.0, "2": 10.0}, "write_gbs": {"1": 4.0, "2": 5.0}}

    def test_in_the_cache_the_peak_is_the_limit(self):
        self.assertEqual(limits.limit_gflops(shapes.parse_line(POSE), self.machine, 1), 100)
        self.assertEqual(limits.cache_share(self.machine, 1), 16 << 20)
        self.assertEqual(limits.cache_share(self.machine, 8), 32 << 20)

    def test_beyond_it_memory_may_be(self):
        thin = shapes.parse_line("thin 2 1 1024 4 4 2 2 0 0")
        seconds = (4 * (1024 * 1024 * 4 + 64) / 8 + 4 * 2048 * 2048 * 4 / 4) * 1e-9
        self.assertAlmostEqual(limits.limit_gflops(thin, self.machine, 1), thin.flops / seconds * 1e-9)
        thick = shapes.parse_line("thick 2 1 256 512 512 4 2 1 0")
        self.assertEqual(limits.limit_gflops(thick, self.machine, 2), 200)

    def test_intensity_counts_each_byte_once(self):
        self.assertAlmostEqual(limits.intensity(shapes.parse_line("one 1 1 4 1 1 1 1 0 0")), 8 / 36)


if __name__ == "__main__":
    support.main()
