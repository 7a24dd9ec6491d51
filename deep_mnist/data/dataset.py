"""A data set split as the tutorial splits it: by name, from disk, a mirror or the generator."""

from __future__ import annotations

import sys
from typing import NamedTuple

from deep_mnist.data import files, generated
from deep_mnist.data.batches import Split
from deep_mnist.data.errors import UnreachableError

NAMES = ("auto", "mnist", "fashion-mnist", "kmnist", "generated")
VALIDATION_EXAMPLES = 5_000  # the first of the training file, as in the tutorial

GENERATED_EXAMPLES = 12_000  # of which the first 1,000 validate and the last 2,000 test
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


def load(name: str = "auto", data_dir: str | None = None) -> Dataset:
    """Loads a data set; every file is verified on every load.

    Args:
      name: "mnist", "fashion-mnist", "kmnist", "generated", or "auto": MNIST, or generated
        digits (said in capital letters on standard error) where MNIST can't be had.
      data_dir: the only place to look in, if given.

    Raises:
      DataError: the set can't be had as asked.
    """
    if name == "generated":
        return _generated()
    try:
        arrays = files.load_arrays("mnist" if name == "auto" else name, data_dir)
    except UnreachableError as error:
        if name != "auto":
            raise
        print(FALLBACK.format(reason=error), file=sys.stderr)
        return _generated()
    return Dataset(
        "mnist" if name == "auto" else name,
        Split(arrays.train_images[VALIDATION_EXAMPLES:], arrays.train_labels[VALIDATION_EXAMPLES:]),
        Split(arrays.train_images[:VALIDATION_EXAMPLES], arrays.train_labels[:VALIDATION_EXAMPLES]),
        Split(arrays.test_images, arrays.test_labels),
        arrays.source,
    )


def _generated() -> Dataset:
    images, labels = generated.digits(GENERATED_EXAMPLES, GENERATED_SEED)
    return Dataset(
        "generated",
        Split(images[1_000:10_000], labels[1_000:10_000]),
        Split(images[:1_000], labels[:1_000]),
        Split(images[10_000:], labels[10_000:]),
        "drawn from strokes",
    )
