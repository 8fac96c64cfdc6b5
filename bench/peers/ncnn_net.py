"""ncnn. Its own layout keeps 16, 8 or 4 channels side by side; where the channels are so many, the input is given in
that layout and the output left in it, so that no conversion is timed. Plain layout is tried too."""

import pathlib
import tempfile

import ncnn
import numpy as np

from peers import Refused, Variant, channels_first, channels_last

# The letters of a dimension's parameters, innermost dimension first: kernel, dilation, stride, crop in front, crop at
# the end, output padding.
PARAMETERS = [(1, 2, 3, 4, 15, 18), (11, 12, 13, 14, 16, 19), (21, 22, 23, 24, 17, 20)]


def make(name, settings):
    return Peer(settings["threads"])


def layer_text(shape, weights):
    kind = ("DeconvolutionDepthWise" if shape.groups > 1 else "Deconvolution") + {1: "1D", 2: "", 3: "3D"}[shape.rank]
    values = {0: shape.filters, 5: 0, 6: weights}
    if shape.groups > 1:
        values[7] = shape.groups
    ends = [max(0, end) for end in shape.crop_end]
    extras = [max(0, -end) for end in shape.crop_end]
    dimensions = zip(shape.kernel, shape.dilation, shape.stride, shape.crop, ends, extras)
    for keys, dimension in zip(PARAMETERS, reversed(list(dimensions))):
        values |= dict(zip(keys, dimension))
    text = " ".join(f"{key}={value}" for key, value in sorted(values.items()))
    return f"7767517\n2 2\nInput x 0 1 x\n{kind} y 1 1 x y {text}\n"


def ordered_kernel(shape, kernel):
    """Filters before channels, within each group."""
    split = kernel.reshape(shape.groups, shape.channels // shape.groups, shape.filters // shape.groups, -1)
    return np.ascontiguousarray(split.transpose(0, 2, 1, 3))


class Peer:
    def __init__(self, threads):
        self.version = ncnn.__version__
        self.threads = threads
        self.kept = []

    def load(self, shape, kernel):
        net = ncnn.Net()
        net.opt.num_threads = self.threads
        net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = net.opt.use_fp16_packed = False
        net.opt.use_bf16_storage = False
        allocators = ncnn.PoolAllocator(), ncnn.PoolAllocator()
        net.opt.blob_allocator, net.opt.workspace_allocator = allocators
        # They have to outlive every net and array that was made with them.
        self.kept += [net, *allocators]
        weights = ordered_kernel(shape, kernel)
        with tempfile.TemporaryDirectory() as scratch:
            directory = pathlib.Path(scratch)
            (directory / "net.param").write_text(layer_text(shape, weights.size))
            # Four bytes in front of the weights: they are float32.
            (directory / "net.bin").write_bytes(bytes(4) + weights.tobytes())
            if net.load_param(str(directory / "net.param")) or net.load_model(str(directory / "net.bin")):
                raise Refused("ncnn did not load the layer")
        return net

    def prepare(self, shape, input, kernel):
        if shape.batch != 1:
            raise Refused("ncnn runs one image at a time")
        net = self.load(shape, kernel)
        image = channels_first(input)[0]
        plain = ncnn.Mat(image)
        pack = next((width for width in (16, 8, 4) if shape.channels % width == 0), 1)
        # A Mat refers to the array that it is made of.
        self.kept.append(image)
        yield self.variant(shape, net, "plain", plain, 0)
        if pack > 1:
            packed = ncnn.Mat()
            ncnn.convert_packing(plain, packed, pack, net.opt)
            yield self.variant(shape, net, f"packed by {pack}", packed, 1)

    @staticmethod
    def variant(shape, net, name, x, kind):
        result = []

        def call():
            extractor = net.create_extractor()
            extractor.input("x", x)
            code, y = extractor.extract("y", kind)
            if code:
                raise Refused(f"ncnn's extract gave {code}")
            result[:] = [y]

        def output():
            y = result[0]
            if y.elempack > 1:
                unpacked = ncnn.Mat()
                ncnn.convert_packing(y, unpacked, 1, net.opt)
                y = unpacked
            return channels_last(np.array(y).reshape(1, shape.filters, *shape.out))

        return Variant(name, call, output)
