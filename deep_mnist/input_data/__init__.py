"""Drop-in for `tensorflow.examples.tutorials.mnist.input_data`, on NumPy alone.

    from deep_mnist import input_data
    mnist = input_data.read_data_sets("MNIST_data/", one_hot=True)
    images, labels = mnist.train.next_batch(50)

Signatures, values, the order of the batches and the texts of errors are those of TensorFlow 1.2 to
1.15; earlier ones dropped the tail of an epoch. Deliberately different:

- The files come from the data room. A folder that holds the four of them is read as it is,
  whatever set they are; for one that doesn't, MNIST is found where every program here finds it, or
  downloaded, and verified.
- NumPy's global generator is never seeded. With a seed (the argument, else the one of TensorFlow's
  default graph) the three sets share a private generator, and the global one isn't touched.
  Without, the order is drawn from the global one, so `numpy.random.seed(0)` makes a script
  repeatable, after reading or before it, where the original undid it.
- Files are raw or gzipped, and must have their exact length; a label out of range is an error
  wherever it stands.

Read in this order:

    data_set.py    DataSet: images, labels, next_batch
    extract.py     IDX files -> arrays, found or downloaded

Source: the behaviour of tensorflow/contrib/learn/python/learn/datasets/mnist.py, r0.5 to r1.15.
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

SOURCE_URL = DEFAULT_SOURCE_URL  # its name before TensorFlow 1.4


class Datasets(NamedTuple):
    """What `read_data_sets` returns."""

    train: DataSet
    validation: DataSet
    test: DataSet


class Dataset(NamedTuple):
    """A data set without batches, of the original's module `base`."""

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
    """Reads MNIST, or whatever set the folder holds; the first training examples validate.

    Args:
      train_dir: the folder of the four IDX files. Where it lacks any, the set that `source_url`
        is known to serve is read from where the data room finds it, or downloaded into the cache;
        from an unknown address the missing files are downloaded into the folder.
      fake_data: no files are read; see DataSet.
      one_hot: labels are float64 [N, 10], else uint8 [N].
      dtype: float32 images are in [0, 1], uint8 ones in 0..255.
      reshape: images are [N, 784], else [N, 28, 28, 1].
      validation_size: 0 to all of the training examples.
      seed: of the shuffling of all three sets.
      source_url: ends in a slash. Empty means the default.

    Raises:
      DatasetError: the files can't be had, or are broken; one line.
      ValueError: a file is of another kind, or `validation_size` is out of range.
      TypeError: `dtype` is neither uint8 nor float32.
    """
    generator = private_generator(seed)
    if fake_data:

        def fake() -> DataSet:
            return DataSet([], [], fake_data=True, one_hot=one_hot, dtype=dtype, seed=generator)

        return Datasets(fake(), fake(), fake())

    train_images, train_labels, test_images, test_labels = extract.read(
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
    """`read_data_sets` with every default."""
    return read_data_sets(train_dir)
