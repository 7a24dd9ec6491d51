"""The largest, the smallest and the mean of what is around each pixel, up to the border."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def largest(image: Array, width: int) -> Array:
    """[H, W]: the largest value in a window of width x width."""
    for axis in (0, 1):
        image = along(image, width, axis).max(axis=-1)
    return image


def smallest(image: Array, width: int) -> Array:
    """The same of the smallest."""
    for axis in (0, 1):
        image = along(image, width, axis).min(axis=-1)
    return image


def mean(image: Array, width: int) -> Array:
    """The same of the mean, twice, so that the window's corners do not show."""
    for axis in (0, 1, 0, 1):
        image = along(image, width, axis).mean(axis=-1)
    return image


def along(image: Array, width: int, axis: int) -> Array:
    """[H, W, width]: what is around each pixel along an axis; the border goes on beyond itself."""
    before = (width - 1) // 2
    pad = [(0, 0), (0, 0)]
    pad[axis] = (before, width - 1 - before)
    padded = np.pad(image, pad, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, width, axis)
