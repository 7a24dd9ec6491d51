"""Drop-in replacement for `tensorflow.examples.tutorials.mnist.input_data`, without TensorFlow.

    from deep_mnist import input_data
    mnist = input_data.read_data_sets("MNIST_data/", one_hot=True)
    images, labels = mnist.train.next_batch(50)

Signatures, values, the order of batches and error messages are those of TensorFlow 1.2 to 1.15
(earlier releases dropped the last, partial batch of an epoch). The deliberate differences:

- A directory that has the four files is read as it is, whatever dataset they are. Otherwise MNIST
  is searched for as `deep_mnist.load_data` does, downloaded if need be, and verified.
- NumPy's global random generator is never seeded. With a seed (the argument, else the graph-level
  seed of TensorFlow's default graph) the three datasets share a private generator. Without a seed
  they use the global generator, so that `numpy.random.seed(0)` makes a script reproducible, before
  or after `read_data_sets`; the original reseeded it.
- Files may be raw or gzip and must have their exact length. Labels out of range are an error.

Read in this order:

    data_set.py    DataSet: images, labels, next_batch
    extract.py     read the IDX files, find or download them

Source: the behavior of tensorflow/contrib/learn/python/learn/datasets/mnist.py, r0.5 to r1.15.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from deep_mnist.input_data import extract
from deep_mnist.input_data.data_set import DataSet, private_generator
from deep_mnist.input_data.extract import (
    DEFAULT_SOURCE_URL,
    StrPath,
    dense_to_one_hot,
    extract_images,
    extract_labels,
    maybe_download,
)

__all__ = [
    "DEFAULT_SOURCE_URL",
    "SOURCE_URL",
    "DataSet",
    "Dataset",
    "Datasets",
    "base",
    "dense_to_one_hot",
    "extract_images",
    "extract_labels",
    "load_mnist",
    "maybe_download",
    "read_data_sets",
]

SOURCE_URL = DEFAULT_SOURCE_URL  # the name before TensorFlow 1.4


class Datasets(NamedTuple):
    """The training, validation and test examples."""

    train: DataSet
    validation: DataSet
    test: DataSet


class Dataset(NamedTuple):
    """Examples without batches, from the original's module `base`."""

    data: Any
    target: Any


base = SimpleNamespace(Dataset=Dataset, Datasets=Datasets, maybe_download=maybe_download)


def read_data_sets(
    train_dir: StrPath,
    fake_data: bool = False,
    one_hot: bool = False,
    dtype: Any = np.float32,
    reshape: bool = True,
    validation_size: int = 5000,
    seed: int | None = None,
    source_url: str = DEFAULT_SOURCE_URL,
) -> Datasets:
    """Read MNIST, or the dataset whose files are in a directory.

    Args:
      train_dir: the directory of the four IDX files. If one is missing, the dataset that
        `source_url` serves is searched for elsewhere or downloaded into the cache; from an
        unknown URL the missing files are downloaded into the directory.
      fake_data: whether to read no files; see DataSet.
      one_hot: whether labels are float64 [N, 10], else uint8 [N].
      dtype: float32 for images in [0, 1], uint8 for images in 0..255.
      reshape: whether images are [N, 784], else [N, 28, 28, 1].
      validation_size: number of training examples, the first, that are the validation set.
      seed: random seed for shuffling all three datasets.
      source_url: the base URL of the files, with a slash at the end. Empty means the default.

    Returns:
      The three datasets.

    Raises:
      DatasetError: the files are not found or damaged.
      ValueError: a file has the wrong magic number, or `validation_size` is out of range.
      TypeError: `dtype` is neither uint8 nor float32.
    """
    generator = private_generator(seed)
    if fake_data:

        def fake() -> DataSet:
            return DataSet([], [], fake_data=True, one_hot=one_hot, dtype=dtype, seed=generator)

        return Datasets(fake(), fake(), fake())

    train_images, train_labels, test_images, test_labels = extract.read_arrays(
        train_dir, one_hot, source_url or DEFAULT_SOURCE_URL
    )
    if not 0 <= validation_size <= len(train_images):
        raise ValueError(
            f"Validation size should be between 0 and {len(train_images)}. "
            f"Received: {validation_size}."
        )

    def data_set(images: Any, labels: Any) -> DataSet:
        return DataSet(images, labels, dtype=dtype, reshape=reshape, seed=generator)

    return Datasets(
        data_set(train_images[validation_size:], train_labels[validation_size:]),
        data_set(train_images[:validation_size], train_labels[:validation_size]),
        data_set(test_images, test_labels),
    )


def load_mnist(train_dir: StrPath = "MNIST-data") -> Datasets:
    """Return `read_data_sets(train_dir)`."""
    return read_data_sets(train_dir)
