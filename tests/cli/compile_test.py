"""What tconvc compile and general make, and that a C99 program can use it.

    compile_test.py TCONVC
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.arrays import Golden, write_npy
from support.tconvc import TconvcTest, keras_layer, main

SUPPORT_NAMES = ("arguments", "bf16x3", "blocks", "buffers", "classes", "error_handler", "general_choice", "geometry",
                 "kernel", "matrix_units", "merged_tiles", "minimal_filter", "packing", "run", "run_tiles",
                 "shares", "strassen", "tile_block", "transpose", "windows", "winograd")
SUPPORT = {"HalideRuntime.h"} | {f"tconv/{name}.h" for name in SUPPORT_NAMES}

GENERAL_PROGRAM = """
#include <stdio.h>
#include "NAME.h"
int main(void) {
  const int sizes[10][4] = {{64, 1, 1, 4}, {64, 3, 1, 4}, {4, 2, 1, 4}, {64, 8, 1, 4}, {64, 16, 1, 4}, {64, 17, 1, 4},
                            {64, 64, 64, 4}, {64, 4, 1, 2}, {64, 5, 1, 2}, {64, 64, 1, 2}};
  tconv_layer layer = {2, 1};
  int i, d;
  for (i = 0; i < 10; ++i) {
    layer.in_channels = sizes[i][0];
    layer.out_channels = sizes[i][1];
    layer.groups = sizes[i][2];
    for (d = 0; d < 2; ++d) {
      layer.rule[d].padding = TCONV_PADDING_KERAS_SAME;
      layer.rule[d].kernel = sizes[i][3];
      layer.rule[d].stride = 2;
      layer.rule[d].dilation = 1;
      layer.rule[d].output_padding = layer.rule[d].output = layer.size[d] = TCONV_UNSET;
    }
    puts(NAME_kernel(&layer)->name);
  }
  layer.rule[1].stride = TCONV_MAX_EXTENT; /* Phases are not walked then. */
  puts(NAME_kernel(&layer)->name);
  return 0;
}
"""

PROGRAM = """
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "up.h"
%s
int main(void) {
  float *output = calloc(sizeof wanted, 1);
  size_t i, bytes = up_workspace_bytes(%s2);
  void *workspace = malloc(bytes + 1);
  int status;
%s
  if (status != TCONV_OK) return puts(tconv_status_message(status)), 1;
  for (i = 0; i < sizeof wanted / sizeof *wanted; ++i)
    if (!(fabs(output[i] - wanted[i]) <= 1e-5 * (1 + fabs(wanted[i])))) return printf("element %%d\\n", (int)i), 1;
  return 0;
}
"""


def c_array(name, values):
    return f"static const float {name}[] = {{{', '.join(value.hex() for value in values)}}};\n"


class Compile(TconvcTest):
    def setUp(self):
        super().setUp()
        golden = Golden("keras_jax")
        self.case = next(case for case in golden.cases
                         if case["layer"]["class_name"] == "Conv2DTranspose" and case["bias_shape"]
                         and case["layer"]["config"]["kernel_size"] != [1, 1])
        self.arrays = {name: golden.array(self.case, name) for name in ("input", "kernel", "bias", "output")}
        self.layer = self.file("up.json", self.case["layer"])
        for name in ("kernel", "bias"):
            write_npy(self.directory / f"{name}.npy", *self.arrays[name])
        self.weights = ["--kernel", self.directory / "kernel.npy", "--bias", self.directory / "bias.npy"]

    def compile(self, *options, layer=None, target="x86-64-linux"):
        """The files that it made, which it also names."""
        output = self.succeeds("compile", layer or self.layer, "--name", "up", "-o", self.out, "--target", target,
                               *options)
        made = {str(path.relative_to(self.out)) for path in self.out.rglob("*") if path.is_file()}
        self.assertLessEqual({str(pathlib.Path(line).relative_to(self.out)) for line in output.splitlines()}, made)
        return made

    def manifest(self):
        return json.loads((self.out / "up.manifest.json").read_text())

    def run_c(self, setup, sizes="", arguments="", library="libup.a", standard="c99", compiler="cc"):
        """Builds and runs a C program that calls up_run() and compares."""
        arrays = c_array("input", self.arrays["input"][1]) + c_array("wanted", self.arrays["output"][1]) + setup[0]
        call = f"{setup[1]}  status = up_run({sizes}input, {arguments}output, workspace, bytes, 2);"
        source = self.file("main.c", PROGRAM % (arrays, sizes, call))
        command = [compiler, f"-std={standard}", "-Wall", "-Wextra", "-Werror", "-pedantic", f"-I{self.out}",
                   str(source), str(self.out / library), "-o", str(self.directory / "program"),
                   "-lpthread", "-ldl", "-lm"]
        built = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(built.returncode, 0, built.stderr)
        ran = subprocess.run([self.directory / "program"], capture_output=True, text=True)
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)

    def pack(self):
        setup = c_array("kernel", self.arrays["kernel"][1]) + c_array("bias", self.arrays["bias"][1])
        return setup, "  float *packed = malloc(up_packed_bytes());\n  status = up_pack(kernel, bias, packed);\n" \
                      "  if (status != TCONV_OK) return 1;\n"

    def test_a_static_library_a_header_a_manifest_and_a_cmake_package(self):
        made = self.compile()
        self.assertEqual(made, SUPPORT | {"libup.a", "up.h", "up.manifest.json", "upConfig.cmake"})
        manifest = self.manifest()
        self.assertEqual(manifest["layer"]["input_shape"], self.case["input_shape"])
        self.assertEqual(manifest["layer"]["output_shape"], self.case["output_shape"])
        self.assertIn("conv2d_transpose channels_last", manifest["key"])
        self.assertEqual(manifest["halide"], "21.0.0")
        self.assertGreater(manifest["targets"][0]["code_bytes"], 0)
        self.assertGreaterEqual(manifest["targets"][0]["workspace_bytes"], 0)
        self.assertGreaterEqual(manifest["packed_bytes"], 4 * len(self.arrays["kernel"][1]))

    def test_a_c99_program_packs_and_runs(self):
        self.compile()
        self.run_c(self.pack(), arguments="packed, ")

    def test_baked_weights_leave_run_alone(self):
        self.compile(*self.weights)
        header = (self.out / "up.h").read_text()
        self.assertNotIn("up_pack", header)
        self.assertEqual(self.manifest()["weights"], "baked")
        self.run_c(("", ""))

    def test_exact_turns_winograd_off(self):
        layer = self.file("wide.json", keras_layer(filters=128, input_shape=[1, 32, 32, 128]))
        self.compile("--exact", layer=layer)
        exact = self.manifest()
        self.assertEqual(exact["method"], "direct")
        self.compile(layer=layer)
        manifest = self.manifest()
        self.assertEqual(manifest["method"], "winograd")
        self.assertEqual(manifest["key"], exact["key"])
        self.assertEqual(manifest["tile_outputs"][0][0], 1)
        self.assertGreater(manifest["packed_bytes"], exact["packed_bytes"])
        source = self.file("main.c", '#include "up.h"\nint main(void) { return up_workspace_bytes(1) == 0; }\n')
        subprocess.run(["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", f"-I{self.out}", source,
                        self.out / "libup.a", "-o", self.directory / "program", "-lpthread", "-ldl", "-lm"],
                       check=True, capture_output=True)

    def test_open_sizes_are_arguments(self):
        open_layer = json.loads(self.layer.read_text())
        open_layer["build_config"]["input_shape"][:3] = [None] * 3
        self.compile(layer=self.file("open.json", open_layer))
        self.assertEqual(self.manifest()["layer"]["input_shape"][:3], [None] * 3)
        batch, height, width = self.case["input_shape"][:3]
        setup = self.pack()
        setup = (setup[0] + f"static const int64_t size[] = {{{height}, {width}}};\n", setup[1])
        self.run_c(setup, sizes=f"{batch}, size, ", arguments="packed, ")

    def test_the_header_serves_cpp(self):
        self.compile(*self.weights)
        source = self.file("main.cpp", '#include "up.h"\nint main() { return up_workspace_bytes(1) > 1000000000; }\n')
        subprocess.run(["c++", "-Wall", "-Wextra", "-Werror", f"-I{self.out}", source, self.out / "libup.a", "-o",
                        self.directory / "program", "-lpthread", "-ldl"], check=True, capture_output=True)

    def test_a_shared_library_alone_runs(self):
        self.assertNotIn("libup.a", self.compile("--emit", "shared", *self.weights))
        self.run_c(("", ""), library="libup.so")

    def test_every_form_that_is_asked_for(self):
        made = self.compile("--emit", "static,shared,header,assembly,stmt")
        self.assertLessEqual({"libup.a", "libup.so", "up.h", "up_x86-64-linux.s", "up_x86-64-linux.stmt"}, made)
        self.assertIn("up_t0_v0", (self.out / "up_x86-64-linux.s").read_text())

    def test_weights_are_fetched_ahead_line_by_line(self):
        layer = self.file("wide.json", keras_layer(filters=64, input_shape=[1, 16, 16, 64]))
        for method in ("winograd panel=32 columns=32 lanes=8 rows=2 outputs=1x2x2",
                       "direct panel=32 columns=32 lanes=8 tile=1x1x2"):
            for distance in (0, 4096):
                prefetch = f" prefetch={distance}" if distance else ""
                self.compile("--emit", "assembly,stmt", "--schedule", f"{method}{prefetch} block=262144", layer=layer,
                             target="x86-64-linux-avx2-fma-f16c")
                (assembly,), (statement,) = [[path.read_text() for path in self.out.glob(f"*.{kind}")]
                                             for kind in ("s", "stmt")]
                fetched = re.findall(r"\tprefetch\w*\t(-?\d*)(\(\S+\))", assembly)
                steps = re.findall(r"prefetch\(weights, .*\*32\).* \+ (\d+), 1, 1\)", statement)
                # A step of a loop reads 32 weights, which are two lines.
                self.assertEqual({int(ahead) for ahead in steps}, {1024, 1040} if distance else set())
                self.assertEqual(len(steps), statement.count("prefetch("))
                self.assertEqual(bool(fetched), distance > 0)
                for (first, base), (second, again) in zip(fetched[::2], fetched[1::2]):
                    self.assertEqual(base, again)
                    self.assertEqual(abs(int(second or 0) - int(first or 0)), 64)

    def test_the_next_points_weights_are_fetched_into_the_second_level(self):
        layer = self.file("wide.json", keras_layer(filters=64, input_shape=[1, 16, 16, 64]))
        for target, lanes, instruction in (("x86-64-linux-avx2-fma-f16c", 8, r"\tprefetcht1\t"),
                                           ("arm-64-linux", 4, r"\tprfm\tpldl2keep")):
            # A panel has one part or two, whose steps follow one another.
            for columns, turns in ((32, "outer"), (16, "part")):
                for lines in (0, 2):
                    fetch = f" fetch={lines}" if lines else ""
                    self.compile("--emit", "assembly,stmt", "--schedule",
                                 f"winograd panel=32 columns={columns} lanes={lanes} rows=2 outputs=1x2x2{fetch} "
                                 "block=262144", layer=layer, target=target)
                    (assembly,), (statement,) = [[path.read_text() for path in self.out.glob(f"*_{target[:3]}*.{kind}")]
                                                 for kind in ("s", "stmt")]
                    # A point has 64 x 32 weights; the next one's begin as many later.
                    addresses = re.findall(r"llvm.prefetch.p0\(.*weights\) \+ \(uint64\(\((\S+)\.point\*2048\) "
                                           r"\+ 2048\)\*\(uint64\)4\)\) \+ (.*)\) \+ \(uint64\)(\d+)\), 0, 2, 1\)", statement)
                    self.assertEqual(len(addresses), statement.count("llvm.prefetch"))
                    self.assertEqual({int(line) for _, _, line in addresses}, {0, 64} if lines else set())
                    # But where a row's last tile stands alone.
                    self.assertEqual(any(f".{turns}" in steps for _, steps, _ in addresses), lines > 0)
                    self.assertTrue(all("*(uint64)128" in steps for _, steps, _ in addresses))
                    self.assertEqual(len(re.findall(instruction, assembly)) > 0, lines > 0)

    def test_several_targets_make_one_library_that_dispatches(self):
        paths = ["x86-64-linux-avx512_skylake", "x86-64-linux-avx2-fma-f16c"]
        more = [word for path in paths for word in ("--target", path)]
        self.compile(*self.weights, *more, target="x86-64-linux-sse41")
        targets = [target["target"] for target in self.manifest()["targets"]]
        self.assertEqual(len(targets), 3)
        self.assertIn("avx512_skylake", targets[0])
        self.assertEqual(targets[2], "x86-64-linux-sse41")
        self.run_c(("", ""))

    def test_a_second_compilation_replaces_the_first(self):
        self.compile()
        self.compile(*self.weights)
        self.assertEqual(self.manifest()["weights"], "baked")

    def test_general_kernels_of_every_rank_and_layout(self):
        for rank, data_format in ((1, "channels_first"), (2, "channels_last")):
            self.succeeds("general", "--rank", rank, "--data-format", data_format, "--target", "x86-64-linux",
                          "-o", self.out)
            name = f"tconv_conv{rank}d_transpose_{data_format}"
            for file in (f"lib{name}.a", f"{name}.h", f"{name}.manifest.json"):
                self.assertTrue((self.out / file).is_file(), file)
            kernels = json.loads((self.out / f"{name}.manifest.json").read_text())["kernels"]
            self.assertTrue(all(kernel["name"].startswith(name) and kernel["paths"] for kernel in kernels))
            filters = [kernel["most_filters"] for kernel in kernels]
            self.assertEqual(filters[-1], 2**31 - 1)

    def test_the_general_kernels_choice(self):
        self.succeeds("general", "--rank", 2, "--data-format", "channels_last", "--target", "x86-64-linux",
                      "-o", self.out)
        name = "tconv_conv2d_transpose_channels_last"
        main = self.file("main.c", GENERAL_PROGRAM.replace("NAME", name).encode())
        program = self.out / "program"
        subprocess.run(["cc", "-std=gnu99", "-Wall", "-Werror", f"-I{self.out}", str(main),
                        str(self.out / f"lib{name}.a"), "-o", str(program), "-lpthread", "-ldl", "-lm"], check=True)
        chosen = [line.removeprefix(f"{name}_") for line in
                  subprocess.run([program], check=True, capture_output=True, text=True).stdout.split()]
        # inputs and filters of a group: 64 and 1, 64 and 3, 4 and 2, 64 and 8, 64 and 16, 64 and 17; depthwise; where
        # two phases share a window 64 and 4, 64 and 5, 64 and 64
        self.assertEqual(chosen, ["panel1", "panel3", "panel2", "panel4", "panel16", "panel32", "panel2", "panel4",
                                  "rows32", "panel32", "panel32"])


class ForeignTargets(TconvcTest):
    """Nothing of theirs runs here; that a library comes out is what can be seen."""

    def emits(self, target, library):
        layer = self.file("layer.json", keras_layer(name="up"))
        self.succeeds("compile", layer, "--target", target, "-o", self.out)
        manifest = json.loads((self.out / "up.manifest.json").read_text())
        self.assertTrue(manifest["targets"][0]["target"].startswith(target))
        self.assertGreater((self.out / library).stat().st_size, 1000)
        self.assertIn("up_run", (self.out / "up.h").read_text())
        self.assertTrue((self.out / "upConfig.cmake").is_file())

    def test_windows(self):
        self.emits("x86-64-windows", "up.lib")

    def test_android(self):
        self.emits("arm-64-android", "libup.a")

    def test_ios(self):
        self.emits("arm-64-ios", "libup.a")

    def test_cuda(self):
        for capability in (70, 80, 86):
            self.emits(f"x86-64-linux-cuda-cuda_capability_{capability}", "libup.a")

    @unittest.skipUnless(shutil.which("aarch64-linux-gnu-gcc"), "no aarch64-linux-gnu-gcc")
    def test_a_shared_library_for_arm(self):
        layer = self.file("layer.json", keras_layer(name="up"))
        self.succeeds("compile", layer, "--target", "arm-64-linux", "--emit", "shared", "-o", self.out)
        self.assertEqual((self.out / "libup.so").read_bytes()[18:20], b"\xb7\x00")  # EM_AARCH64


if __name__ == "__main__":
    main()
