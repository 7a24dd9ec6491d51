import numpy as np
import pytest

from deep_mnist import data
from deep_mnist.errors import DatasetError


def test_the_generated_set_needs_no_file():
    digits = data.load("generated")
    assert digits.name == "generated"
    assert [len(split.labels) for split in (digits.train, digits.validation, digits.test)] == [
        9_000,
        1_000,
        2_000,
    ]


def test_validation_examples_can_stay_where_they_are():
    held_out, whole = data.load("generated"), data.load("generated", hold_out_validation=False)
    assert len(whole.validation.labels) == 0
    np.testing.assert_array_equal(
        whole.train.images, np.concatenate([held_out.validation.images, held_out.train.images])
    )
    np.testing.assert_array_equal(whole.test.labels, held_out.test.labels)


def test_mnist_that_cannot_be_had_is_said_in_capital_letters(capsys):
    digits = data.load("auto")
    assert digits.name == "generated"
    said = capsys.readouterr().err
    assert said.startswith("MNIST IS NEITHER ON DISK NOR REACHABLE: GOING ON WITH GENERATED DIGITS")


def test_mnist_asked_for_by_name_is_never_replaced():
    with pytest.raises(DatasetError, match="DEEP_MNIST_OFFLINE"):
        data.load("mnist")


def test_a_place_asked_for_is_never_replaced(tmp_path):
    with pytest.raises(DatasetError, match="train-images-idx3-ubyte"):
        data.load("auto", str(tmp_path))


@pytest.mark.mnist
def test_mnist_is_split_as_the_tutorial_splits_it(mnist_dir):
    digits = data.load("mnist", mnist_dir)
    assert [len(split.labels) for split in (digits.train, digits.validation, digits.test)] == [
        55_000,
        5_000,
        10_000,
    ]
    assert digits.validation.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert digits.test.labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert np.bincount(digits.test.labels).tolist() == [
        980,
        1135,
        1032,
        1010,
        982,
        892,
        958,
        1028,
        974,
        1009,
    ]
