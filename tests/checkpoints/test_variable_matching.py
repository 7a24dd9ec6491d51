"""Which variable of a checkpoint is which of a model, and which checkpoints are refused."""

import pytest

from deep_mnist.checkpoints.variable_matching import match_variables
from deep_mnist.checkpoints.variables import Spec
from deep_mnist.errors import AmbiguousCheckpointError, CheckpointError, ModelMismatchError

SOFTMAX = {"W": (784, 10), "b": (10,)}
CNN = {
    "W_conv1": (5, 5, 1, 32),
    "b_conv1": (32,),
    "W_conv2": (5, 5, 32, 64),
    "b_conv2": (64,),
    "W_fc1": (3136, 1024),
    "b_fc1": (1024,),
    "W_fc2": (1024, 10),
    "b_fc2": (10,),
}


def checkpoint_of(shapes, **others):
    return {name: Spec(shape, "float32") for name, shape in {**shapes, **others}.items()}


def renamed(names, shapes=CNN):
    """The variables of a model under other names."""
    return checkpoint_of(dict(zip(names, shapes.values(), strict=True)))


def numbered(first, count):
    return [f"Variable_{i}" if i else "Variable" for i in range(first, first + count)]


def names_in(match):
    return [source.name for source in match.sources.values()]


def always_trained(name):
    return False


def matched_names(model, found, is_constant=always_trained, prefer=()):
    return names_in(match_variables(model, found, is_constant, prefer))


@pytest.mark.parametrize(
    "names",
    [
        ["Variable", "Variable_1"],
        ["regression/W", "regression/B"],
        ["regression/Variable", "regression/Variable_1"],
        ["model/weight", "model/bias"],
        ["softmax_linear/weights", "softmax_linear/biases"],
        ["dense/kernel", "dense/bias"],
        ["layer/weights/Variable", "layer/biases/Variable"],
        ["adam/W", "adam/b"],
    ],
)
def test_a_single_pair_matches_softmax_under_any_name(names):
    assert matched_names(SOFTMAX, renamed(names, SOFTMAX)) == names


@pytest.mark.parametrize(
    "names",
    [
        numbered(0, 8),
        numbered(5, 8),
        [f"{layer}/{n}" for layer in ("conv1", "conv2", "fc1", "fc2") for n in numbered(0, 2)],
        ["wc1", "bc1", "wc2", "bc2", "wd1", "bd1", "out_w", "out_b"],
    ],
)
def test_a_cnn_matches_among_adam_slots_and_an_untrained_softmax(names):
    found = renamed(names)
    found |= {f"{name}/{slot}": spec for name, spec in found.items() for slot in ("Adam", "Adam_1")}
    found |= {"train/beta1_power": Spec((), "float32"), "step": Spec((), "int64")}
    found |= checkpoint_of({"regression/W": (784, 10), "regression/b": (10,)})
    assert matched_names(CNN, found, lambda name: name.startswith("regression")) == names


def test_all_weights_may_be_numbered_before_all_biases():
    order = [*list(CNN)[::2], *list(CNN)[1::2]]
    found = renamed(numbered(0, 8), {name: CNN[name] for name in order})
    assert matched_names(CNN, found) == [
        "Variable", "Variable_4", "Variable_1", "Variable_5",
        "Variable_2", "Variable_6", "Variable_3", "Variable_7",
    ]  # fmt: skip


def test_variable_10_is_ordered_after_variable_2():
    found = renamed(["Variable_2", "Variable_3"], SOFTMAX)
    found |= checkpoint_of({"Variable_10": (1024, 10), "Variable_11": (10,)})
    assert matched_names(SOFTMAX, found) == ["Variable_2", "Variable_3"]


def test_an_untrained_pair_is_unused_with_its_reason():
    found = renamed(numbered(0, 2), SOFTMAX) | renamed(numbered(2, 2), SOFTMAX)
    match = match_variables(SOFTMAX, found, lambda name: name in ("Variable", "Variable_1"))
    assert names_in(match) == ["Variable_2", "Variable_3"]
    assert match.sources["W"].reason == (
        "same shape and order; Variable and Variable_1 are untrained"
    )
    assert match.unused == {
        "Variable": "untrained: all values of Variable are equal",
        "Variable_1": "untrained: all values of Variable are equal",
    }


def test_two_trained_pairs_are_ambiguous_unless_one_is_preferred():
    found = renamed(numbered(0, 2), SOFTMAX) | renamed(numbered(2, 2), SOFTMAX)
    with pytest.raises(AmbiguousCheckpointError) as raised:
        match_variables(SOFTMAX, found, always_trained)
    assert raised.value.choices == [["Variable", "Variable_1"], ["Variable_2", "Variable_3"]]
    for choice in raised.value.choices:
        assert matched_names(SOFTMAX, found, prefer=choice) == choice


COPIES = {
    **{f"online/{name}": shape for name, shape in CNN.items()},
    **{f"target/{name}": shape for name, shape in CNN.items()},
}


