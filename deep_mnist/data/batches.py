"""Mini-batches in an order that depends on (seed, epoch) alone, so that a run can be resumed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

NUM_CLASSES = 10
GREY_TO_UNIT = np.float32(1 / 255)


class Split(NamedTuple):
    """Examples as they are held: unscaled."""

    images: npt.NDArray[np.uint8]  # [N, 784], 0 (background) to 255 (ink)
    labels: npt.NDArray[np.uint8]  # [N], 0 to 9


class Batch(NamedTuple):
    """Examples as a graph is fed with them."""

    images: npt.NDArray[np.float32]  # [B, 784] in [0, 1]
    labels: npt.NDArray[np.float32]  # [B, 10], one-hot


def scale(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Grey values 0..255 -> float32 in [0, 1], multiplied by float32(1/255) as the original did.

    Division by 255 would give other bits for 126 of the 256 grey values, and other weights.
    """
    return images.astype(np.float32) * GREY_TO_UNIT


def one_hot(labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Labels [N] in 0..9 -> rows [N, 10] float32 with a single 1."""
    rows: npt.NDArray[np.float32] = np.eye(NUM_CLASSES, dtype=np.float32)[labels]
    return rows


def epoch_order(num_examples: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    """The permutation [num_examples] in which one epoch visits its examples."""
    return np.random.default_rng([seed, epoch]).permutation(num_examples)


def batches(split: Split, batch_size: int, seed: int, first_step: int = 0) -> Iterator[Batch]:
    """Yields the batches of steps first_step, first_step + 1, ... without end.

    The epochs' orders are laid end to end and cut into batches of exactly batch_size: each
    epoch visits every example once, and a batch may join the tail of one epoch to the head of
    the next, as the original next_batch did. Step k is a function of (seed, k).
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


def batches_in_file_order(split: Split, batch_size: int, first_step: int = 0) -> Iterator[Batch]:
    """Yields the batches of steps first_step, first_step + 1, ... without end, unshuffled.

    Every epoch visits the examples as they come; its last batch is short where batch_size does
    not divide their number.
    """
    starts = range(0, len(split.labels), batch_size)
    for step in itertools.count(first_step):
        start = starts[step % len(starts)]
        images, labels = (part[start : start + batch_size] for part in split)
        yield Batch(scale(images), one_hot(labels))
