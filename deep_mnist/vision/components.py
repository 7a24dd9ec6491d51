"""Connected components: which pixels of a mask hang together, diagonals included."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]


class Components(NamedTuple):
    """The components of a mask, numbered from 1."""

    labels: npt.NDArray[np.int32]  # [H, W], 0 is outside the mask
    total: int
    boxes: npt.NDArray[np.int64]  # [total, 4]: left, top, right, bottom; the last two are outside
    areas: npt.NDArray[np.int64]  # [total] pixels


def components(mask: Mask) -> Components:
    """Labels the components of a mask [H, W].

    Works on runs, the stretches of a row that are inside: a run is joined to those of the row
    above that it touches, and each takes the lowest number that it can be reached from.
    """
    height, width = mask.shape
    edges = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, starts = np.nonzero(edges == 1)
    stops = np.nonzero(edges == -1)[1]
    numbers = _lowest_reachable(len(rows), _touching(rows, starts, stops, width))
    _, numbers = np.unique(numbers, return_inverse=True)
    count = int(numbers.max(initial=-1)) + 1

    labels = np.zeros((height, width), np.int32)
    labels[mask] = np.repeat(numbers + 1, stops - starts)
    boxes = np.empty((count, 4), np.int64)
    boxes[:, :2], boxes[:, 2:] = max(height, width), 0
    np.minimum.at(boxes[:, 0], numbers, starts)
    np.minimum.at(boxes[:, 1], numbers, rows)
    np.maximum.at(boxes[:, 2], numbers, stops)
    np.maximum.at(boxes[:, 3], numbers, rows + 1)
    areas = np.bincount(numbers, stops - starts, minlength=count).astype(np.int64)
    return Components(labels, count, boxes, areas)


def _touching(
    rows: npt.NDArray[np.int64],
    starts: npt.NDArray[np.int64],
    stops: npt.NDArray[np.int64],
    width: int,
) -> npt.NDArray[np.int64]:
    """Pairs [P, 2] of runs in neighbouring rows that touch, at a corner at least."""
    # All rows in one line, far enough apart that runs of one never reach another's.
    line_starts, line_stops = (rows * (width + 2) + ends for ends in (starts, stops))
    first = np.searchsorted(line_stops, line_starts - (width + 2), side="left")
    last = np.searchsorted(line_starts, line_stops - (width + 2), side="right")
    counts = np.maximum(last - first, 0)
    below = np.repeat(np.arange(len(rows)), counts)
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.stack([below, first[below] + offsets], axis=1)


def _lowest_reachable(count: int, pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """For each of `count` things the lowest one of its group, where pairs are of one group."""
    lowest = np.arange(count)
    while True:
        a, b = lowest[pairs[:, 0]], lowest[pairs[:, 1]]
        if (a == b).all():
            return lowest
        np.minimum.at(lowest, np.maximum(a, b), np.minimum(a, b))
        while (lowest != lowest[lowest]).any():
            lowest = lowest[lowest]
