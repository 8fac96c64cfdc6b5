"""TensorFlow's two words for padding, SAME and VALID, for those of its operations that know no others."""


def padding(shape):
    """The word, the extents to ask for, and where the wanted output begins in them. The output is cut out of VALID's
    where SAME would crop elsewhere."""
    total = [max(0, (i - 1) * s + k - o) for i, s, k, o in zip(shape.size, shape.stride, shape.kernel, shape.out)]
    fits = all(-(-o // s) == i for o, s, i in zip(shape.out, shape.stride, shape.size))
    if fits and all(crop == cut // 2 for crop, cut in zip(shape.crop, total)):
        return "SAME", shape.out, (0,) * shape.rank
    full = [max((i - 1) * s + k, c + o)
            for i, s, k, c, o in zip(shape.size, shape.stride, shape.kernel, shape.crop, shape.out)]
    return "VALID", tuple(full), shape.crop