def same_layer(first, second):
    """Whether two names are those of the same variable in two networks."""
    return first.rpartition("/")[2] == second.rpartition("/")[2]


def test_of_two_equal_copies_of_a_network_the_first_is_used():
    match = match_variables(CNN, checkpoint_of(COPIES), always_trained, are_equal=same_layer)
    assert names_in(match) == [f"online/{name}" for name in CNN]
    assert match.unused["target/W_conv1"] == "equal to online/W_conv1"


def test_copies_that_differ_in_one_variable_are_ambiguous():
    def are_equal(first, second):
        return same_layer(first, second) and not first.endswith("b_fc2")

    with pytest.raises(AmbiguousCheckpointError, match="has several variables that fit") as raised:
        match_variables(CNN, checkpoint_of(COPIES), always_trained, are_equal=are_equal)
    assert raised.value.choices == [
        [f"online/{name}" for name in CNN],
        [f"target/{name}" for name in CNN],
    ]


def test_an_equal_vector_for_the_same_weights_is_not_a_copy():
    """Slopes of PReLU may have the initial value of the biases."""
    found = checkpoint_of(CNN, slopes=(32,))
    with pytest.raises(AmbiguousCheckpointError):
        match_variables(CNN, found, always_trained, are_equal=lambda first, second: True)


@pytest.mark.parametrize(
    "others",
    [
        {"old/conv1/W": (5, 5, 1, 32), "old/conv1/b": (32,)},
        {f"{n}/fc1/{v}": s for n in "ab" for v, s in (("W", (3136, 1024)), ("b", (1024,)))}
        | {"a/fc2/W": (1024, 10), "a/fc2/b": (10,)},
        {"a1": (32,), "a2": (64,), "a3": (1024,)},
    ],
)
def test_each_choice_of_an_ambiguous_checkpoint_selects_a_whole_model(others):
    found = renamed(numbered(0, 8)) | checkpoint_of(others)
    with pytest.raises(AmbiguousCheckpointError) as raised:
        match_variables(CNN, found, always_trained)
    for choice in raised.value.choices:
        assert sorted(matched_names(CNN, found, prefer=choice)) == sorted(choice)


def test_a_pattern_selects_a_scope():
    found = checkpoint_of(
        {f"{scope}/{name}": shape for scope in "ab" for name, shape in CNN.items()}
    )
    with pytest.raises(AmbiguousCheckpointError):
        match_variables(CNN, found, always_trained)
    assert matched_names(CNN, found, prefer=["b/*"]) == [f"b/{name}" for name in CNN]


def test_moving_averages_of_renamed_variables_are_used_only_if_preferred():
    averages = {f"{name}/ExponentialMovingAverage": SOFTMAX[name[:1]] for name in ("W1", "b1")}
    found = checkpoint_of({"W1": SOFTMAX["W"], "b1": SOFTMAX["b"], **averages})
    assert matched_names(SOFTMAX, found) == ["W1", "b1"]
    assert matched_names(SOFTMAX, found, prefer=["*/ExponentialMovingAverage"]) == [*averages]


def test_moving_averages_of_the_models_own_variables_are_used_by_default():
    averages = {f"{name}/ExponentialMovingAverage": shape for name, shape in SOFTMAX.items()}
    found = checkpoint_of({**SOFTMAX, **averages})
    match = match_variables(SOFTMAX, found, always_trained)
    assert names_in(match) == [*averages]
    assert {source.reason for source in match.sources.values()} == {"moving average"}
    assert matched_names(SOFTMAX, found, prefer=["W", "b"]) == ["W", "b"]


def test_moving_averages_of_only_some_variables_are_unused():
    found = checkpoint_of({**SOFTMAX, "W/ExponentialMovingAverage": SOFTMAX["W"]})
    assert matched_names(SOFTMAX, found) == ["W", "b"]


def test_a_moving_average_in_a_scope_belongs_to_the_variable_outside():
    averages = {f"train/{name}/ExponentialMovingAverage": s for name, s in SOFTMAX.items()}
    assert match_variables(
        SOFTMAX, checkpoint_of({**SOFTMAX, **averages}), always_trained
    ).unused.keys() == {*averages}


def test_moving_averages_without_their_variables_are_the_weights():
    names = [f"{name}/ExponentialMovingAverage" for name in numbered(0, 8)]
    assert matched_names(CNN, renamed(names)) == names


def test_a_network_with_batch_normalization_is_nearest_to_the_model_with_its_weights():
    found = checkpoint_of({**CNN, "bn/gamma": (32,), "bn/beta": (32,), "bn/moving_mean": (32,)})
    with pytest.raises(
        ModelMismatchError, match="has the batch-normalization variables bn/beta"
    ) as normalized:
        match_variables(CNN, found, always_trained)
    with pytest.raises(ModelMismatchError, match="has no variable W") as softmax:
        match_variables(SOFTMAX, found, always_trained)
    assert normalized.value.distance < softmax.value.distance


