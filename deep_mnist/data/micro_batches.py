"""Micro-batches: a batch in parts that fit into the processor's cache and multiply faster.

Four of five pixels in MNIST are 0. Where a pixel is 0 in every image of a micro-batch, a matrix
product can skip its column. In 2,000 images in the order of the file, that is a fifth of the
columns; in as many images that are grouped by their blank pixels, a third.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from deep_mnist.data.batches import Split, one_hot

SIZE = 2_000  # the most images in a micro-batch; products of fewer are slower
CANDIDATES = 12  # pixels that are tried for each split of a group

Array = npt.NDArray[Any]


class ColumnSparseMatrix:
    """A matrix X [N, D] that is stored without the columns in which every element is 0.

    It has the operators that the rules of a matrix product need: X @ W and X.T @ g, with arrays
    W [D, K] and g [N, K].
    """

    __array_ufunc__ = None  # NumPy raises TypeError for the other operators

    def __init__(self, matrix: Array) -> None:
        """Copy the columns of a matrix [N, D] that are not all 0."""
        self.shape = matrix.shape
        self.columns = np.flatnonzero(matrix.any(axis=0))
        self.values = matrix.take(self.columns, axis=1)
        self.T = Transpose(matrix.shape[1], self.columns, self.values)

    def __matmul__(self, W: Array) -> Array:
        """Return X W, which does not depend on the rows of W that would meet a 0."""
        product: Array = self.values @ W[self.columns]
        return product


class Transpose(NamedTuple):
    """The transpose of a ColumnSparseMatrix."""

    num_rows: int
    columns: npt.NDArray[np.intp]
    values: Array

    def __matmul__(self, g: Array) -> Array:
        """Return Xᵀ g. The rows of the columns that are not stored are 0."""
        product = np.zeros((self.num_rows, g.shape[1]), self.values.dtype)
        product[self.columns] = self.values.T @ g
        return product


class MicroBatch(NamedTuple):
    """Examples as a model is trained on them."""

    x: ColumnSparseMatrix  # [B, D]
    y_: Array  # [B, 10], one-hot, of the same dtype


def micro_batches(
    split: Split,
    batch_size: int,
    to_matrix: Callable[[Any, Any], Array],
    dtype: Any,
    first_step: int = 0,
) -> Iterator[list[MicroBatch]]:
    """Yield the batches of steps first_step, first_step + 1, ... without end, unshuffled.

    They have the images of `batches_in_file_order`, but each is a list of micro-batches, in which
    the images are in another order. All of them are made first, and kept in memory.

    Args:
      split: images and labels.
      batch_size: images per batch.
      to_matrix: function of images [B, 784] uint8 and dtype, returns the matrix [B, D].
      dtype: floating-point type of both arrays of a micro-batch.
      first_step: step of the first batch.
    """
    batches = []
    for start in range(0, len(split.labels), batch_size):
        images, labels = (part[start : start + batch_size] for part in split)
        batches.append(
            [
                MicroBatch(
                    ColumnSparseMatrix(to_matrix(images[rows], dtype)),
                    one_hot(labels[rows]).astype(dtype),
                )
                for rows in group_by_blank_pixels(images)
            ]
        )
    for step in itertools.count(first_step):
        yield batches[step % len(batches)]


def group_by_blank_pixels(images: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.intp]]:
    """Return the row numbers of images [N, 784] in groups of at most SIZE, each ascending.

    A decision tree: a group is split by whether one pixel is blank. Tried are the pixels that
    split it most evenly; taken is the one that leaves the fewest elements to store.
    """
    nonzero = images > 0  # [N, 784]
    groups = []
    unfinished = [np.arange(len(images))] if len(images) else []
    while unfinished:
        rows = unfinished.pop()
        if len(rows) <= SIZE:
            groups.append(rows)
            continue
        inked = nonzero[rows]
        unevenness = np.abs(2 * inked.sum(axis=0) - len(rows))  # [784], 0 for two equal halves
        candidates = np.argsort(unevenness, kind="stable")[:CANDIDATES]
        masks = [inked[:, pixel] for pixel in candidates]
        mask = min(masks, key=lambda one: _stored(inked[one]) + _stored(inked[~one]))
        if mask.all() or not mask.any():  # no pixel splits the group
            mask = np.arange(len(rows)) < len(rows) // 2
        unfinished += [rows[~mask], rows[mask]]
    return groups


def _stored(nonzero: npt.NDArray[np.bool_]) -> int:
    """Return how many elements a ColumnSparseMatrix stores."""
    return len(nonzero) * int(nonzero.any(axis=0).sum())
