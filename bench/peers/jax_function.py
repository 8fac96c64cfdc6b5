"""JAX: a convolution of the input spread out by the stride, compiled by XLA for the CPU."""

import jax
import numpy as np

from peers import Variant


def make(name, settings):
    return Peer()


def flipped_kernel(shape, kernel):
    """Spatial sizes, channels of a group, filters; each tap mirrored, since the convolution runs forwards."""
    split = kernel.reshape(shape.groups, shape.channels // shape.groups, shape.filters // shape.groups, *shape.kernel)
    mirrored = split[(slice(None),) * 3 + (slice(None, None, -1),) * shape.rank]
    moved = np.moveaxis(mirrored, (1, 0, 2), (-3, -2, -1))
    return np.ascontiguousarray(moved.reshape(*shape.kernel, shape.channels // shape.groups, shape.filters))


class Peer:
    version = jax.__version__

    def prepare(self, shape, input, kernel):
        letters = "DHW"[-shape.rank:]
        reach = [(k - 1) * d for k, d in zip(shape.kernel, shape.dilation)]
        padding = [(r - front, r - end) for r, front, end in zip(reach, shape.crop, shape.crop_end)]
        function = jax.jit(lambda x, w: jax.lax.conv_general_dilated(
            x, w, (1,) * shape.rank, padding, lhs_dilation=shape.stride, rhs_dilation=shape.dilation,
            dimension_numbers=(f"N{letters}C", f"{letters}IO", f"N{letters}C"), feature_group_count=shape.groups))
        x, w = jax.device_put(input), jax.device_put(flipped_kernel(shape, kernel))
        compiled = function.lower(x, w).compile()
        result = []

        def call():
            result[:] = [compiled(x, w).block_until_ready()]

        yield Variant("jit", call, lambda: np.asarray(result[0]))