def test_a_preferred_name_without_a_match_is_an_error():
    with pytest.raises(CheckpointError, match=r"no weights that match V: it has W, b$"):
        match_variables(SOFTMAX, checkpoint_of(SOFTMAX), always_trained, ["V"])


def test_an_order_that_pairs_a_trained_bias_with_an_untrained_weight_is_ignored():
    found = checkpoint_of(
        {name: shape for name, shape in CNN.items() if "fc2" not in name},
        Variable=(1024, 10),
        Variable_1=(784, 10),
        Variable_2=(10,),
        Variable_3=(10,),
    )
    match = match_variables(CNN, found, lambda name: name in ("Variable_1", "Variable_2"))
    assert names_in(match)[-2:] == ["Variable", "Variable_3"]


@pytest.mark.parametrize(
    ("name", "shape"),
    [("W_fc1", (7, 7, 64, 1024)), ("W_fc2", (1, 1, 1024, 10)), ("b_conv1", (1, 1, 1, 32))],
)
def test_a_weight_is_reshaped_if_its_values_keep_their_order(name, shape):
    assert matched_names(CNN, checkpoint_of({**CNN, name: shape})) == list(CNN)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("W_fc1", (64, 7, 7, 1024)), ("W_fc2", (10, 1024)), ("W_conv2", (64, 32, 5, 5))],
)
def test_a_transposed_weight_is_another_model(name, shape):
    with pytest.raises(ModelMismatchError, match=r"has no variable .*, found "):
        match_variables(CNN, checkpoint_of({**CNN, name: shape}), always_trained)


@pytest.mark.parametrize(
    ("others", "message"),
    [
        (
            {"conv3/W": (3, 3, 64, 64), "conv3/b": (64,)},
            r"also has conv3/W \[3, 3, 64, 64\], which",
        ),
        (
            {"W_a": (1024, 300), "W_b": (300, 1024)},
            r"also has W_b \[300, 1024\], which may be a part",
        ),
        ({"alpha": (1024,)}, r"also has alpha \[1024\], which may be a part of the same"),
        ({"bn/gamma": (32,), "bn/beta": (32,)}, "batch-normalization"),
        (
            {"loc1/W": (784, 20), "loc2/W": (20, 6)},
            r"also has loc2/W \[20, 6\], which may be a part",
        ),
    ],
)
def test_an_unused_variable_that_may_belong_to_the_network_is_an_error(others, message):
    with pytest.raises(CheckpointError, match=message):
        match_variables(CNN, checkpoint_of({**CNN, **others}), always_trained)


def test_several_vectors_for_the_same_weights_suggest_another_network():
    slopes = checkpoint_of({"a1": (32,), "a2": (64,), "a3": (1024,)})
    with pytest.raises(
        AmbiguousCheckpointError,
        match="several vectors fit the same weights, which suggests another",
    ):
        match_variables(CNN, renamed(numbered(0, 8)) | slopes, always_trained)


def test_the_last_layer_of_a_deeper_network_is_not_a_softmax_regression():
    found = checkpoint_of(
        {"fc1/W": (784, 784), "fc1/b": (784,), "fc2/W": (784, 10), "fc2/b": (10,)}
    )
    with pytest.raises(AmbiguousCheckpointError, match=r"also has fc1/W \[784, 784\]"):
        match_variables(SOFTMAX, found, always_trained)


def test_an_independent_network_is_unused():
    found = checkpoint_of({**CNN, "letters/W": (784, 26), "letters/b": (26,)})
    assert match_variables(CNN, found, always_trained).unused == {
        "letters/W": "not in this model",
        "letters/b": "not in this model",
    }


def test_an_untrained_softmax_next_to_another_network_is_not_the_model():
    found = checkpoint_of({**CNN, **SOFTMAX})
    with pytest.raises(
        ModelMismatchError,
        match=r"only initial values \(all equal\) for W, .* another network: W_conv1, W_conv2",
    ):
        match_variables(SOFTMAX, found, lambda name: name in ("W", "b"))


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (
            checkpoint_of({"W": (784, 26), "b": (26,)}),
            "checkpoint has no variable W [784, 10], b [10], "
            "found W float32[784, 26], b float32[26]",
        ),
        (checkpoint_of({"W": (784, 10)}), "checkpoint has no variable b [10]"),
        (
            {"W": Spec((784, 10), "uint8"), "b": Spec((10,), "float32")},
            "checkpoint has no variable W [784, 10], found W uint8[784, 10]",
        ),
        ({}, "checkpoint has no variable W [784, 10], b [10], found no weights"),
    ],
)
def test_missing_variables_are_listed_with_what_was_found(found, message):
    with pytest.raises(ModelMismatchError) as raised:
        match_variables(SOFTMAX, found, always_trained)
    assert str(raised.value) == message
