"""Writes keras_initializers.json: what Keras' initializers compute from a shape, the values of those that are not random,
and the configs that keras.initializers.serialize() writes. Run by hand, with the versions of requirements.txt:

    KERAS_BACKEND=jax JAX_PLATFORMS=cpu golden/bin/python from_keras_initializers.py

Kinds of cases: `fans` (compute_fans, and what each scaling initializer then asks of its distribution, taken down where
Keras calls its backend), `values`, `name` and `config` (an identifier and its serialised object), `refused` (an
identifier that keras.initializers.get() does not take). Left out: Identity's gain, which Keras 3.15 does not serialise.
"""

import json
import pathlib
import types

import keras
import numpy
from keras.src.initializers import ALL_OBJECTS_DICT, random_initializers

# Kernels (spatial..., filters, channels / groups) of rank 1 to 3, then vectors, matrices and a scalar.
SHAPES = [
    (1, 1, 1), (3, 4, 8), (5, 1, 7), (4, 16, 2), (2, 9, 9),
    (1, 1, 3, 5), (3, 3, 4, 8), (2, 5, 7, 3), (4, 4, 16, 1), (5, 1, 1, 32),
    (3, 3, 64, 48), (1, 1, 1, 2, 3), (3, 3, 3, 2, 4), (2, 3, 4, 5, 6), (1, 2, 1, 8, 1), (4, 4, 4, 1, 1),
    (), (1,), (7,), (64,), (0,), (1, 1), (3, 5), (16, 4), (0, 3), (3, 0, 4),
]  # fmt: skip

AXES = [
    ((3, 4, 8), [2], [0, 1]), ((3, 3, 4, 8), [0, 1, -1], [0, 1, -2]), ((2, 5, 7, 3), [], [1]), ((3, 5), [-2], None),
]  # fmt: skip

SCALING = "GlorotUniform GlorotNormal HeUniform HeNormal LecunUniform LecunNormal".split()

VARIANCE_SCALING = [
    dict(scale=scale, mode=mode, distribution=distribution)
    for scale, mode in [(1.0, "fan_in"), (0.5, "fan_out"), (3.0, "fan_avg")]
    for distribution in ["truncated_normal", "untruncated_normal", "uniform"]
]

VALUES = [
    ("Zeros", {}, (2, 3)), ("Zeros", {}, ()), ("Ones", {}, (3, 1, 2)), ("Ones", {}, (0, 4)),
    ("Constant", dict(value=-1.25), (4,)), ("Constant", dict(value=0.1), (1, 2)),
    ("Identity", {}, (3, 3)), ("Identity", {}, (2, 4)), ("Identity", dict(gain=0.3), (5, 2)), ("Identity", {}, (0, 2)),
]  # fmt: skip

CONFIGS = [
    ("Constant", dict(value=0.1)), ("Constant", dict(value=3)), ("RandomNormal", dict(mean=1.5, stddev=2, seed=0)),
    ("TruncatedNormal", dict(mean=-0.1, stddev=1e-3, seed=2**32 - 1)), ("TruncatedNormal", dict(stddev=-1.0)),
    ("RandomUniform", dict(minval=0, maxval=1, seed=7)), ("RandomUniform", dict(minval=2.0, maxval=2.0)),
    ("Orthogonal", dict(gain=1.4142135, seed=3)), ("Orthogonal", dict(gain=0)),
    ("VarianceScaling", dict(distribution="Normal")), ("VarianceScaling", dict(distribution="UNIFORM", mode="fan_out")),
    ("VarianceScaling", dict(scale=0.25, mode="fan_avg", seed=12, input_axes=[0, -1], output_axes=[1])),
    *[(name, dict(seed=5, input_axes=[0], output_axes=[-1])) for name in SCALING],
]  # fmt: skip

REFUSED = [
    "", "ZEROS", "varianceScaling", "he", "keras.initializers.Zeros", "constant",
    dict(class_name="Zeros", config=dict(value=1)), dict(class_name="GlorotUniform", config=dict(scale=2)),
    dict(class_name="VarianceScaling", config=dict(scale=0)),
    dict(class_name="VarianceScaling", config=dict(scale=-1.5)),
    dict(class_name="VarianceScaling", config=dict(mode="FAN_IN")),
    dict(class_name="VarianceScaling", config=dict(mode="fan_mean")),
    dict(class_name="VarianceScaling", config=dict(distribution="gamma")),
    dict(class_name="RandomNormal", config=dict(seed=1.5)), dict(class_name="HeNormal", config=dict(seed="1")),
]  # fmt: skip


def asked_of_the_backend(initializer, shape):
    """{"limit": ...} or {"stddev": ...}, and the distribution."""
    asked = {}

    def uniform(shape, minval, maxval, **_):
        assert minval == -maxval
        asked.update(distribution="uniform", limit=maxval)

    def normal(shape, mean, stddev, **_):
        assert mean == 0
        asked.update(distribution="untruncated_normal", stddev=stddev)

    def truncated_normal(shape, mean, stddev, **_):
        assert mean == 0
        asked.update(distribution="truncated_normal", stddev=stddev)

    real = random_initializers.random
    fakes = dict(uniform=uniform, normal=normal, truncated_normal=truncated_normal)
    random_initializers.random = types.SimpleNamespace(**fakes)
    try:
        initializer(shape)
    finally:
        random_initializers.random = real
    return asked


def made(class_name, arguments):
    return getattr(keras.initializers, class_name)(**arguments)


def fans(shape, input_axes=None, output_axes=None):
    axes = dict(input_axes=input_axes, output_axes=output_axes)
    if input_axes is None:
        axes = {}
    initializers = []
    for name, arguments in [(name, {}) for name in SCALING] + [("VarianceScaling", a) for a in VARIANCE_SCALING]:
        given = dict(class_name=name, config=arguments | axes)
        initializers.append(dict(given=given) | asked_of_the_backend(keras.initializers.get(given), shape))
    both = random_initializers.compute_fans(shape, **axes)
    return dict(kind="fans", shape=shape, with_axes=bool(axes), fans=both, initializers=initializers)


def cases():
    for shape in SHAPES:
        yield fans(shape)
    for shape, input_axes, output_axes in AXES:
        yield fans(shape, input_axes, output_axes)
    for class_name, arguments, shape in VALUES:
        values = numpy.asarray(made(class_name, arguments)(shape), "float32")
        given = dict(class_name=class_name, config=arguments)
        yield dict(kind="values", given=given, shape=shape, values=values.ravel().tolist())
    for name in sorted(ALL_OBJECTS_DICT):
        if name.lower() not in ("constant", "initializer", "stft", "stftinitializer"):
            yield dict(kind="name", given=name, serialized=keras.initializers.serialize(keras.initializers.get(name)))
    for class_name, arguments in CONFIGS:
        given = dict(class_name=class_name, config=arguments)
        serialized = keras.initializers.serialize(keras.initializers.get(given))
        yield dict(kind="config", given=given, serialized=serialized)
    for given in REFUSED:
        try:
            keras.initializers.get(given)
        except (ValueError, TypeError, KeyError):
            yield dict(kind="refused", given=given)
        else:
            raise AssertionError(f"Keras takes {given}")


def main():
    lines = [json.dumps(case) for case in cases()]
    path = pathlib.Path(__file__).parent / "keras_initializers.json"
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n")
    print(f"{path.name}: {len(lines)} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
