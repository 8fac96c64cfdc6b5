"""The layers that are measured: read from a line of text or, through tconvc, from a layer's JSON; and what follows from
the sizes alone. Layers here have neither bias nor activation: not every peer fuses them.

A line is `name rank batch in channels filters kernel stride padding output_padding [dilation [groups]]`, as in
shapes.txt; a size is one integer for all dimensions, or one for each, as in 32x64.
"""

import dataclasses
import json
import math
import pathlib
import re
import subprocess

FLOAT_BYTES = 4


class ShapeError(ValueError):
    pass


@dataclasses.dataclass(frozen=True)
class Shape:
    """`crop` is what is cut off the front of the full output, in positions; what is cut off the end follows from it."""
    name: str
    batch: int
    size: tuple
    channels: int
    filters: int
    groups: int
    kernel: tuple
    stride: tuple
    dilation: tuple
    crop: tuple
    out: tuple

    @property
    def rank(self):
        return len(self.size)

    @property
    def crop_end(self):
        """Negative where the output goes on after the last tap."""
        return tuple((i - 1) * s + (k - 1) * d + 1 - c - o for i, k, s, d, c, o in
                     zip(self.size, self.kernel, self.stride, self.dilation, self.crop, self.out))

    @property
    def output_padding(self):
        """PyTorch's, whose padding is the crop of both ends; negative where it cannot say this shape."""
        return tuple(front - end for front, end in zip(self.crop, self.crop_end))

    @property
    def flops(self):
        """Each input meets each tap: two operations, also where the output is cropped."""
        return (2 * self.batch * math.prod(self.size) * math.prod(self.kernel) * self.channels *
                (self.filters // self.groups))

    @property
    def input_shape(self):
        return (self.batch, *self.size, self.channels)

    @property
    def kernel_shape(self):
        """In PyTorch's and ONNX' order."""
        return (self.channels, self.filters // self.groups, *self.kernel)

    @property
    def output_shape(self):
        return (self.batch, *self.out, self.filters)

    @property
    def bytes_read(self):
        return FLOAT_BYTES * (math.prod(self.input_shape) + math.prod(self.kernel_shape))

    @property
    def bytes_written(self):
        return FLOAT_BYTES * math.prod(self.output_shape)

    def to_json(self):
        return dataclasses.asdict(self)

    @staticmethod
    def from_json(fields):
        return Shape(**{key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()})


def sizes(text, rank, least):
    values = [int(word) for word in text.split("x")] if re.fullmatch(r"\d+(x\d+)*", text) else []
    if len(values) == 1:
        values *= rank
    if len(values) != rank or min(values) < least:
        raise ShapeError(f"'{text}' is not one integer or {rank} joined by x, each at least {least}")
    return tuple(values)


def make_shape(name, batch, size, channels, filters, groups, kernel, stride, dilation, crop, out):
    if channels % groups or filters % groups:
        raise ShapeError(f"{groups} groups do not divide {channels} channels and {filters} filters")
    if min(out) < 1:
        raise ShapeError(f"the output's size {out} is empty")
    return Shape(name, batch, size, channels, filters, groups, kernel, stride, dilation, crop, out)


def parse_line(line):
    words = line.split()
    if not 10 <= len(words) <= 12:
        raise ShapeError(f"'{line.strip()}' has {len(words)} fields, a shape has 10 to 12")
    name, *numbers = words
    if not re.fullmatch(r"[A-Za-z_]\w*", name):
        raise ShapeError(f"the name '{name}' is not an identifier")
    numbers += ["1"] * (11 - len(numbers))
    rank, = sizes(numbers[0], 1, 1)
    if rank > 3:
        raise ShapeError(f"rank {rank} is not 1, 2 or 3")
    batch, channels, filters, groups = (sizes(numbers[at], 1, 1)[0] for at in (1, 3, 4, 10))
    size, kernel, stride, dilation = (sizes(numbers[at], rank, 1) for at in (2, 5, 6, 9))
    padding, extra = (sizes(numbers[at], rank, 0) for at in (7, 8))
    out = tuple((i - 1) * s - 2 * p + (k - 1) * d + 1 + e for i, k, s, d, p, e in
                zip(size, kernel, stride, dilation, padding, extra))
    return make_shape(name, batch, size, channels, filters, groups, kernel, stride, dilation, padding, out)


def parse_key(name, key):
    """From what tconvc says of a layer: one line with everything its geometry follows from."""
    fields = dict(re.findall(r"\b(crop|out|[nicogksd])(-?\d+(?:x-?\d+)*)\b", key))
    missing = {"n", "i", "c", "o", "k", "s", "d", "crop", "out"} - set(fields)
    if missing:
        raise ShapeError(f"'{name}' leaves sizes open; a benchmark needs every one ({key})")
    number = {field: tuple(int(word) for word in text.split("x")) for field, text in fields.items()}
    return make_shape(name, number["n"][0], number["i"], number["c"][0], number["o"][0], number.get("g", (1,))[0],
                      number["k"], number["s"], number["d"], number["crop"], number["out"])


def read_layer(path, tconvc):
    process = subprocess.run([tconvc, "explain", path], capture_output=True, text=True)
    if process.returncode:
        raise ShapeError(process.stderr.strip())
    name = re.sub(r"\W", "_", pathlib.Path(path).stem)
    return parse_key(name, process.stdout.splitlines()[1])


def read_text(path):
    shapes = []
    for number, line in enumerate(pathlib.Path(path).read_text().splitlines(), 1):
        line = line.partition("#")[0]
        if line.strip():
            try:
                shapes.append(parse_line(line))
            except ShapeError as error:
                raise ShapeError(f"{path}:{number}: {error}") from None
    return shapes


def select(words, default_file, tconvc):
    """The shapes that the command line asks for: names in default_file, layers' JSON files, files of lines."""
    known = read_text(default_file)
    if not words:
        return known
    by_name = {shape.name: shape for shape in known}
    chosen = []
    for word in words:
        if word in by_name:
            chosen.append(by_name[word])
        elif not pathlib.Path(word).is_file():
            raise ShapeError(f"'{word}' is neither a file nor one of {', '.join(by_name)}")
        elif word.endswith(".json"):
            chosen.append(read_layer(word, tconvc))
        else:
            chosen.extend(read_text(word))
    names = [shape.name for shape in chosen]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ShapeError(f"asked for twice: {', '.join(twice)}")
    return chosen


def onnx_layer(shape, layout):
    """The shape as a layer file that tconvc reads: of its dialects the one with a padding for each end."""
    lead = shape.input_shape if layout == "channels_last" else (shape.batch, shape.channels, *shape.size)
    return json.dumps({
        "dialect": "onnx", "op_type": "ConvTranspose", "data_format": layout,
        "config": {"kernel_shape": shape.kernel, "strides": shape.stride, "dilations": shape.dilation,
                   "group": shape.groups, "pads": [*shape.crop, *(max(0, end) for end in shape.crop_end)],
                   "output_padding": [max(0, -end) for end in shape.crop_end]},
        "weight_shape": shape.kernel_shape, "build_config": {"input_shape": lead}}, indent=1)
