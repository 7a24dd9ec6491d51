"""Mini-batches. Their order depends on (seed, epoch) only, so that a run can be resumed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = [
    "Batch",
    "Split",
    "batches",
    "batches_in_file_order",
    "epoch_order",
    "one_hot",
    "scale",
    "smooth_labels",
]

NUM_CLASSES = 10
GRAY_TO_UNIT = np.float32(1 / 255)


class Split(NamedTuple):
    """Images and labels as they are stored."""

    images: npt.NDArray[np.uint8]  #: [N, 784], 0 (background) to 255
    labels: npt.NDArray[np.uint8]  #: [N], 0 to 9


class Batch(NamedTuple):
    """Images and labels as a graph is fed with them."""

    images: npt.NDArray[np.float32]  # [B, 784] in [0, 1]
    labels: npt.NDArray[np.float32]  # [B, 10], one-hot


def scale(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Convert pixels to float32 in [0, 1].

    They are multiplied by float32(1/255), as in the original tutorial: division by 255 rounds
    126 of the 256 values differently.

    Args:
      images: uint8, any shape.

    Returns:
      float32, the same shape.
    """
    return images.astype(np.float32) * GRAY_TO_UNIT


def one_hot(labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Convert labels [N] in 0..9 to one-hot rows [N, 10], float32."""
    rows: npt.NDArray[np.float32] = np.eye(NUM_CLASSES, dtype=np.float32)[labels]
    return rows


def epoch_order(num_examples: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    """Return the order of the examples in one epoch, a permutation [num_examples]."""
    return np.random.default_rng([seed, epoch]).permutation(num_examples)


def batches(split: Split, batch_size: int, seed: int, first_step: int = 0) -> Iterator[Batch]:
    """Yield the batches of steps first_step, first_step + 1, ... without end, shuffled.

    Each epoch visits every example once. A batch may join the end of one epoch and the start of
    the next, as in the original next_batch. The batch of step k is a function of (seed, k).

    Args:
      split: the examples.
      batch_size: number of examples in every batch, B.
      seed: random seed of the order.
      first_step: the step of the first batch.

    Yields:
      images [B, 784] float32 in [0, 1] and labels [B, 10] float32, one-hot.
    """
    num_examples = len(split.labels)
    epoch, position = divmod(first_step * batch_size, num_examples)
    order = epoch_order(num_examples, seed, epoch)
    while True:
        chosen = order[position : position + batch_size]
        position += batch_size
        while position >= num_examples:
            position -= num_examples
            epoch += 1
            order = epoch_order(num_examples, seed, epoch)
            chosen = np.concatenate([chosen, order[: min(position, batch_size - len(chosen))]])
        yield Batch(scale(split.images[chosen]), one_hot(split.labels[chosen]))


def smooth_labels(batches: Iterator[Batch], label_smoothing: float) -> Iterator[Batch]:
    """Yield batches with labels that are less certain.

    labels' = (1 - label_smoothing) labels + label_smoothing / 10

    Args:
      batches: with one-hot labels.
      label_smoothing: in [0, 1], as in tf.losses.softmax_cross_entropy.

    Source: Szegedy et al., Rethinking the Inception architecture for computer vision, 2016.
    """
    for images, labels in batches:
        smooth = labels * np.float32(1 - label_smoothing)
        yield Batch(images, smooth + np.float32(label_smoothing / NUM_CLASSES))


def batches_in_file_order(split: Split, batch_size: int, first_step: int = 0) -> Iterator[Batch]:
    """Yield the batches of steps first_step, first_step + 1, ... without end, unshuffled.

    The last batch of an epoch is smaller if batch_size does not divide the number of examples.

    Args:
      split: the examples.
      batch_size: number of examples in a batch, B.
      first_step: the step of the first batch.

    Yields:
      images [B, 784] float32 in [0, 1] and labels [B, 10] float32, one-hot.
    """
    starts = range(0, len(split.labels), batch_size)
    for step in itertools.count(first_step):
        start = starts[step % len(starts)]
        images, labels = (part[start : start + batch_size] for part in split)
        yield Batch(scale(images), one_hot(labels))
