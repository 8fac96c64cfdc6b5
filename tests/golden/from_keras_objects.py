"""What Keras' regularizers, constraints and activation layers make of small tensors, into keras_objects.json.

Run by hand: KERAS_BACKEND=jax python from_keras_objects.py. Each case has the identifier as it was `given`, the
`identifier` that Keras' serialize() writes for it, and either an `input` with its `result` or the exception that Keras
`raises`.
"""

import json
import pathlib

import keras
import numpy

SHAPES = [[7], [4, 3], [2, 3, 4], [2, 3, 2, 3], [2, 1, 3, 2, 2]]
MODULES = {
    "regularizer": keras.regularizers,
    "constraint": keras.constraints,
    "activation": keras.activations,
}


def by_class(class_name, module="", **config):
    given = {"class_name": class_name, "config": config}
    return {"module": module} | given if module else given


def layer(class_name, **config):
    return by_class(class_name, "keras.layers", **config)


REGULARIZERS = [
    "l1", "L1", "l2", "L2", "l1l2", "L1L2",
    by_class("L1", l1=0.25),
    by_class("l1", l1=3),
    by_class("L1", l1=None),
    by_class("L2", l2=0.5),
    by_class("L2", "keras.regularizers", l2=0),
    by_class("L1L2", l1=0.1, l2=0.2),
    by_class("L1L2", l2=1e-3),
    by_class("l1l2", l1=None, l2=0.75),
    {"class_name": "L2"},
    {"class_name": "L2", "config": None},
]
ORTHOGONAL = [
    "orthogonal_regularizer", "OrthogonalRegularizer",
    by_class("OrthogonalRegularizer", factor=0.3, mode="columns"),
    by_class("orthogonal_regularizer", factor=2, mode="rows"),
]
# Each with the least rank that it serves.
CONSTRAINTS = [
    (1, "non_neg"), (1, "NonNeg"), (1, "constraint"), (1, "max_norm"), (1, "MinMaxNorm"), (1, "unit_norm"),
    (1, by_class("MaxNorm", max_value=0.5, axis=-1)),
    (1, by_class("MaxNorm", max_value=100.0)),
    (1, by_class("max_norm", axis=None)),
    (1, by_class("MaxNorm", max_value=-1)),
    (1, by_class("UnitNorm", axis=[])),
    (1, by_class("UnitNorm", axis=[0])),
    (1, by_class("MinMaxNorm", min_value=2, max_value=1)),
    (1, by_class("MinMaxNorm", min_value=3.0, max_value=4.0, rate=0.25)),
    (1, by_class("min_max_norm", rate=2, axis=-1)),
    (2, by_class("UnitNorm", axis=1)),
    (2, by_class("UnitNorm", axis=[0, -1])),
    (3, by_class("MaxNorm", max_value=0.75, axis=[-2, 0])),
    (3, by_class("MinMaxNorm", min_value=1, max_value=2, rate=0.5, axis=[0, 2])),
    (4, by_class("MaxNorm", max_value=1.25, axis=[0, 1, 3])),
    (4, by_class("UnitNorm", axis=[2, 0])),
    (5, by_class("MaxNorm", max_value=0.1, axis=[4, 0, 2])),
]
ACTIVATIONS = [
    (1, "sparsemax"),
    (1, by_class("function", "keras.activations") | {"config": "sparsemax", "registered_name": "sparsemax"}),
    (1, layer("ReLU")),
    (1, layer("ReLU", max_value=6)),
    (1, layer("ReLU", max_value=1.5, negative_slope=0.25, threshold=0.5)),
    (1, layer("ReLU", negative_slope=0.5, threshold=1)),
    (1, layer("ReLU", max_value=1.0, threshold=2.0)),
    (1, layer("ReLU", max_value=0.0, name="off", trainable=False)),
    (1, layer("ReLU", negative_slope=0.125)),
    (1, layer("LeakyReLU")),
    (1, layer("LeakyReLU", negative_slope=0.1, dtype="float32")),
    (1, layer("LeakyReLU", alpha=0.4)),
    (1, layer("LeakyReLU", alpha=0.4, negative_slope=0.1)),
    (1, layer("ELU")),
    (1, layer("ELU", alpha=0.5, name=None)),
    (1, layer("ELU", alpha=-2)),
    (1, layer("Softmax")),
    (1, layer("Softmax", axis=None)),
    (2, layer("Softmax", axis=1)),
    (2, layer("Softmax", axis=[0])),
    (3, layer("Softmax", axis=[1, -1])),
    (4, layer("Softmax", axis=-3)),
]
REFUSED = {
    "regularizer": [
        "", "l3", "l1_l2", "L1l2", "Orthogonal", {"class_name": "foo", "config": {}}, {"config": {"l2": 1}},
        by_class("L2", l3=1), by_class("L2", l2=-0.5), by_class("L1", l1="1"), by_class("L1", l1=[1]),
        by_class("OrthogonalRegularizer", mode="x"), by_class("OrthogonalRegularizer", mode=None),
        by_class("OrthogonalRegularizer", factor=None), by_class("OrthogonalRegularizer", factor=-1),
    ],
    "constraint": [
        "", "maxnorm", "nonneg", "unit", {"class_name": "foo", "config": {}}, {"config": {}},
        by_class("NonNeg", axis=0), by_class("MaxNorm", maximum=1),
    ],
    "activation": [
        "", "ReLU", "LeakyReLU", "relu7", layer("ReLU", max_value=-1), layer("ReLU", negative_slope=-1),
        layer("ReLU", threshold=-1), layer("ReLU", threshold=None), layer("ReLU", alpha=1),
        layer("LeakyReLU", negative_slope=-0.1), layer("LeakyReLU", alpha=None), layer("ELU", slope=1),
        by_class("relu"), layer("Relu"),
    ],
}


