import numpy as np
import pytest

from deep_mnist import data
from deep_mnist.errors import DatasetError, DatasetUnreachableError


def sizes(digits):
    return [len(split.labels) for split in (digits.train, digits.validation, digits.test)]


def test_synthetic_digits_need_no_file():
    digits = data.load_data("generated")
    assert digits.name == "generated"
    assert sizes(digits) == [9_000, 1_000, 2_000]


def test_without_validation_all_examples_are_for_training():
    held_out, whole = (data.load_data("generated", validation_size=size) for size in (5_000, 0))
    assert sizes(whole) == [10_000, 0, 2_000]
    np.testing.assert_array_equal(
        whole.train.images, np.concatenate([held_out.validation.images, held_out.train.images])
    )
    np.testing.assert_array_equal(whole.test.labels, held_out.test.labels)


def test_load_data_never_substitutes_synthetic_digits():
    with pytest.raises(DatasetUnreachableError) as caught:
        data.load_data()
    assert caught.value.message == (
        "MNIST is not on disk, and DEEP_MNIST_OFFLINE forbids downloading it"
    )
    hint = caught.value.hint
    assert "train-images-idx3-ubyte.gz" in hint
    assert "deep_mnist/mnist" in hint
    assert "--data-dir" in hint
    assert "data_dir" in hint
    assert "--dataset generated" in hint


def test_the_commands_continue_with_synthetic_digits_and_a_warning_in_capital_letters(capsys):
    digits = data.load_data_or_synthetic("auto")
    assert digits.name == "generated"
    printed = capsys.readouterr()
    assert printed.out == ""
    warning, reason, hint = printed.err.splitlines()
    assert warning == (
        "warning: MNIST IS NEITHER ON DISK NOR REACHABLE. CONTINUING WITH SYNTHETIC DIGITS: "
        "ALL FIGURES BELOW ARE OF SYNTHETIC DIGITS, NOT OF MNIST."
    )
    assert reason == "MNIST is not on disk, and DEEP_MNIST_OFFLINE forbids downloading it"
    assert hint.startswith("hint: put train-images-idx3-ubyte.gz, ")


def test_the_commands_do_not_replace_a_dataset_that_was_named():
    with pytest.raises(DatasetUnreachableError):
        data.load_data_or_synthetic("mnist")


def test_the_commands_do_not_replace_a_directory_that_was_named(tmp_path):
    with pytest.raises(DatasetError, match="train-images-idx3-ubyte"):
        data.load_data_or_synthetic("auto", str(tmp_path))


@pytest.mark.parametrize("name", ["auto", "emnist"])
def test_an_unknown_dataset_is_an_error(name):
    with pytest.raises(DatasetError) as caught:
        data.load_data(name)
    assert str(caught.value) == (
        f"dataset: expected one of mnist, fashion-mnist, kmnist, generated, found {name!r}"
    )


@pytest.mark.mnist
def test_mnist_is_split_as_in_the_tutorial(mnist_dir):
    digits = data.load_data("mnist", mnist_dir)
    assert sizes(digits) == [55_000, 5_000, 10_000]
    assert digits.validation.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert digits.test.labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert np.bincount(digits.test.labels).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009
    ]  # fmt: skip


@pytest.mark.mnist
def test_the_validation_size_of_mnist_can_be_chosen(mnist_dir):
    digits = data.load_data("mnist", mnist_dir, validation_size=7)
    assert sizes(digits) == [59_993, 7, 10_000]
    for size in (-1, 60_000):
        with pytest.raises(DatasetError, match=f"expected 0 to 59999, found {size}"):
            data.load_data("mnist", mnist_dir, validation_size=size)
