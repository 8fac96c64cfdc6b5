"""The programs of from_tf_layers.py: steps that enter a scope, leave it, or call a layer."""


def enter(name, reuse="none"):
    return {"enter": name, "reuse": reuse}


def call(name=None, reuse="none", input_shape=(1, 2, 3, 2), filters=2, kernel_size=(2, 2), **arguments):
    """Conv2D for an input of rank 4, Conv3D for one of rank 5."""
    own = {"input_shape": list(input_shape), "filters": filters, "kernel_size": list(kernel_size), "reuse": reuse}
    return {"call": own | ({} if name is None else {"name": name}) | arguments}


def call3d(name=None, reuse="none", **arguments):
    arguments = {"input_shape": (1, 2, 1, 2, 2), "kernel_size": (2, 1, 2)} | arguments
    return call(name, reuse, **arguments)


LEAVE = {"leave": True}

PROGRAMS = {
    # Default names.
    "default_names_count": [call(), call(), call()],
    "default_names_count_by_rank": [call(), call3d(), call(), call3d()],
    "default_name_of_a_taken_name": [call("conv2d_transpose"), call(), call("conv2d_transpose_2"), call()],
    "default_name_after_a_refused_one": [call("up"), call("up"), call(), call("up"), call()],
    "default_name_and_reuse_finds_the_base": [call(), call(), call(reuse="true"), call()],
    "default_name_and_reuse_without_one": [call(reuse="true"), call(reuse="true"), call()],
    "default_name_and_auto": [call(reuse="auto"), call(reuse="auto"), call(), call(reuse="auto")],
    "default_names_in_a_scope": [call(), enter("dec"), call(), call(), LEAVE, call()],
    "default_names_of_a_scope_entered_again": [enter("dec"), call(), LEAVE, enter("dec"), call(), call(), LEAVE],
    "default_names_of_a_scope_entered_with_reuse": [
        enter("dec"), call(), call(), LEAVE, enter("dec", "true"), call(), call(), call(), call(), LEAVE],
    "default_names_of_a_scope_entered_with_auto": [
        enter("dec"), call(), LEAVE,
        enter("dec", "auto"), call(), call(), LEAVE,
        enter("dec", "auto"), call(), LEAVE],
    "default_name_of_an_entered_scope": [enter("conv2d_transpose"), call("in"), LEAVE, call(), call()],
    "default_name_of_an_entered_scope_without_calls": [enter("conv2d_transpose"), LEAVE, call()],
    "default_name_within_its_own_scope": [enter("dec"), enter("conv2d_transpose"), call(), LEAVE, call(), LEAVE],
    "default_name_then_a_scope_of_it": [call(), enter("conv2d_transpose"), call(), LEAVE, call()],
    # Given names.
    "a_name_is_taken_once": [call("up"), call("up"), call("down")],
    "a_name_is_taken_by_scope": [call("up"), enter("dec"), call("up"), call("up"), LEAVE],
    "a_name_of_both_ranks": [call("up"), call3d("up"), call3d("up", "true"), call3d("up", "auto")],
    "a_name_with_a_slash": [call("a/b"), call("a/b"), enter("a"), call("b"), call("c"), LEAVE, call("a/c", "true")],
    "a_name_with_a_slash_in_a_scope": [enter("dec"), call("a/b"), LEAVE, enter("dec/a", "true"), call("b"), LEAVE],
    # Sharing.
    "reuse_shares": [call("up"), call("up", "true"), call("up", "true"), call("up")],
    "reuse_of_a_missing_name": [call("up", "true"), call("up"), call("up", "true")],
    "reuse_of_a_name_in_another_scope": [enter("dec"), call("up"), LEAVE, call("up", "true"), call("dec/up", "true")],
    "reuse_with_other_strides": [call("up"), call("up", "true", strides=[2, 3]), call("up", "true", padding="same")],
    "reuse_with_other_filters": [call("up"), call("up", "true", filters=3), call("up", "auto", filters=3)],
    "reuse_with_other_channels": [call("up"), call("up", "true", input_shape=(1, 2, 3, 4)), call("up", "true")],
    "reuse_with_other_kernel_size": [call("up"), call("up", "true", kernel_size=(2, 1))],
    "reuse_with_other_sizes": [call("up"), call("up", "true", input_shape=(2, 4, 1, 2))],
    "reuse_lacks_the_bias": [call("up", use_bias=False), call("up", "true"), call("up", "true", use_bias=False)],
    "reuse_without_the_bias": [call("up"), call("up", "true", use_bias=False), call("up", use_bias=False)],
    "auto_makes_and_finds": [call("up", "auto"), call("up", "auto"), call("up", "true"), call("up")],
    "auto_makes_the_bias_alone": [call("up", use_bias=False), call("down"), call("up", "auto"), call("up", "true")],
    "false_is_none": [call("up", "false"), call("up", "false"), call("up", "true")],
    # What a scope says of reuse.
    "scope_reuses": [enter("dec"), call("up"), LEAVE, enter("dec", "true"), call("up"), call("down"), LEAVE],
    "scope_reuses_what_was_never_made": [enter("dec", "true"), call("up"), LEAVE, enter("dec"), call("up"), LEAVE],
    "reuse_false_within_a_reusing_scope": [
        enter("dec"), call("up"), LEAVE, enter("dec", "true"), call("up", "false"), call("new", "false"), LEAVE],
    "auto_within_a_reusing_scope": [
        enter("dec"), call("up"), LEAVE, enter("dec", "true"), call("up", "auto"), call("new", "auto"), LEAVE],
    "reuse_within_an_auto_scope": [
        enter("dec", "auto"), call("up"), call("up", "true"), call("new", "true"), call("up", "false"), LEAVE],
    "auto_scope": [enter("dec", "auto"), call("up"), call("up"), call("new"), LEAVE, enter("dec"), call("up"), LEAVE],
    "reuse_is_inherited": [
        enter("a"), enter("b"), call("up"), LEAVE, LEAVE,
        enter("a", "true"), enter("b"), call("up"), call("new"), LEAVE,
        enter("b", "false"), call("up"), LEAVE, LEAVE],
    "auto_is_inherited": [enter("a", "auto"), enter("b"), call("up"), call("up"), LEAVE, LEAVE, enter("a/b"),
                          call("up"), LEAVE],
    "an_inner_scope_overrides": [
        enter("a", "true"), enter("b", "auto"), call("up"), enter("c", "true"), call("up"), LEAVE, LEAVE, LEAVE,
        enter("a", "auto"), enter("b", "true"), call("up"), call("new"), LEAVE, call("new"), LEAVE],
    "reuse_ends_with_the_scope": [
        enter("a"), call("up"), enter("b", "auto"), call("up"), LEAVE, call("up"), LEAVE, call("up"), call("up")],
    "a_scope_in_its_namesake": [enter("a"), enter("a"), call("up"), LEAVE, call("up"), LEAVE, call("a/up", "true")],
    "a_scope_of_two_names": [
        enter("a/b"), call("up"), LEAVE, enter("a"), enter("b", "true"), call("up"), LEAVE, LEAVE],
    "nested_scopes_count_apart": [
        enter("a"), call(), enter("b"), call(), call(), LEAVE, call(), LEAVE, enter("b"), call(), LEAVE, call()],
    "an_inner_scope_entered_again": [
        enter("a"), enter("b"), call(), LEAVE, enter("b"), call(), LEAVE, enter("b", "true"), call(), LEAVE, LEAVE],
    # Trainable or not.
    "not_trainable": [call("up", trainable=False), call("down"), call("nb", use_bias=False, trainable=False)],
    "not_trainable_then_shared": [call("up", trainable=False), call("up", "true"), call("up", "auto", trainable=True)],
    "trainable_then_shared": [call("up"), call("up", "true", trainable=False), call("down")],
    "not_trainable_bias_made_later": [call("up", use_bias=False), call("up", "auto", trainable=False)],
    # Numbers.
    "run_shared_weights": [call("up"), call("up", "true"), call("up", "auto", strides=[2, 2], padding="same")],
    "run_default_names": [call(), enter("dec"), call(), call(strides=[1, 3]), LEAVE, call(activation="relu")],
    "run_a_second_pass": [
        enter("dec"), call(), call("up"), LEAVE, enter("dec", "true"), call(), call("up", strides=[3, 1]), LEAVE],
    "run_channels_first": [
        call("up", data_format="channels_first", input_shape=(1, 2, 2, 3)), call("up", "true", activation="tanh")],
    "run_3d": [call3d(strides=[2, 1, 2]), call3d(reuse="true"), call3d("up", padding="same", use_bias=False)],
    "run_regularized": [
        call("up", kernel_regularizer="l2", bias_regularizer="l1"), call("up", "true", kernel_regularizer="l1"),
        call("down", activity_regularizer="l2", input_shape=(3, 2, 1, 2)), call("down", "true"),
        call("down", "auto", activity_regularizer="l1", strides=[2, 2])],
}

RUN = [name for name in PROGRAMS if name.startswith("run_")]


def random_program(generator):
    """Some ten steps over few names, so that they meet."""
    steps, depth = [], 0
    while len(steps) < 12:
        kind = generator.choice(["enter", "leave", "call", "call", "call"])
        if kind == "enter" and depth < 3:
            reuse = generator.choice(["none", "none", "none", "false", "true", "auto"])
            steps.append(enter(generator.choice(["a", "b", "a/b"]), reuse))
            depth += 1
        elif kind == "leave" and depth > 0:
            steps.append(LEAVE)
            depth -= 1
        elif kind == "call":
            arguments = {}
            if generator.random() < 0.2:
                arguments["use_bias"] = False
            if generator.random() < 0.2:
                arguments["trainable"] = False
            if generator.random() < 0.1:
                arguments["filters"] = 1
            name = generator.choice([None, None, "up", "up", "b/up", "a/b/up"])
            reuse = generator.choice(["none", "none", "false", "true", "auto", "auto"])
            steps.append(call(name, reuse, **arguments))
    return steps + [LEAVE] * depth
