"""Blocks of images with ink in few pixels: a matrix product need not touch the blank ones.

A fifth of MNIST's pixels have ink. Of two thousand images taken as they come, a fifth of the
pixels are blank in all; of as many that are blank in the same places, put together, a third.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

ROWS = 2_000  # above this a block is split: smaller ones multiply at a lower speed
CANDIDATES = 12  # pixels that are tried for a split


class Block(NamedTuple):
    """Some of the images, and the pixels that are not blank in all of them."""

    rows: npt.NDArray[np.intp]  # ascending
    pixels: npt.NDArray[np.intp]  # ascending


def blocks(images: npt.NDArray[np.uint8]) -> list[Block]:
    """Partitions images [N, 784] into blocks of at most ROWS images.

    A decision tree: a block is split by whether one pixel has ink, the pixel, out of those
    that split it most evenly, that leaves the fewest values in the two halves' pixels.
    """
    inked = images > 0  # [N, 784]
    done: list[Block] = []
    todo = [np.arange(len(images))] if len(images) else []
    while todo:
        rows = todo.pop()
        ink = inked[rows]
        pixels = np.flatnonzero(ink.any(axis=0))
        if len(rows) <= ROWS:
            done.append(Block(rows, pixels))
            continue
        evenness = np.abs(2 * ink.sum(axis=0) - len(rows))  # [784], 0 where half have ink
        splits = [ink[:, pixel] for pixel in np.argsort(evenness, kind="stable")[:CANDIDATES]]
        split = min(splits, key=lambda one: _values(ink[one]) + _values(ink[~one]))
        if split.all() or not split.any():  # all images have ink in the same pixels
            half = len(rows) // 2
            split = np.arange(len(rows)) < half
        todo += [rows[~split], rows[split]]
    return done


def _values(ink: npt.NDArray[np.bool_]) -> int:
    return len(ink) * int(ink.any(axis=0).sum())
