"""DataSet: images, labels and batches, with the behavior of the original class."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from deep_mnist.data import scale

FAKE_EXAMPLES = 10_000
SEEDS = 2**31 - 1  # TensorFlow uses seeds modulo this


class DataSet:
    """Images and labels, and the position of the next batch."""

    one_hot: bool  # only for fake data

    def __init__(
        self,
        images: Any,
        labels: Any,
        fake_data: bool = False,
        one_hot: bool = False,
        dtype: Any = np.float32,
        reshape: bool = True,
        seed: int | np.random.RandomState | None = None,
    ) -> None:
        """Create a dataset from arrays.

        Args:
          images: [N, rows, columns, 1], or [N, ...] with reshape=False.
          labels: [N, ...].
          fake_data: whether to have 10,000 fake examples instead, for
            `next_batch(..., fake_data=True)`.
          one_hot: whether fake labels are one-hot.
          dtype: float32 to multiply images by 1/255, uint8 to leave them unchanged: a TensorFlow
            or NumPy type, or its name.
          reshape: whether to reshape images to [N, rows * columns].
          seed: random seed for shuffling. Datasets with the same RandomState share its stream.

        Raises:
          TypeError: another dtype.
          AssertionError: the numbers of images and labels differ, or the depth is not 1.
          IndexError: images to reshape do not have four dimensions.
        """
        type_name = _type_name(dtype)
        if type_name not in ("uint8", "float32"):
            raise TypeError(f"Invalid image dtype tf.{type_name}, expected uint8 or float32")
        if fake_data:
            self.one_hot = one_hot
            self._num_examples = FAKE_EXAMPLES
        else:
            if images.shape[0] != labels.shape[0]:
                raise AssertionError(f"images.shape: {images.shape} labels.shape: {labels.shape}")
            self._num_examples = images.shape[0]
            if reshape:
                images = _rows_of_pixels(images)
            if type_name == "float32":
                images = scale(images)
        self._images = images
        self._labels = labels
        self._epochs_completed = 0
        self._index_in_epoch = 0
        self._random = private_generator(seed)

    @property
    def images(self) -> Any:
        """All images, in the order of the current epoch."""
        return self._images

    @property
    def labels(self) -> Any:
        """All labels, in the order of the current epoch."""
        return self._labels

    @property
    def num_examples(self) -> int:
        """Number of examples."""
        return self._num_examples

    @property
    def epochs_completed(self) -> int:
        """Number of times that `next_batch` passed the last example."""
        return self._epochs_completed

    def next_batch(
        self, batch_size: int, fake_data: bool = False, shuffle: bool = True
    ) -> tuple[Any, Any]:
        """Return the next images and labels.

        A batch may join the end of an epoch and the start of the next one. Shuffling reorders
        `images` and `labels` themselves, before the first batch and at the end of each epoch.
        Batches within an epoch are views of them.

        Args:
          batch_size: number of examples. A negative number moves the position back and returns
            no examples.
          fake_data: whether to return lists of fake examples: 784 ones and the label 0.
          shuffle: whether to shuffle.

        Returns:
          images: [batch_size, ...].
          labels: [batch_size, ...].

        Example:
          >>> images, labels = np.zeros([10, 28, 28, 1], np.uint8), np.arange(10)
          >>> digits = DataSet(images, labels, seed=0)
          >>> images, labels = digits.next_batch(4)
          >>> images.shape, labels
          ((4, 784), array([2, 8, 4, 9]))
        """
        if fake_data:
            label: Any = [1] + [0] * 9 if self.one_hot else 0
            return [[1] * 784 for _ in range(batch_size)], [label for _ in range(batch_size)]
        start = self._index_in_epoch
        if shuffle and start == 0 and self._epochs_completed == 0:
            self._shuffle()
        end = start + batch_size
        if end <= self._num_examples:
            self._index_in_epoch = end
            return self._images[start:end], self._labels[start:end]
        tail_images = self._images[start : self._num_examples]
        tail_labels = self._labels[start : self._num_examples]
        self._epochs_completed += 1
        if shuffle:
            self._shuffle()
        # As in the original, a batch has at most the rest and one epoch, but all are counted.
        end -= self._num_examples
        self._index_in_epoch = end
        return (
            np.concatenate((tail_images, self._images[:end])),
            np.concatenate((tail_labels, self._labels[:end])),
        )

    def _shuffle(self) -> None:
        order = np.arange(self._num_examples)
        (self._random or np.random).shuffle(order)
        self._images = self._images[order]
        self._labels = self._labels[order]


def private_generator(seed: int | np.random.RandomState | None) -> np.random.RandomState | None:
    """Return the generator for a seed or for TensorFlow's graph-level seed; None without a seed."""
    if isinstance(seed, np.random.RandomState):
        return seed
    if seed is None:
        seed = _graph_seed()
    return None if seed is None else np.random.RandomState(seed % SEEDS)


def _graph_seed() -> int | None:
    """Return what `tf.set_random_seed` has set, if the program has imported TensorFlow."""
    tensorflow: Any = sys.modules.get("tensorflow")
    if tensorflow is None or tensorflow.compat.v1.executing_eagerly():
        return None
    seed: int | None = tensorflow.compat.v1.get_default_graph().seed
    return seed


def _type_name(dtype: Any) -> str:
    """Return TensorFlow's name of one of its types, of a NumPy type, or of a name of either."""
    if dtype is float or (isinstance(dtype, str) and dtype == "float"):
        return "float32"  # as in TensorFlow; in NumPy it is float64
    if isinstance(dtype, type):
        dtype = np.dtype(dtype)
    return str(getattr(dtype, "name", dtype))


def _rows_of_pixels(images: Any) -> Any:
    if len(images.shape) != 4:
        raise IndexError(
            f"expected images [N, rows, columns, 1] to reshape, found shape {images.shape}; "
            "with reshape=False they keep their shape"
        )
    if images.shape[3] != 1:
        raise AssertionError(f"expected images of depth 1 to reshape, found shape {images.shape}")
    num_examples, rows, columns, _ = images.shape
    return images.reshape(num_examples, rows * columns)  # not -1: there may be 0 examples
