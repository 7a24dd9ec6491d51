"""Ruled and checkered paper: its lines are taken away, and what is written across them is left."""

from __future__ import annotations

import numpy as np

from deep_mnist.data.resample import FloatArray

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
    rows, columns = np.nonzero(dark)
    if len(rows) < ACROSS * width:
        return darkness
    some = slice(None, None, -(-len(rows) // POINTS))
    part = len(rows[some]) / len(rows)
    lift = int(np.ceil(width * SLOPES[-1]))
    best, counts = 0.0, np.zeros(0)
    for candidate in SLOPES:
        at = np.rint(rows[some] - candidate * columns[some]).astype(np.int64) + lift
        found = np.bincount(at, minlength=height + 2 * lift)
        if np.sum(found.astype(np.float64) ** 2) > np.sum(counts**2):
            best, counts = float(candidate), found.astype(np.float64)
    # A line between two rows is in either.
    together = np.convolve(counts, [1, 1, 1], "same") / part
    on_line = together > ACROSS * width
    starts = np.flatnonzero(on_line & ~np.roll(on_line, 1))
    stops = np.flatnonzero(on_line & ~np.roll(on_line, -1)) + 1
    thickest = max(6, THICKEST * max(height, width))
    lines = [(a, b) for a, b in zip(starts, stops, strict=True) if b - a <= thickest]
    if len(lines) < FEWEST:
        return darkness
    left = darkness.copy()
    every = np.arange(width)
    middle = np.rint(best * every).astype(np.int64) - lift
    for start, stop in lines:
        reach = stop - start + 2
        above, below = start - 2 + middle, stop + 1 + middle  # rows just outside the line
        crossed = _dark_at(dark, above - 1, every) | _dark_at(dark, below + 1, every)
        for row in range(-1, reach + 1):
            at = start - 1 + row + middle
            inside = (at >= 0) & (at < height) & ~crossed
            left[at[inside], every[inside]] = 0
    return left


def _dark_at(dark: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Whether there is something dark at these places, none beyond the picture."""
    inside = (rows >= 0) & (rows < len(dark))
    return inside & dark[np.clip(rows, 0, len(dark) - 1), columns]
