"""PyTorch, whose convolutions on the CPU are oneDNN's where that serves: `torch` on contiguous tensors (NCHW),
`torch_cl` on channels-last ones. With plain weights, and with weights that oneDNN packed beforehand, as torch.compile
does when it freezes a model."""

import torch

from peers import Refused, Variant, channels_first, channels_last

FORMATS = {"torch": {}, "torch_cl": {2: torch.channels_last, 3: torch.channels_last_3d}}


def make(name, settings):
    torch.set_num_threads(settings["threads"])
    torch.set_num_interop_threads(1)
    return Peer(name)


def as_image(shape):
    """PyTorch has a channels-last format for images and volumes alone, so a sequence becomes an image of one row."""
    lead = (1,) if shape.rank == 1 else ()
    zero = (0,) if shape.rank == 1 else ()
    return dict(stride=lead + shape.stride, padding=zero + shape.crop, output_padding=zero + shape.output_padding,
                dilation=lead + shape.dilation)


class Peer:
    def __init__(self, name):
        self.name = name
        self.version = torch.__version__

    def prepare(self, shape, input, kernel):
        if min(shape.output_padding) < 0:
            raise Refused(f"PyTorch cannot crop {shape.crop} in front and {shape.crop_end} at the end")
        x, w = torch.from_numpy(channels_first(input)), torch.from_numpy(kernel)
        arguments = dict(stride=shape.stride, padding=shape.crop, output_padding=shape.output_padding,
                         dilation=shape.dilation)
        if shape.rank == 1 and self.name == "torch":
            yield self.variant(shape, "plain", lambda: torch.nn.functional.conv_transpose1d(
                x, w, None, groups=shape.groups, **arguments))
        if shape.rank == 1:
            yield from self.spatial(shape, "image of one row, ", x.unsqueeze(2), w.unsqueeze(2), as_image(shape))
        else:
            yield from self.spatial(shape, "", x, w, arguments)

    def spatial(self, shape, how, x, w, arguments):
        rank = x.dim() - 2
        memory_format = FORMATS[self.name].get(rank, torch.contiguous_format)
        x, w = x.contiguous(memory_format=memory_format), w.contiguous(memory_format=memory_format)
        convolution = getattr(torch.nn.functional, f"conv_transpose{rank}d")
        yield self.variant(shape, how + "plain", lambda: convolution(x, w, None, groups=shape.groups, **arguments))
        sizes = arguments["padding"], arguments["output_padding"], arguments["stride"], arguments["dilation"]
        packed = torch.ops.mkldnn._reorder_convolution_transpose_weight(w, *sizes, shape.groups, list(x.shape))
        yield self.variant(shape, how + "packed", lambda: torch.ops.mkldnn._convolution_transpose_pointwise(
            x, packed, None, *sizes, shape.groups, "none", [], ""))

    @staticmethod
    def variant(shape, name, function):
        result = []

        def call():
            with torch.inference_mode():
                result[:] = [function()]

        def output():
            array = result[0].numpy()
            return channels_last(array[:, :, 0] if array.ndim > shape.rank + 2 else array)

        return Variant(name, call, output)
