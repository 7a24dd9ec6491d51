"""Which variable of a file is taken for which of a model, and where nothing is taken."""

import pytest

from deep_mnist.checkpoints.shapes import Spec
from deep_mnist.checkpoints.variable_matching import assign
from deep_mnist.errors import AmbiguousCheckpointError, DeepMnistError, ModelMismatchError

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


def file_of(shapes, **others):
    return {name: Spec(shape, "float32") for name, shape in {**shapes, **others}.items()}


def called(names, shapes=CNN):
    """A file that holds the variables of a model under other names."""
    return file_of(dict(zip(names, shapes.values(), strict=True)))


def numbered(first, count):
    return [f"Variable_{i}" if i else "Variable" for i in range(first, first + count)]


def names_in(assignment):
    return [source.name for source in assignment.sources.values()]


def trained(name):
    return False


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
def test_the_only_pair_is_the_softmax_whatever_its_name(names):
    assert names_in(assign(SOFTMAX, called(names, SOFTMAX), trained)) == names


@pytest.mark.parametrize(
    "names",
    [
        numbered(0, 8),
        numbered(5, 8),
        [f"{layer}/{n}" for layer in ("conv1", "conv2", "fc1", "fc2") for n in numbered(0, 2)],
        ["wc1", "bc1", "wc2", "bc2", "wd1", "bd1", "out_w", "out_b"],
    ],
)
def test_the_network_is_found_beside_a_softmax_and_what_adam_adds(names):
    file = called(names)
    file |= {f"{name}/{slot}": spec for name, spec in file.items() for slot in ("Adam", "Adam_1")}
    file |= {"train/beta1_power": Spec((), "float32"), "step": Spec((), "int64")}
    file |= file_of({"regression/W": (784, 10), "regression/b": (10,)})
    assert names_in(assign(CNN, file, lambda name: name.startswith("regression"))) == names


def test_weights_may_be_numbered_before_all_biases_or_after():
    order = [*list(CNN)[::2], *list(CNN)[1::2]]
    file = called(numbered(0, 8), {name: CNN[name] for name in order})
    assert names_in(assign(CNN, file, trained)) == [
        "Variable", "Variable_4", "Variable_1", "Variable_5",
        "Variable_2", "Variable_6", "Variable_3", "Variable_7",
    ]  # fmt: skip


def test_variable_10_comes_after_variable_2():
    file = called(["Variable_2", "Variable_3"], SOFTMAX)
    file |= file_of({"Variable_10": (1024, 10), "Variable_11": (10,)})
    assert names_in(assign(SOFTMAX, file, trained)) == ["Variable_2", "Variable_3"]


def test_a_pair_that_was_never_trained_is_left_out_and_named():
    file = called(numbered(0, 2), SOFTMAX) | called(numbered(2, 2), SOFTMAX)
    assignment = assign(SOFTMAX, file, lambda name: name in ("Variable", "Variable_1"))
    assert names_in(assignment) == ["Variable_2", "Variable_3"]
    assert assignment.sources["W"].reason == (
        "by shape and number; Variable and Variable_1 were never trained"
    )
    assert assignment.ignored == {
        "Variable": "never trained: all values of Variable are equal",
        "Variable_1": "never trained: all values of Variable are equal",
    }


def test_of_two_trained_pairs_none_is_taken_unless_named():
    file = called(numbered(0, 2), SOFTMAX) | called(numbered(2, 2), SOFTMAX)
    with pytest.raises(AmbiguousCheckpointError) as raised:
        assign(SOFTMAX, file, trained)
    assert raised.value.choices == [["Variable", "Variable_1"], ["Variable_2", "Variable_3"]]
    for choice in raised.value.choices:
        assert names_in(assign(SOFTMAX, file, trained, choice)) == choice


