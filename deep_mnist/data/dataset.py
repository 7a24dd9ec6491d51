"""Load a dataset, split into training, validation and test examples."""

from __future__ import annotations

import sys
from typing import NamedTuple

from deep_mnist.data import registry, search, synthetic
from deep_mnist.data.batches import Split
from deep_mnist.errors import DatasetError, DatasetUnreachableError

__all__ = ["DATASETS", "Dataset", "load_data", "load_data_or_synthetic"]

DATASETS = (*registry.DATASETS, "generated")

SYNTHETIC_EXAMPLES = 12_000
SYNTHETIC_VALIDATION = 1_000  # the first
SYNTHETIC_TEST = 2_000  # the last
SYNTHETIC_SEED = 20151109  # always the same digits, so that results are comparable

SYNTHETIC_WARNING = (
    "warning: MNIST IS NEITHER ON DISK NOR REACHABLE. CONTINUING WITH SYNTHETIC DIGITS: "
    "ALL FIGURES BELOW ARE OF SYNTHETIC DIGITS, NOT OF MNIST.\n"
    "{reason}"
)


class Dataset(NamedTuple):
    """Images of 28x28 pixels in ten classes."""

    name: str  #: "mnist", "fashion-mnist", "kmnist" or "generated"
    train: Split  #: of MNIST 55,000 examples
    validation: Split  #: of MNIST 5,000 examples
    test: Split  #: of MNIST 10,000 examples
    source: str  #: where the examples come from, such as a directory


def load_data(
    name: str = "mnist", data_dir: str | None = None, *, validation_size: int = 5_000
) -> Dataset:
    """Load a dataset from disk, or download it.

    The files are searched for in `data_dir`, else in $DEEP_MNIST_DATA_DIR, else in MNIST_data/,
    Keras's cache and the user's cache directory, into which they are downloaded if need be. Their
    SHA-256 is verified on every load.

    Args:
      name: "mnist", "fashion-mnist", "kmnist", or "generated" for synthetic digits.
      data_dir: the only directory (or .npz file) that is searched, if given.
      validation_size: number of training images, the first, that are the validation set. Of the
        12,000 synthetic digits 1,000 are, unless it is 0.

    Returns:
      The dataset; images are [N, 784] uint8 in 0..255 and labels [N] uint8 in 0..9.

    Raises:
      DatasetUnreachableError: the dataset is neither on disk nor can it be downloaded.
      DatasetError: the files are damaged or of another dataset, or an argument is wrong.

    Example:
      >>> from deep_mnist import load_data
      >>> digits = load_data("generated")  # synthetic digits need no files
      >>> digits.train.images.shape, digits.test.images.shape
      ((9000, 784), (2000, 784))
      >>> digits.test.labels[:5].tolist()
      [3, 6, 9, 9, 7]
    """
    if name not in DATASETS:
        raise DatasetError(f"dataset: expected one of {', '.join(DATASETS)}, found {name!r}")
    if name == "generated":
        return _synthetic(SYNTHETIC_VALIDATION if validation_size else 0)
    arrays = search.load_arrays(name, data_dir)
    if not 0 <= validation_size < len(arrays.train_labels):
        raise DatasetError(
            f"validation_size: expected 0 to {len(arrays.train_labels) - 1}, "
            f"found {validation_size}"
        )
    return Dataset(
        name,
        Split(arrays.train_images[validation_size:], arrays.train_labels[validation_size:]),
        Split(arrays.train_images[:validation_size], arrays.train_labels[:validation_size]),
        Split(arrays.test_images, arrays.test_labels),
        arrays.source,
    )


def load_data_or_synthetic(
    name: str = "auto", data_dir: str | None = None, *, validation_size: int = 5_000
) -> Dataset:
    """Load a dataset as the commands do, which continue without MNIST.

    Args:
      name: a dataset as for `load_data`, or "auto": MNIST, or where it is neither on disk nor
        reachable, synthetic digits with a warning in capital letters on standard error.
      data_dir: as for `load_data`.
      validation_size: as for `load_data`.

    Returns:
      The dataset; its name is "mnist" or "generated" for "auto".

    Raises:
      DatasetError: as for `load_data`; for "auto" only if the files that were found are wrong.
    """
    if name != "auto":
        return load_data(name, data_dir, validation_size=validation_size)
    try:
        return load_data("mnist", data_dir, validation_size=validation_size)
    except DatasetUnreachableError as error:
        print(SYNTHETIC_WARNING.format(reason=error), file=sys.stderr)
        return load_data("generated", validation_size=validation_size)


def _synthetic(validation_size: int) -> Dataset:
    images, labels = synthetic.digits(SYNTHETIC_EXAMPLES, SYNTHETIC_SEED)
    return Dataset(
        "generated",
        Split(images[validation_size:-SYNTHETIC_TEST], labels[validation_size:-SYNTHETIC_TEST]),
        Split(images[:validation_size], labels[:validation_size]),
        Split(images[-SYNTHETIC_TEST:], labels[-SYNTHETIC_TEST:]),
        "drawn from strokes",
    )