def draw(rng, shape):
    """Numbers with few digits, some of them zero."""
    return (numpy.round(rng.normal(size=shape) * 8) / 8).astype("float32")


def apply(kind, given, x):
    keras.backend.clear_session()  # names of layers count from 1 again
    module = MODULES[kind]
    made = module.get(given)
    result = numpy.asarray(made(keras.ops.convert_to_tensor(x)))
    if not numpy.isfinite(result).all():
        raise ValueError(f"{given} gives {result}")
    return {
        "kind": kind,
        "given": given,
        "identifier": module.serialize(made),
        "input": {"shape": list(x.shape), "values": x.ravel().tolist()},
        "result": [float(f"{value:.9g}") for value in result.ravel().tolist()],
    }


def refuse(kind, given):
    try:
        MODULES[kind].get(given)
    except (TypeError, ValueError) as error:
        return {"kind": kind, "given": given, "raises": type(error).__name__}
    raise ValueError(f"Keras has {kind} {given}")


def cases():
    rng = numpy.random.default_rng(20)
    for index, given in enumerate(REGULARIZERS):
        for shape in (SHAPES[index % 5], SHAPES[(index + 2) % 5]):
            yield apply("regularizer", given, draw(rng, shape))
    for given in ORTHOGONAL:
        for shape in ([4, 3], [2, 5]):
            yield apply("regularizer", given, draw(rng, shape))
    tiny = numpy.full([3, 2], 2e-8, "float32")  # norms below epsilon
    yield apply("regularizer", "orthogonal_regularizer", tiny)
    for index, (rank, given) in enumerate(CONSTRAINTS):
        shapes = SHAPES[rank - 1:]
        for offset in range(min(2, len(shapes))):
            yield apply("constraint", given, draw(rng, shapes[(index + offset) % len(shapes)]))
    for given in ("max_norm", "unit_norm"):
        yield apply("constraint", given, numpy.zeros([2, 3], "float32"))
        yield apply("constraint", given, tiny)
    for index, (rank, given) in enumerate(ACTIVATIONS):
        shapes = SHAPES[rank - 1:]
        yield apply("activation", given, draw(rng, shapes[index % len(shapes)]) * 2)
    for kind, refused in REFUSED.items():
        for given in refused:
            yield refuse(kind, given)


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(case, allow_nan=False) for case in cases())
    pathlib.Path(__file__).with_name("keras_objects.json").write_text(f"[\n{lines}\n]\n")
