"""What tconvc refuses: one line with the numbers, an exit code, and no file.

    errors_test.py TCONVC
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.arrays import npy_bytes
from support.tconvc import TconvcTest, keras_layer, main

FLOATS = 4 * 4 * 3 * 4  # of keras_layer()'s kernel


def torch_layer(**changes):
    config = {"in_channels": 4, "out_channels": 6, "kernel_size": 3, "stride": 2} | changes
    return {"dialect": "torch", "class_name": "ConvTranspose2d", "config": config,
            "build_config": {"input_shape": [1, 4, 5, 5]}}


def onnx_layer(**changes):
    return {"dialect": "onnx", "op_type": "ConvTranspose", "config": {"weight_shape": [4, 3, 3, 3]} | changes,
            "build_config": {"input_shape": [1, 4, 5, 5]}}


def tflite_layer(**changes):
    config = {"padding": "SAME", "stride_h": 2, "stride_w": 2, "output_shape": [1, 10, 10, 3],
              "weight_shape": [3, 3, 3, 4]} | changes
    return {"dialect": "tflite", "op_type": "TRANSPOSE_CONV", "config": config,
            "build_config": {"input_shape": [1, 5, 5, 4]}}


class Refusals(TconvcTest):
    def refuses(self, pattern, layer, *options, targets=("x86-64-linux",)):
        path = self.file("layer.json", layer)
        arguments = [argument for target in targets for argument in ("--target", target)]
        self.fails(pattern, "compile", path, *arguments, "-o", self.out, *options)
        self.assertFalse(self.out.exists())

    def refuses_kernel(self, pattern, content):
        self.refuses(pattern, keras_layer(), "--kernel", self.file("kernel.npy", content))


class Layers(Refusals):
    def test_unknown_and_misspelt_fields_are_named(self):
        self.refuses("unknown field 'kernel_sizes' in config: did you mean 'kernel_size'", keras_layer(kernel_sizes=3))
        self.refuses("unknown field 'colour'", keras_layer(colour=3))
        self.refuses("unknown field 'strides' .*did you mean 'stride'", torch_layer(strides=2))
        self.refuses("unknown field 'padding'", onnx_layer(padding=[1, 1, 1, 1]))
        self.refuses("unknown field 'stride'", tflite_layer(stride=2))

    def test_unknown_values_are_named(self):
        self.refuses("padding 'sane' must be 'valid' or 'same'", keras_layer(padding="sane"))
        self.refuses("causal.*not defined for a transposed convolution", keras_layer(padding="causal"))
        self.refuses("'rleu'.*did you mean 'relu'", keras_layer(activation="rleu"))
        self.refuses("data_format 'channels_middle'", keras_layer(data_format="channels_middle"))
        self.refuses("class_name 'Conv2D'", keras_layer() | {"class_name": "Conv2D"})
        self.refuses("dialect 'tensorflow'", keras_layer() | {"dialect": "tensorflow"})
        self.refuses("SAME_UPER", onnx_layer(auto_pad="SAME_UPER"))

    def test_sizes_that_are_not_positive(self):
        self.refuses(r"strides \(0, 2\) must be positive", keras_layer(strides=[0, 2]))
        self.refuses("filters -3 must be positive", keras_layer(filters=-3))
        self.refuses(r"kernel_size \(0, 3\) must be positive", keras_layer(kernel_size=[0, 3]))
        self.refuses(r"dilation_rate \(1, -1\) must be positive", keras_layer(dilation_rate=[1, -1]))
        self.refuses("got -1", keras_layer(input_shape=[1, -1, 5, 4]))
        self.refuses(r"stride \(0, 0\) must be positive", torch_layer(stride=0))

    def test_keras_own_rules(self):
        self.refuses(r"output_padding \(2, 2\) must be smaller than strides \(2, 2\)",
                     keras_layer(output_padding=[2, 2]))
        self.refuses(r"strides \(2, 2\) with dilation_rate \(3, 3\)", keras_layer(dilation_rate=[3, 3]))

    def test_groups_that_do_not_divide(self):
        self.refuses("groups 3 does not divide in_channels 4", keras_layer(groups=3))
        self.refuses("groups 4 does not divide out_channels 6", torch_layer(groups=4))
        self.refuses("group 3 does not divide", onnx_layer(group=3))

    def test_shapes_that_do_not_fit(self):
        self.refuses(r"input_shape \(1, 5, 4\) must have 4 entries", keras_layer(input_shape=[1, 5, 4]))
        self.refuses("channels, entry 3, must be a known", keras_layer(input_shape=[1, 5, 5, None]))
        self.refuses("input channels are not known", keras_layer(build=False))
        self.refuses("has 5 channels.*takes 4", torch_layer() | {"build_config": {"input_shape": [1, 5, 5, 5]}})

    def test_sizes_that_overflow(self):
        self.refuses("1099511627776 is over the largest extent", keras_layer(input_shape=[1, 2**40, 2**40, 4]))
        self.refuses(r"\(1000000, 1000000, 1000000, 4\) is too large", keras_layer(input_shape=[10**6] * 3 + [4]))
        self.refuses(r"output \(1, 40000, 40000, 3\) is too large", keras_layer(input_shape=[1, 20000, 20000, 4]))
        self.refuses("kernel .536870912, 536870912, 3, 4. is too large", keras_layer(kernel_size=[2**29, 2**29]))
        self.refuses("2147483648 is over the largest extent", keras_layer(strides=[2**31, 2]))
        self.refuses("100000, 100000. make more than 65536 phases",
                     keras_layer(strides=[10**5] * 2, padding="valid", output_padding=[0, 0], input_shape=[1, 1, 1, 4]))
        self.refuses("must be an integer of 64 bits", keras_layer(filters=10**25))


class HostileJson(Refusals):
    def test_text_that_is_not_json(self):
        self.refuses("not JSON", b"")
        self.refuses("not JSON", bytes(range(256)))
        self.refuses("not JSON", b'{"class_name": "Conv2DTranspose", "config": {"filters": ')

    def test_nesting_and_length(self):
        self.refuses("nested more than 64 deep", b"[" * 100000)
        self.refuses("nested more than 64 deep", b'{"config":' * 5000)
        self.refuses("bytes, more than 1048576", b" " * (1 << 21))

    def test_a_field_that_is_given_twice(self):
        self.refuses("field 'filters' is given twice", b'{"config": {"filters": 3, "filters": 4}}')

    def test_a_layer_that_is_not_there(self):
        self.fails("none.json.*No such file", "compile", "none.json", "--target", "x86-64-linux", "-o", self.out)
        self.fails("is a directory", "compile", self.directory, "--target", "x86-64-linux", "-o", self.out)


class Arrays(Refusals):
    good = npy_bytes([4, 4, 3, 4], [0] * FLOATS)

    def test_a_kernel_of_the_wrong_type_or_shape(self):
        self.refuses_kernel("dtype '<f8'", npy_bytes([4, 4, 3, 4], [0] * 2 * FLOATS, "<f8"))
        self.refuses_kernel("dtype '>f4'", npy_bytes([4, 4, 3, 4], [0] * FLOATS, ">f4"))
        self.refuses_kernel(r"shape \(4, 4, 4, 3\), but the layer needs \(4, 4, 3, 4\)",
                            npy_bytes([4, 4, 4, 3], [0] * FLOATS))
        self.refuses_kernel(r"shape \(16, 3, 4\)", npy_bytes([16, 3, 4], [0] * FLOATS))

    def test_a_truncated_or_hostile_kernel(self):
        self.refuses_kernel("takes 768 bytes of data, and there are 758", self.good[:-10])
        self.refuses_kernel("takes 768 bytes of data, and there are 770", self.good + b"xx")
        self.refuses_kernel("truncated: a header of 118 bytes, and 30", self.good[:40])
        self.refuses_kernel("truncated: a header of 65535 bytes", self.good[:8] + b"\xff\xff" + self.good[10:])
        self.refuses_kernel("not a .npy file", b"hello")
        self.refuses_kernel("not a .npy file", b"")
        self.refuses_kernel(r"\(2147483648, 2147483648, 4, 4\) is too large", npy_bytes([2**31, 2**31, 4, 4], [0]))
        self.refuses_kernel("bad size", npy_bytes([-4, 4, 3, 4], [0] * FLOATS))

    def test_arrays_beside_the_kernel(self):
        kernel = self.file("kernel.npy", self.good)
        four = self.file("four.npy", npy_bytes([4], [0] * 4))
        self.refuses(r"shape \(4,\), the layer needs \(3,\)", keras_layer(), "--kernel", kernel, "--bias", four)
        self.refuses(r"four.npy.*\(4,\).*\(4, 3\)", keras_layer(), "--kernel", kernel, "--batchnorm", four)
        self.refuses("--bias needs --kernel", keras_layer(), "--bias", four)
        self.refuses("--batchnorm needs --kernel", keras_layer(), "--batchnorm", four)
        self.refuses("no file '.*none.npy'", keras_layer(), "--kernel", self.directory / "none.npy")

    def test_an_activation_that_cannot_be_fused(self):
        self.refuses("unknown activation 'rleu'", keras_layer(), "--activation", "rleu")
        self.refuses("'tanh' already.*'relu'", keras_layer(activation="tanh"), "--activation", "relu")


class Places(Refusals):
    def test_unknown_targets(self):
        self.refuses("unknown target 'x86-64-lunix'", keras_layer(), targets=["x86-64-lunix"])
        self.refuses("unknown target 'riscv-64-linux'", keras_layer(), targets=["riscv-64-linux"])
        self.refuses("unknown target ''", keras_layer(), targets=[""])

    def test_two_families_in_one_library(self):
        self.refuses("two families", keras_layer(), targets=["x86-64-linux", "arm-64-linux"])
        self.refuses("two families", keras_layer(), targets=["x86-64-linux", "x86-64-windows"])
        self.refuses("two families", keras_layer(), targets=["x86-64-linux", "x86-64-linux-cuda"])

    # Below a file rather than in a read-only directory, which root may write to.
    def test_a_directory_that_cannot_be_written(self):
        below = self.file("file", "") / "out"
        layer = self.file("layer.json", keras_layer())
        for place in (below, below / "deeper", self.directory / "file"):
            self.fails("file.*(Not a directory|File exists)", "compile", layer, "--target", "x86-64-linux", "-o", place)
        self.fails("Not a directory", "general", "--target", "x86-64-linux", "-o", below)

    def test_a_file_that_cannot_be_replaced(self):
        (self.out / "up.h").mkdir(parents=True)
        layer = self.file("layer.json", keras_layer())
        self.fails("up.h': it is a directory", "compile", layer, "--target", "x86-64-linux", "-o", self.out)
        self.assertEqual([path.name for path in self.out.iterdir()], ["up.h"])

    def test_wrong_options(self):
        layer = self.file("layer.json", keras_layer())
        self.fails("--target is required", "compile", layer, "-o", self.out)
        self.fails("--output is required", "compile", layer, "--target", "x86-64-linux")
        self.fails("stattic", "compile", layer, "--target", "x86-64-linux", "-o", self.out, "--emit", "stattic")
        self.fails("subcommand", "")
        self.fails("rank", "general", "--rank", 4, "--target", "x86-64-linux", "-o", self.out)


if __name__ == "__main__":
    main()
