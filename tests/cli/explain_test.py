"""tconvc explain, targets, help and version.

    explain_test.py TCONVC
"""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.tconvc import TconvcTest, keras_layer, main

# Processors whose third level is near their cores, and far.
ZEN_5, XEON = "amd-26-2", "intel-6-167"

VERBS = ("compile", "run", "explain", "bench", "tune", "targets", "general", "report")


class Explain(TconvcTest):
    def explain(self, *options, processor=ZEN_5, **changes):
        """By the rules alone: what ships in the database is measured anew now and then. For the caches that the rules
        were made on first, whatever this machine has."""
        return self.succeeds("explain", self.file("layer.json", keras_layer(**changes)), "--rules", "--processor",
                             processor, *options)

    def test_geometry_and_phases(self):
        text = self.explain()
        self.assertIn("conv2d_transpose channels_last n1 i5x5 c4 o3 k4x4 s2x2 d1x1 crop1x1 out10x10 linear", text)
        for dimension in (0, 1):
            self.assertIn(f"dimension {dimension}: input 5, kernel 4, stride 2, dilation 1, crop 1, output 10", text)
        # Output 2q is the sum of taps 3 and 1 on inputs q - 1 and q, output 2q + 1 of 2 and 0 on q and q + 1.
        self.assertEqual(text.count("phase 0: taps 3 1 on inputs q-1..q+0, 5 outputs"), 2)
        self.assertEqual(text.count("phase 1: taps 2 0 on inputs q+0..q+1, 5 outputs"), 2)

    def test_phases_without_taps(self):
        text = self.explain(kernel_size=[1, 4], strides=[3, 2])
        self.assertIn("no taps", text)

    def test_work_method_and_workspace(self):
        text = self.explain()
        # 5 x 5 x 4 inputs, 4 x 4 taps, 3 filters.
        self.assertIn(f"multiply-adds: {5 * 5 * 4 * 4 * 4 * 3}", text)
        self.assertIn(f"input {5 * 5 * 4 * 4}, ", text)
        self.assertIn(f"output {10 * 10 * 3 * 4}", text)
        for word in ("method: ", "schedule: ", "workspace "):
            self.assertIn(word, text)

    def test_winograd_where_the_model_expects_it_to_be_faster(self):
        wide = {"filters": 256, "input_shape": [1, 32, 32, 256]}
        target = ("--target", "x86-64-linux-avx512_skylake")
        self.assertIn("method: winograd; F(4, 2) apart x F(4, 2) apart should be 2.", self.explain(*target, **wide))
        self.assertIn("(F(4, 2) and F(1, 1)) x (F(4, 2) and F(1, 1)) should",
                      self.explain(*target, kernel_size=[3, 3], **wide))
        exact = self.explain("--exact", **wide)
        self.assertIn("method: direct;", exact)
        self.assertNotIn("winograd", exact)
        narrow = self.explain(filters=16, input_shape=[1, 32, 32, 4])
        self.assertRegex(narrow, r"method: direct;.*; not winograd: .* should be \d\.\d+ times as fast")

    def test_few_channels_are_computed_over_positions(self):
        text = self.explain("--target", "x86-64-linux-avx512_skylake", filters=2, input_shape=[1, 64, 64, 12])
        self.assertIn("transposed, to be computed as channels first", text)

    def test_few_outputs_of_many_inputs_are_lane_sums_or_have_their_phases_merged(self):
        few = {"filters": 3, "input_shape": [1, 32, 32, 64]}
        for target in ("x86-64-linux-avx512_skylake", "x86-64-linux-avx2-fma-f16c"):
            text = self.explain("--target", target, **few)
            self.assertRegex(text, r"method: winograd; F\([234], 2\) x F\([234], 2\), phases merged, should be 1\.")
            self.assertIn("merge=1 dense=1", text)
            exact = self.explain("--target", target, "--exact", **few)
            self.assertIn("method: lane_sums; 3 output channels of 64 input channels each", exact)
        text = self.explain("--target", "x86-64-linux-avx512_skylake", filters=1, data_format="channels_first",
                            input_shape=[1, 64, 12, 12])
        self.assertIn("method: lane_sums; 1 output channels of 64 input channels each", text)
        self.assertIn(" transpose=input ", text)

    def test_few_outputs_with_channels_first_are_planes(self):
        few = {"filters": 3, "data_format": "channels_first", "input_shape": [1, 64, 32, 32]}
        text = self.explain("--target", "x86-64-linux-avx512_skylake", "--exact", **few)
        self.assertIn("method: planes; 4 phases of 3 of 3 filters share one register tile, vectors run over positions",
                      text)
        self.assertIn("  planes panel=12 columns=12 lanes=16 tile=", text)
        self.assertRegex(text, r"million cycles an image expected, 0\.[5-9]\d of the multiply-add peak")
        last = self.explain("--target", "x86-64-linux-avx512_skylake", "--exact", filters=3,
                            input_shape=[1, 32, 32, 64])
        self.assertNotIn("planes", last)

    def test_the_taps_over_one_input_are_phases(self):
        text = self.explain(filters=512, strides=[1, 2], padding="valid", input_shape=[1, 1, 7, 100])
        self.assertIn("dimension 0: input 1, kernel 4, stride 1, dilation 1, crop 0, output 4; one input makes no stride: "
                      "each tap is a phase\n  phase 0: taps 0 on inputs q+0..q+0, 1 outputs\n", text)
        self.assertIn("dimension 1: input 7, kernel 4, stride 2, dilation 1, crop 0, output 16\n", text)

    def test_outputs_that_fill_no_vectors_share_them_along_a_row(self):
        layer = {"filters": 21, "kernel_size": [16, 16], "strides": [8, 8], "input_shape": [1, 32, 32, 21]}
        for target, panel in (("x86-64-linux-avx512_skylake", 48), ("x86-64-linux-avx2-fma-f16c", 24)):
            self.assertIn("phases merged, should be 1.", self.explain("--rules", "--target", target, **layer))
            text = self.explain("--rules", "--exact", "--target", target, **layer)
            self.assertIn(f"method: phase_rows; 4 phases of a row x 21 output channels, one after the other, in panels "
                          f"of {panel}: ", text)
            self.assertIn(f"  phase_rows panel={panel} columns={panel} lanes={panel // 3} ", text)

    def test_three_vectors_a_panel_where_registers_are_few(self):
        wide = {"filters": 48, "input_shape": [1, 16, 16, 64]}
        for target, schedule in (("x86-64-linux-avx2-fma-f16c", "panel=24 columns=24 lanes=8 tile=1x1x4 "),
                                 ("x86-64-linux-sse41", "panel=12 columns=12 lanes=4 tile=1x1x4 ")):
            self.assertIn(f"direct {schedule}", self.explain("--exact", "--target", target, **wide))
        # Rows of 12 are six and six.
        even = wide | {"input_shape": [1, 12, 12, 64], "filters": 32}
        self.assertIn("panel=16 columns=16 lanes=8 tile=1x1x6 ",
                      self.explain("--exact", "--target", "x86-64-linux-avx2-fma-f16c", **even))

    def test_large_weights_have_large_blocks(self):
        for filters, inputs, kernel, block in ((256, 256, 4, 1 << 20), (64, 128, 4, 256 << 10), (256, 512, 2, 256 << 10)):
            text = self.explain("--exact", "--target", "x86-64-linux-avx512_skylake", filters=filters,
                                kernel_size=[kernel] * 2, input_shape=[1, 32, 32, inputs])
            self.assertRegex(text, rf"block={block}\b")

    def test_matrix_units_where_phases_have_one_tap_and_many_channels(self):
        amx = ("--target", "x86-64-linux-avx512_sapphirerapids")
        wide = {"filters": 256, "kernel_size": [2] * 2, "input_shape": [1, 64, 64, 512], "processor": XEON}
        self.assertRegex(self.explain(*amx, **wide), r"method: bf16x3; matrix units should be 1\.\d+ times as fast as")
        for options, layer in ((("--exact",), {}), (("--target", "x86-64-linux-avx512_skylake"), {}),
                               ((), {"input_shape": [1, 64, 64, 500]}), ((), {"filters": 16})):
            self.assertNotIn("method: bf16x3", self.explain(*amx, *options, **{**wide, **layer}))
        several = {"filters": 256, "input_shape": [1, 32, 32, 256], "processor": XEON}
        self.assertRegex(self.explain(*amx, **several), r"method: winograd;.*; not bf16x3: .*, 1\.35 is asked for")
        schedule = "bf16x3 panel=32 columns=32 lanes=16 rows=32 outputs=1x1x1 block=1048576"
        layer = self.file("layer.json", keras_layer(2, filters=256, kernel_size=[2] * 2, input_shape=[1, 64, 64, 512]))
        self.succeeds("explain", layer, *amx, "--schedule", schedule)
        self.fails("schedule: not bf16x3: no matrix units with x86-64-linux-.*avx512_skylake", "explain", layer, *amx,
                   "--target", "x86-64-linux-avx512_skylake", "--schedule", schedule)
        self.fails("bf16x3 serves this layer as .* alone", "explain", layer, *amx, "--schedule",
                   schedule.replace("32", "16"))

    def test_strassens_products_where_phases_have_one_tap_and_many_channels(self):
        single = {"filters": 256, "kernel_size": [2] * 2, "padding": "valid", "input_shape": [1, 64, 64, 512]}
        for target in ("x86-64-linux-avx512_skylake", "x86-64-linux-avx2-fma-f16c"):
            text = self.explain("--target", target, "--rules", **single)
            self.assertRegex(text, r"method: strassen; Strassen's products over 2 dimensions should be 1\.\d+ times as "
                                   r"fast as pixel_shuffle, transforms included\n")
            self.assertRegex(text, r"\n  strassen panel=.* outputs=1x2x2 ")
            self.assertIn("method: pixel_shuffle;", self.explain("--target", target, "--rules", "--exact", **single))
        few = self.explain("--target", target, "--rules", **{**single, "input_shape": [1, 64, 64, 32]})
        self.assertRegex(few, r"method: pixel_shuffle; .*; not strassen: Strassen's products over 1 dimension should be "
                              r"0\.\d+ times as fast as pixel_shuffle, 1\.05 is asked for\n")

    def test_weights_are_fetched_ahead_of_few_tiles(self):
        for inputs, size, fetched in ((1024, 28, True), (256, 28, False), (256, 7, True)):
            text = self.explain("--exact", "--target", "x86-64-linux-avx512_skylake", filters=512, kernel_size=[2] * 2,
                                input_shape=[1, size, size, inputs])
            self.assertEqual(fetched, " prefetch=16384 " in text)

    def test_weights_that_come_from_afar(self):
        """Where they come in slowly, tiles with fewer weights are faster than such with fewer multiply-adds, and none
        are fetched past the second-level cache, but the next point's into it."""
        target = ("--target", "x86-64-linux-avx512_skylake")
        for layer in ({"filters": 128, "input_shape": [1, 8, 8, 256]},
                      {"filters": 256, "input_shape": [1, 16, 16, 1024]}):
            near, far = (self.explain(*target, processor=one, **layer) for one in (ZEN_5, XEON))
            weights = [int(re.search(r"packed weights (\d+)", text)[1]) for text in (near, far)]
            self.assertLess(weights[1], 0.8 * weights[0])
            for text, fetched in ((near, True), (far, False)):
                self.assertIn("method: winograd; ", text)
                self.assertEqual(fetched, " prefetch=16384 " in text)
                self.assertNotEqual(fetched, " fetch=" in text)
            self.assertIn(f"\nprocessor: {XEON}\n", far)
            self.assertEqual(self.explain(*target, processor="any", **layer), far.replace(XEON, "any"))

    def test_four_vectors_a_panel_where_loads_hold_sums_up(self):
        wide = {"filters": 256, "kernel_size": [2] * 2, "input_shape": [1, 64, 64, 512]}
        for processor, columns in ((ZEN_5, 32), (XEON, 64)):
            text = self.explain("--exact", "--target", "x86-64-linux-avx512_skylake", processor=processor, **wide)
            self.assertIn(f"  pixel_shuffle panel={columns} columns={columns} lanes=16 tile=", text)

    def test_long_filters_take_winograd_but_for_few_channels(self):
        layer = {"filters": 32, "kernel_size": [5] * 2, "strides": [1] * 2}
        wide, few = (self.explain("--target", "x86-64-linux-avx512_skylake", input_shape=[1, 48, 48, inputs], **layer)
                     for inputs in (32, 3))
        self.assertIn("method: winograd; F(4, 5) x F(4, 5) should be ", wide)
        self.assertRegex(few, r"method: direct;.*; not winograd: F\(4, 5\) x F\(4, 5\) should be [01]\.")

    def test_why_winograd_is_not_possible(self):
        wide = {"filters": 256, "input_shape": [1, 32, 32, 256]}
        self.assertIn("not winograd: dilation 2", self.explain(strides=[1, 1], dilation_rate=[2, 2], **wide))
        self.assertIn("not winograd: phases of 8 taps", self.explain(kernel_size=[16, 16], **wide))
        self.assertIn("not winograd: 216 transform points",
                      self.explain(rank=3, kernel_size=[5] * 3, strides=[1] * 3, input_shape=[1, 8, 8, 8, 16]))
        self.assertIn("not winograd: phases of one tap", self.explain(kernel_size=[3, 3], strides=[3, 3], **wide))

    def test_channels_first_have_tiles_apart_that_one_task_computes(self):
        first = {"data_format": "channels_first", "filters": 256, "input_shape": [1, 256, 32, 32]}
        last = {"filters": 256, "input_shape": [1, 32, 32, 256]}
        for target in ("x86-64-linux-avx512_skylake", "x86-64-linux-avx2-fma-f16c"):
            text = self.explain("--target", target, **first)
            self.assertIn("method: winograd; F(4, 2) apart x F(4, 2) apart should be ", text)
            self.assertIn(" own=0x4x4 transpose=both ", text)
            for layout, blocks in ((last, 4), (first, 1)):
                text = self.explain("--target", target, kernel_size=[3, 3], **layout)
                self.assertRegex(text, r"method: winograd; \(F\([34], 2\) and F\(1, 1\)\) x ")
                self.assertEqual(text.count("; blocks of "), blocks)

    def test_open_sizes(self):
        self.assertIn("dimension 0: any input extent", self.explain(input_shape=[None, None, 5, 4]))

    def test_the_target_that_is_asked_for(self):
        text = self.explain("--target", "arm-64-linux")
        self.assertIn("arm-64-linux: tile of", text)
        self.fails("unknown target", "explain", self.directory / "layer.json", "--target", "vax")


class Words(TconvcTest):
    def test_targets_lists_the_families_and_what_runs_here(self):
        text = self.succeeds("targets")
        for family in ("x86-64-linux", "x86-64-windows", "x86-64-osx", "arm-64-linux", "arm-64-android", "arm-64-ios",
                       "arm-64-osx", "x86-64-linux-cuda-70", "x86-64-linux-cuda-80", "x86-64-linux-cuda-86"):
            self.assertRegex(text, rf"(?m)^{family} \(")
        self.assertIn("runs here", text)
        best = text.rsplit(": ", 1)[1].strip()
        self.assertRegex(text, rf"(?m)^  {best} +runs here$")

    def test_help_of_every_verb_has_an_example(self):
        text = self.succeeds("--help")
        for verb in VERBS:
            self.assertIn(f"  {verb} ", text)
            self.assertRegex(self.succeeds(verb, "--help"), rf"(?i)example:\s+tconvc {verb}")

    def test_version(self):
        self.assertRegex(self.succeeds("--version"), r"^tconvc \d+\.\d+\.\d+, Halide 21\.0\.0\n$")


if __name__ == "__main__":
    main()
