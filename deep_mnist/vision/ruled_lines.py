"""Ruled and checkered paper: its lines are taken away, and what is written across them is left."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from deep_mnist.vision.components import Mask
from deep_mnist.vision.resample import FloatArray

SLOPES = np.linspace(-0.08, 0.08, 97)  # of lines in a photo that is held nearly straight
ACROSS = 0.75  # of the picture's width is dark along a line
FEWEST = 2  # lines: a single one may be a stroke, as the bar of a 7 is
THICKEST = 0.02  # of the picture's longer side
POINTS = 60_000  # dark pixels that are looked at


def without_lines(darkness: FloatArray, least: float) -> FloatArray:
    """Darkness [H, W] without the lines, level ones and upright ones, that are over `least`."""
    if min(darkness.shape) < 100:
        return darkness  # a digit's own strokes reach across
    level = _without_level_lines(darkness, least)
    return _without_level_lines(level.T, least).T


def _without_level_lines(darkness: FloatArray, least: float) -> FloatArray:
    height, width = darkness.shape
    dark = darkness > least
    ends = dark[:, : width // 10].any(axis=1), dark[:, -(width // 10) :].any(axis=1)
    if min(end.sum() for end in ends) < FEWEST or np.count_nonzero(dark) < ACROSS * width:
        return darkness
    slope = _slope(dark)
    lift = int(np.ceil(width * SLOPES[-1]))  # so that no row is negative
    thick = np.pad(dark, ((1, 1), (0, 0)))  # a line that lies between two rows is whole in each
    rows, columns = np.nonzero(thick[:-2] | thick[1:-1] | thick[2:])
    at = np.rint(rows - slope * columns).astype(np.int64) + lift
    on_line = np.bincount(at, minlength=height + 2 * lift) > ACROSS * width
    edges = np.flatnonzero(np.diff(on_line.astype(np.int8), prepend=0, append=0))
    thickest = max(6, THICKEST * max(height, width))
    lines = [(a - lift, b - lift) for a, b in edges.reshape(-1, 2) if b - a <= thickest]
    if len(lines) < FEWEST:
        return darkness

    left = darkness.copy()
    every = np.arange(width)
    slant = np.rint(slope * every).astype(np.int64)
    for start, stop in lines:
        # What goes on above or below the line is a stroke that crosses it.
        crossed = _at(dark, start - 3 + slant) | _at(dark, stop + 2 + slant)
        for row in range(start - 2, stop + 2):
            inside = (row + slant >= 0) & (row + slant < height) & ~crossed
            left[(row + slant)[inside], every[inside]] = 0
    return left


def _slope(dark: Mask) -> float:
    """The one along which what is dark gathers most in few rows."""
    rows, columns = (places[:: -(-len(places) // POINTS)] for places in np.nonzero(dark))
    lift = int(np.ceil(dark.shape[1] * SLOPES[-1]))

    def gathered(slope: float) -> float:
        at = np.rint(rows - slope * columns).astype(np.int64) + lift
        return float(np.sum(np.bincount(at).astype(np.float64) ** 2))

    return float(max(SLOPES, key=gathered))


def _at(dark: Mask, rows: npt.NDArray[np.int64]) -> Mask:
    """Whether there is something dark in these rows, one for each column; not off the picture."""
    inside = (rows >= 0) & (rows < len(dark))
    return np.asarray(inside & dark[np.clip(rows, 0, len(dark) - 1), np.arange(dark.shape[1])])
