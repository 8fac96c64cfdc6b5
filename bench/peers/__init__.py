"""What is measured: a module for each library, imported in a process of its own (worker.py), because they fight over
OpenMP runtimes and threads. It has

    make(name, settings)  an object with `version` and prepare(shape, input, kernel), which gives Variants

The arrays are channels last, the kernel is in PyTorch's order. A module gives several Variants where it is not known
beforehand which is fastest (memory formats, packed weights); the worker keeps the fastest of them.
"""

import dataclasses
import time
import typing

import numpy as np


class Refused(Exception):
    """The peer has no such layer; the text says why."""


def time_calls(call, seconds, before=None):
    """The seconds that each call took, without what is done before it; at least one."""
    times, end = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        if before:
            before()
        start = time.perf_counter_ns()
        call()
        times.append((time.perf_counter_ns() - start) * 1e-9)
    return times


@dataclasses.dataclass
class Variant:
    name: str
    call: typing.Callable
    # The last call's output as an array, channels last.
    output: typing.Callable
    # In place of time_calls(), for calls that Python need not make.
    time: typing.Callable = None
    # What a call needs done that is not its work.
    before: typing.Callable = None

    def times(self, seconds):
        return self.time(seconds) if self.time else time_calls(self.call, seconds, self.before)

    def once(self):
        if self.before:
            self.before()
        self.call()


def channels_first(array):
    return np.ascontiguousarray(np.moveaxis(array, -1, 1))


def channels_last(array):
    return np.ascontiguousarray(np.moveaxis(np.asarray(array), 1, -1))


def with_rows(shape, array):
    """A one-dimensional layer's array, of channels last, as an image of one row."""
    return array[:, None] if shape.rank == 1 else array
