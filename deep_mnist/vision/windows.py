"""The largest, the smallest and the mean of what is around each pixel, up to the border."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def largest(image: Array, width: int) -> Array:
    """[H, W]: the largest value in a window of width x width."""
    return _most(_most(image, width, np.maximum).T, width, np.maximum).T


def smallest(image: Array, width: int) -> Array:
    """The same of the smallest."""
    return _most(_most(image, width, np.minimum).T, width, np.minimum).T


def mean(image: Array, width: int) -> Array:
    """The same of the mean, twice, so that the window's corners do not show."""
    for _ in range(4):  # down and across, and again
        sums = np.cumsum(_padded(image, width), axis=0, dtype=np.float64)
        sums[width:] -= sums[:-width].copy()
        image = (sums[width - 1 :] / width).astype(np.float32).T
    return image


def _most(image: Array, width: int, choose: Callable[[Array, Array], Array]) -> Array:
    """Along the columns. A window is two shorter ones that overlap, and those are two in turn."""
    padded = _padded(image, width)
    covered = 1
    while covered < width:
        step = min(covered, width - covered)
        padded = choose(padded[:-step], padded[step:])
        covered += step
    return padded


def _padded(image: Array, width: int) -> Array:
    """The first row and the last go on beyond the border, as far as the windows do."""
    before = (width - 1) // 2
    return np.pad(image, ((before, width - 1 - before), (0, 0)), mode="edge")