@pytest.mark.parametrize(
    "others",
    [
        {"old/conv1/W": (5, 5, 1, 32), "old/conv1/b": (32,)},
        {f"{n}/fc1/{v}": s for n in "ab" for v, s in (("W", (3136, 1024)), ("b", (1024,)))}
        | {"a/fc2/W": (1024, 10), "a/fc2/b": (10,)},
        {"a1": (32,), "a2": (64,), "a3": (1024,)},
    ],
)
def test_each_choice_that_is_named_decides_the_whole_model(others):
    file = called(numbered(0, 8)) | file_of(others)
    with pytest.raises(AmbiguousCheckpointError) as raised:
        assign(CNN, file, trained)
    for choice in raised.value.choices:
        assert sorted(names_in(assign(CNN, file, trained, choice))) == sorted(choice)


def test_a_scope_is_taken_by_a_pattern():
    file = file_of({f"{scope}/{name}": shape for scope in "ab" for name, shape in CNN.items()})
    with pytest.raises(AmbiguousCheckpointError):
        assign(CNN, file, trained)
    assert names_in(assign(CNN, file, trained, ["b/*"])) == [f"b/{name}" for name in CNN]


def test_a_moving_average_of_another_programs_variable_is_taken_only_when_named():
    averages = {f"{name}/ExponentialMovingAverage": SOFTMAX[name[:1]] for name in ("W1", "b1")}
    file = file_of({"W1": SOFTMAX["W"], "b1": SOFTMAX["b"], **averages})
    assert names_in(assign(SOFTMAX, file, trained)) == ["W1", "b1"]
    assert names_in(assign(SOFTMAX, file, trained, ["*/ExponentialMovingAverage"])) == [*averages]


def test_the_moving_averages_of_the_models_own_variables_are_its_weights():
    averages = {f"{name}/ExponentialMovingAverage": shape for name, shape in SOFTMAX.items()}
    file = file_of({**SOFTMAX, **averages})
    found = assign(SOFTMAX, file, trained)
    assert names_in(found) == [*averages]
    assert {source.reason for source in found.sources.values()} == {"the moving average"}
    assert names_in(assign(SOFTMAX, file, trained, ["W", "b"])) == ["W", "b"]


def test_averages_of_some_variables_alone_are_left_out():
    file = file_of({**SOFTMAX, "W/ExponentialMovingAverage": SOFTMAX["W"]})
    assert names_in(assign(SOFTMAX, file, trained)) == ["W", "b"]


def test_a_moving_average_in_a_scope_is_that_of_the_variable_outside():
    averages = {f"train/{name}/ExponentialMovingAverage": s for name, s in SOFTMAX.items()}
    assert assign(SOFTMAX, file_of({**SOFTMAX, **averages}), trained).ignored.keys() == {*averages}


def test_moving_averages_alone_are_the_weights():
    names = [f"{name}/ExponentialMovingAverage" for name in numbered(0, 8)]
    assert names_in(assign(CNN, called(names), trained)) == names


def test_a_normalized_network_is_nearest_to_the_model_whose_weights_it_has():
    file = file_of({**CNN, "bn/gamma": (32,), "bn/beta": (32,), "bn/moving_mean": (32,)})
    with pytest.raises(ModelMismatchError, match="batch normalization") as normalized:
        assign(CNN, file, trained)
    with pytest.raises(ModelMismatchError, match="it lacks W") as softmax:
        assign(SOFTMAX, file, trained)
    assert normalized.value.distance < softmax.value.distance


def test_a_name_to_take_that_is_not_there_is_an_error():
    with pytest.raises(DeepMnistError, match=r"--take V: .* found none among W, b$"):
        assign(SOFTMAX, file_of(SOFTMAX), trained, ["V"])


def test_numbers_that_pair_a_trained_bias_with_an_untrained_weight_are_not_followed():
    file = file_of(
        {name: shape for name, shape in CNN.items() if "fc2" not in name},
        Variable=(1024, 10),
        Variable_1=(784, 10),
        Variable_2=(10,),
        Variable_3=(10,),
    )
    assignment = assign(CNN, file, lambda name: name in ("Variable_1", "Variable_2"))
    assert names_in(assignment)[-2:] == ["Variable", "Variable_3"]


