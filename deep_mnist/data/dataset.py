"""A data set split as the tutorial splits it: by name, from disk, a mirror or the generator."""

from __future__ import annotations

import sys
from typing import NamedTuple

from deep_mnist.data import search, synthetic
from deep_mnist.data.batches import Split
from deep_mnist.errors import DatasetUnreachableError

NAMES = ("auto", "mnist", "fashion-mnist", "kmnist", "generated")
VALIDATION_EXAMPLES = 5_000  # the first of the training file, as in the tutorial

GENERATED_EXAMPLES = 12_000
GENERATED_VALIDATION = 1_000  # the first
GENERATED_TEST = 2_000  # the last
GENERATED_SEED = 20151109  # always the same digits, so that figures compare

FALLBACK = (
    "MNIST IS NEITHER ON DISK NOR REACHABLE: GOING ON WITH GENERATED DIGITS. "
    "EVERY FIGURE BELOW IS OF GENERATED DIGITS, NOT OF MNIST.\n({reason})"
)


class Dataset(NamedTuple):
    """Ten classes of 28x28 digits, or of what the drop-in sets show."""

    name: str  # one of NAMES, never "auto"
    train: Split
    validation: Split
    test: Split
    source: str  # where the examples came from, for people to read


def load(
    name: str = "auto", data_dir: str | None = None, *, hold_out_validation: bool = True
) -> Dataset:
    """Loads a data set; every file is verified on every load.

    Args:
      name: "mnist", "fashion-mnist", "kmnist", "generated", or "auto": MNIST, or generated
        digits (said in capital letters on standard error) where MNIST can't be had.
      data_dir: the only place to look in, if given.
      hold_out_validation: if not, the validation examples stay where they are, at the head of
        the training ones, and the validation split is empty.

    Raises:
      DatasetError: the set can't be had as asked.
    """
    held_out = VALIDATION_EXAMPLES if hold_out_validation else 0
    generated_held_out = GENERATED_VALIDATION if hold_out_validation else 0
    if name == "generated":
        return _generated(generated_held_out)
    try:
        arrays = search.load_arrays("mnist" if name == "auto" else name, data_dir)
    except DatasetUnreachableError as error:
        if name != "auto":
            raise
        print(FALLBACK.format(reason=error), file=sys.stderr)
        return _generated(generated_held_out)
    return Dataset(
        "mnist" if name == "auto" else name,
        Split(arrays.train_images[held_out:], arrays.train_labels[held_out:]),
        Split(arrays.train_images[:held_out], arrays.train_labels[:held_out]),
        Split(arrays.test_images, arrays.test_labels),
        arrays.source,
    )


def _generated(held_out: int) -> Dataset:
    images, labels = synthetic.digits(GENERATED_EXAMPLES, GENERATED_SEED)
    return Dataset(
        "generated",
        Split(images[held_out:-GENERATED_TEST], labels[held_out:-GENERATED_TEST]),
        Split(images[:held_out], labels[:held_out]),
        Split(images[-GENERATED_TEST:], labels[-GENERATED_TEST:]),
        "drawn from strokes",
    )
