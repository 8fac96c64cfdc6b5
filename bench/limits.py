"""How fast a layer could be at most, by direct convolution, on what machine.py measured."""


def cache_share(machine, threads):
    """The part of the last-level cache that so many threads have for themselves."""
    return machine["cache_bytes"] * min(1, threads / machine["cache_sharers"])


def limit_gflops(shape, machine, threads):
    """The multiply-add peak; or, where the tensors exceed the cache, what moving each byte once leaves of it."""
    peak = machine["peak_gflops"][str(threads)]
    if shape.bytes_read + shape.bytes_written <= cache_share(machine, threads):
        return peak
    return min(peak, memory_gflops(shape, machine, threads))


def memory_gflops(shape, machine, threads):
    seconds = (shape.bytes_read / machine["read_gbs"][str(threads)] +
               shape.bytes_written / machine["write_gbs"][str(threads)]) * 1e-9
    return shape.flops / seconds * 1e-9


def intensity(shape):
    """Operations a byte, each byte moved once."""
    return shape.flops / (shape.bytes_read + shape.bytes_written)