@pytest.mark.parametrize(
    ("name", "shape"),
    [("W_fc1", (7, 7, 64, 1024)), ("W_fc2", (1, 1, 1024, 10)), ("b_conv1", (1, 1, 1, 32))],
)
def test_a_reshape_that_moves_no_value_is_allowed(name, shape):
    assert names_in(assign(CNN, file_of({**CNN, name: shape}), trained)) == list(CNN)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("W_fc1", (64, 7, 7, 1024)), ("W_fc2", (10, 1024)), ("W_conv2", (64, 32, 5, 5))],
)
def test_another_arrangement_of_the_values_is_refused(name, shape):
    with pytest.raises(ModelMismatchError, match="as many values in another arrangement"):
        assign(CNN, file_of({**CNN, name: shape}), trained)


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"conv3/W": (3, 3, 64, 64), "conv3/b": (64,)}, r"holds conv3/W \[3, 3, 64, 64\], which"),
        ({"W_a": (1024, 300), "W_b": (300, 1024)}, r"holds W_b \[300, 1024\], which may stand"),
        ({"alpha": (1024,)}, r"holds alpha \[1024\], which may stand between its layers"),
        ({"bn/gamma": (32,), "bn/beta": (32,)}, "batch normalization"),
        ({"loc1/W": (784, 20), "loc2/W": (20, 6)}, r"holds loc2/W \[20, 6\], which may stand"),
    ],
)
def test_what_may_be_part_of_the_same_network_is_not_passed_over(others, message):
    with pytest.raises(DeepMnistError, match=message):
        assign(CNN, file_of({**CNN, **others}), trained)


def test_vectors_beside_the_same_weights_are_said_to_be_of_another_network():
    slopes = file_of({"a1": (32,), "a2": (64,), "a3": (1024,)})
    with pytest.raises(
        AmbiguousCheckpointError, match="several vectors for the same weights, as another"
    ):
        assign(CNN, called(numbered(0, 8)) | slopes, trained)


def test_a_last_layer_is_not_taken_for_a_softmax():
    file = file_of({"fc1/W": (784, 784), "fc1/b": (784,), "fc2/W": (784, 10), "fc2/b": (10,)})
    with pytest.raises(AmbiguousCheckpointError, match=r"holds fc1/W \[784, 784\]"):
        assign(SOFTMAX, file, trained)


def test_a_network_of_its_own_is_passed_over():
    file = file_of({**CNN, "letters/W": (784, 26), "letters/b": (26,)})
    assert assign(CNN, file, trained).ignored == {
        "letters/W": "belongs to no layer of this model",
        "letters/b": "belongs to no layer of this model",
    }


def test_an_untrained_softmax_beside_the_network_is_not_the_files_model():
    file = file_of({**CNN, **SOFTMAX})
    with pytest.raises(ModelMismatchError, match=r"^W was never trained .* W_conv1, W_conv2"):
        assign(SOFTMAX, file, lambda name: name in ("W", "b"))


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (
            file_of({"W": (784, 26), "b": (26,)}),
            "it lacks W [784, 10], b [10], and has W [784, 26], b [26]; "
            "it tells 26 classes apart, not 10",
        ),
        (file_of({"W": (784, 10)}), "it lacks b [10]"),
        (
            {"W": Spec((784, 10), "uint8"), "b": Spec((10,), "float32")},
            "it lacks W [784, 10]; W is quantized (uint8[784, 10])",
        ),
        ({}, "it lacks W [784, 10], b [10], and has no weights"),
    ],
)
def test_what_is_missing_is_said(file, message):
    with pytest.raises(ModelMismatchError) as raised:
        assign(SOFTMAX, file, trained)
    assert str(raised.value) == message
