"""DataSet: images, labels and the batches of them, as the original's class behaves."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from deep_mnist.data import scale

FAKE_EXAMPLES = 10_000
SEEDS = 2**31 - 1  # TensorFlow takes seeds modulo this


class DataSet:
    """Images and labels, and the position of the next batch among them."""

    one_hot: bool  # set on fake data alone

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
        """Takes one's own arrays as well as MNIST's.

        Args:
          images: [N, rows, columns, 1], or of any shape [N, ...] with reshape=False.
          labels: [N, ...]; not looked at, only permuted.
          fake_data: 10,000 examples, had by `next_batch(..., fake_data=True)` alone.
          one_hot: the form of the fake labels.
          dtype: float32 multiplies images by 1/255, whatever they hold; uint8 leaves them as they
            are. A TensorFlow or NumPy type, or its name.
          reshape: makes each image a row of pixels, [N, rows * columns].
          seed: of the shuffling. Sets that are given one RandomState share its stream.

        Raises:
          TypeError: another dtype.
          AssertionError: images and labels differ in number, or images have another depth than 1.
          IndexError: images to reshape have other than four dimensions.
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
        """All images, in the order of this epoch."""
        return self._images

    @property
    def labels(self) -> Any:
        """All labels, in the order of this epoch."""
        return self._labels

    @property
    def num_examples(self) -> int:
        """How many there are."""
        return self._num_examples

    @property
    def epochs_completed(self) -> int:
        """How often `next_batch` went past the last example."""
        return self._epochs_completed

    def next_batch(
        self, batch_size: int, fake_data: bool = False, shuffle: bool = True
    ) -> tuple[Any, Any]:
        """The next images and labels; the tail of an epoch is joined to the head of the next one.

        Shuffling reorders `images` and `labels` themselves, before the first batch and wherever an
        epoch is passed. Batches within an epoch are views of them. A negative size goes back by as
        many, and gives nothing. Fake batches are lists: 784 ones, and the label 0.
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
        # More than the rest and a whole epoch are never given, but still counted, as they were.
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
    """The generator of a seed, else of TensorFlow's graph seed; None: NumPy's global one it is."""
    if isinstance(seed, np.random.RandomState):
        return seed
    if seed is None:
        seed = _graph_seed()
    return None if seed is None else np.random.RandomState(seed % SEEDS)


def _graph_seed() -> int | None:
    """What `tf.set_random_seed` has set, in a program that has imported TensorFlow."""
    tensorflow: Any = sys.modules.get("tensorflow")
    if tensorflow is None or tensorflow.compat.v1.executing_eagerly():
        return None
    seed: int | None = tensorflow.compat.v1.get_default_graph().seed
    return seed


def _type_name(dtype: Any) -> str:
    """The name TensorFlow gives to one of its types, a NumPy type, or a name of either."""
    if dtype is float or (isinstance(dtype, str) and dtype == "float"):
        return "float32"  # TensorFlow's reading of it; NumPy's is float64
    if isinstance(dtype, type):
        dtype = np.dtype(dtype)
    return str(getattr(dtype, "name", dtype))


def _rows_of_pixels(images: Any) -> Any:
    if len(images.shape) != 4:
        raise IndexError(
            f"expected images [N, rows, columns, 1] to reshape, found shape {images.shape}; "
            "with reshape=False they are taken as they are"
        )
    if images.shape[3] != 1:
        raise AssertionError(f"expected images of depth 1 to reshape, found shape {images.shape}")
    num_examples, rows, columns, _ = images.shape
    return images.reshape(num_examples, rows * columns)  # no -1: there may be no examples
