"""Whether everyone computes the same: each output against a plain sum in double precision."""

import itertools

import numpy as np

# Of the largest output. Sums in float32 differ by 1e-6 or so and Winograd's by 1e-5; half precision, which some peers
# would take by themselves, by 1e-3.
TOLERANCE = 1e-4


def draw(shape, seed=1):
    """The input, channels last, and the kernel in PyTorch's order."""
    random = np.random.default_rng(seed)
    return (random.uniform(-1, 1, shape.input_shape).astype(np.float32),
            random.uniform(-1, 1, shape.kernel_shape).astype(np.float32))


def reference(shape, input, kernel):
    """Scatters each tap's products into the full output and crops that."""
    full = [(i - 1) * s + (k - 1) * d + 1 for i, s, k, d in
            zip(shape.size, shape.stride, shape.kernel, shape.dilation)]
    room = [max(f, c + o) for f, c, o in zip(full, shape.crop, shape.out)]
    y = np.zeros((shape.batch, *room, shape.groups, shape.filters // shape.groups))
    x = input.astype(np.float64).reshape(*input.shape[:-1], shape.groups, -1)
    w = kernel.astype(np.float64).reshape(shape.groups, -1, *kernel.shape[1:])
    for tap in itertools.product(*map(range, shape.kernel)):
        place = tuple(slice(t * d, t * d + (i - 1) * s + 1, s) for t, d, i, s in
                      zip(tap, shape.dilation, shape.size, shape.stride))
        product = np.einsum("ngc,gcf->ngf", x.reshape(-1, *x.shape[-2:]), w[(..., *tap)], optimize=True)
        y[(slice(None), *place)] += product.reshape(*x.shape[:-1], -1)
    window = tuple(slice(c, c + o) for c, o in zip(shape.crop, shape.out))
    return y[(slice(None), *window)].reshape(shape.output_shape)


def difference(output, wanted):
    """The largest, relative to the largest output; infinite where a value is not a number or the shape is another."""
    if output.shape != wanted.shape or not np.isfinite(output).all():
        return float("inf")
    return float(np.abs(output - wanted).max() / np.abs(wanted).max())


def disagreement(shape, peer, value):
    """What is wrong with an output of that difference; None: nothing."""
    if value <= TOLERANCE:
        return None
    return (f"{shape.name}: {peer}'s output differs by {value:.2g} of the largest output from a sum in double "
            f"precision (tolerance {TOLERANCE:.0e})")
