"""The pair of files that holds one framework's golden values, and the random draws that all frameworks share."""

import json
import math

import numpy

# A case stays small: it is committed, and the reference that checks it is a naive loop.
MAX_OUTPUT = 600
MAX_FLOATS = 1300

CHANNELS = (1, 2, 3, 4, 5, 7, 8, 9, 16, 17)
MAX_SPATIAL = {1: 13, 2: 7, 3: 4}
MAX_KERNEL = {1: 7, 2: 5, 3: 3}
MAX_STRIDE = {1: 5, 2: 4, 3: 3}


class GoldenFile:
    def __init__(self):
        self.cases = []
        self.arrays = []
        self.floats = 0

    def add(self, name, layer, input, kernel, bias, output):
        if any(case["name"] == name for case in self.cases):
            raise ValueError(f"two cases are called {name}")
        arrays = {"input": input, "kernel": kernel, "bias": bias, "output": output}
        case = {"name": name, "layer": layer}
        for key, array in arrays.items():
            case[f"{key}_shape"] = None if array is None else list(array.shape)
        case["offset"] = {key: self._append(array) for key, array in arrays.items()}
        self.cases.append(case)

    def write(self, stem):
        lines = ",\n".join(json.dumps(case) for case in self.cases)
        stem.with_suffix(".json").write_text(f"[\n{lines}\n]\n")
        values = numpy.concatenate(self.arrays).astype("<f4")
        stem.with_suffix(".bin").write_bytes(values.tobytes())
        return values.nbytes

    def _append(self, array):
        if array is None:
            return None
        if array.dtype != numpy.float32 or not numpy.isfinite(array).all():
            raise ValueError(f"an array is {array.dtype} or not finite")
        offset = self.floats
        self.arrays.append(array.ravel())
        self.floats += array.size
        return offset


def is_small(input_shape, kernel_shape, output_shape):
    sizes = [math.prod(shape) for shape in (input_shape, kernel_shape, output_shape)]
    return min(output_shape) > 0 and sizes[2] <= MAX_OUTPUT and sum(sizes) <= MAX_FLOATS


def draw_list(rng, low, high, count):
    """`count` integers from low to high, both included."""
    return [int(value) for value in rng.integers(low, high, count, endpoint=True)]


def draw_channels(rng):
    return int(rng.choice(CHANNELS))


def normal(rng, shape, scale=1.0):
    return (scale * rng.standard_normal(shape)).astype(numpy.float32)


def normal_kernel(rng, shape, channels, kernel_size, strides):
    """`channels`: those that one output sums over. The sums get a deviation of about 1.5, so that an activation's kinks
    and tails are reached."""
    terms = channels * max(1.0, math.prod(kernel_size) / math.prod(strides))
    return normal(rng, shape, 1.5 / math.sqrt(terms))


def by_extent(values):
    return "x".join(str(value) for value in values)


def channels_last(array):
    """The same array with its axis 1 moved to the end, in memory too."""
    return numpy.ascontiguousarray(numpy.moveaxis(array, 1, -1))
