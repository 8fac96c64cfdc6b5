"""What TensorFlow 1's functional layers do with names, scopes and sharing: programs of calls, and what came of each.

    golden/bin/python from_tf_layers.py          # writes tf_layers.json

The calls are tf.compat.v1.layers.conv2d_transpose and conv3d_transpose in graph mode, which tf_keras serves; TensorFlow
has no conv1d_transpose. Recorded of a call: its static output shape or its error with the variable that it names, and
the graph's variables and trainable variables after it. The programs of RUN are run in a session too, with fixed values
of the variables: their calls have an input and an output, and the program its REGULARIZATION_LOSSES.
Left out, because tconv follows TensorFlow's page where its code differs or because it has no such thing:
bias_initializer=None (no bias in tconv), entering a scope that is an object, names that end in '/', and a layer's name
that puts it in a scope which is opened by itself elsewhere ('a/conv2d_transpose': TensorFlow counts it in both).
"""

import json
import os
import pathlib
import random
import re

os.environ |= {"TF_USE_LEGACY_KERAS": "1", "TF_ENABLE_ONEDNN_OPTS": "0", "TF_CPP_MIN_LOG_LEVEL": "3"}

import numpy
import tensorflow
import tf_keras

from tf_layers_programs import PROGRAMS, RUN, random_program

tf = tensorflow.compat.v1
REUSE = {"none": None, "false": False, "true": True, "auto": tf.AUTO_REUSE}
ERRORS = {"already exists": "exists", "does not exist": "missing", "but specified shape": "shape"}
RANDOM_PROGRAMS = 24


def draw(rng, shape):
    """Three digits, so that the text is short and exact."""
    return (numpy.round(rng.standard_normal(shape), 3) + 0.0).astype(numpy.float32)


def to_json(array):
    return {"shape": list(array.shape), "data": [float(str(value)) for value in array.ravel()]}


def names(variables):
    return [variable.name.removesuffix(":0") for variable in variables]


def conv_transpose(arguments):
    """The output of a call that a program wrote down, and the input that it made."""
    arguments = dict(arguments)
    inputs = tf.placeholder(tf.float32, arguments.pop("input_shape"))
    for key in ("kernel_regularizer", "bias_regularizer", "activity_regularizer"):
        if key in arguments:
            arguments[key] = tf_keras.regularizers.get(arguments[key])
    if "activation" in arguments:
        arguments["activation"] = tf_keras.activations.get(arguments["activation"])
    function = getattr(tf.layers, f"conv{len(inputs.shape) - 2}d_transpose")
    return inputs, function(inputs, **arguments | {"reuse": REUSE[arguments.get("reuse", "none")]})


def record_call(step, arguments):
    try:
        inputs, output = conv_transpose(arguments)
        step["output_shape"] = output.shape.as_list()
    except ValueError as error:
        step["error"] = next(kind for part, kind in ERRORS.items() if part in str(error))
        step["error_variable"] = re.search(r"ariable (\S+?),? ", str(error))[1]
        inputs = output = None
    step["variables"] = names(tf.global_variables())
    step["trainable_variables"] = names(tf.trainable_variables())
    return inputs, output


def record(name, steps):
    """One program, in a graph of its own."""
    recorded = [dict(step) for step in steps]
    scopes = []
    with tf.Graph().as_default() as graph:
        calls = []
        for step in recorded:
            if "enter" in step:
                scopes.append(tf.variable_scope(step["enter"], reuse=REUSE[step["reuse"]]))
                scope = scopes[-1].__enter__()
                step["scope_name"] = scope.name
                step["scope_reuse"] = "auto" if scope.reuse is tf.AUTO_REUSE else str(bool(scope.reuse)).lower()
            elif "leave" in step:
                scopes.pop().__exit__(None, None, None)
            else:
                calls.append((step, *record_call(step, step["call"])))
        program = {"name": name, "steps": recorded}
        if name in RUN:
            rng = numpy.random.default_rng(sum(map(ord, name)))
            run(rng, graph, program, [call for call in calls if call[1] is not None])
    return program


def run(rng, graph, program, calls):
    variables = {variable: draw(rng, variable.shape.as_list()) for variable in tf.global_variables()}
    inputs = {inputs: draw(rng, inputs.shape.as_list()) for _, inputs, _ in calls}
    program["values"] = dict(zip(names(variables), map(to_json, variables.values())))
    losses = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
    with tf.Session(graph=graph) as session:
        for variable, value in variables.items():
            variable.load(value, session)
        for step, placeholder, output in calls:
            step["input"] = to_json(inputs[placeholder])
            step["output"] = to_json(session.run(output, {placeholder: inputs[placeholder]}))
        program["regularization_losses"] = sorted(float(str(loss)) for loss in session.run(losses, inputs))


def main():
    programs = [record(name, steps) for name, steps in PROGRAMS.items()]
    for index in range(RANDOM_PROGRAMS):
        programs.append(record(f"random_{index:02}", random_program(random.Random(index))))
    file = pathlib.Path(__file__).parent / "tf_layers.json"
    file.write_text("[\n" + ",\n".join(json.dumps(program) for program in programs) + "\n]\n")
    calls = [step for program in programs for step in program["steps"] if "call" in step]
    print(f"{len(programs)} programs, {len(calls)} calls, {sum('error' in call for call in calls)} refused, "
          f"{sum('output' in call for call in calls)} run, {file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
