"""Detect images that are inverted or were scaled twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["find_problem"]

BORDER = np.flatnonzero(np.pad(np.zeros((26, 26)), 1, constant_values=1))  # [108]
MAX_BORDER = 0.5  # the mean of the border; in MNIST it is near 0
MIN_INK = 0.02  # the largest value; in MNIST it is near 1


def find_problem(images: npt.NDArray[Any]) -> str | None:
    """Return what is wrong with the pixel values of images, or None.

    Args:
      images: [N, 784] float, expected in [0, 1] with 0 for the background and 1 for ink. Blank
        images are accepted.
    """
    inverted = np.count_nonzero(images.take(BORDER, axis=1).mean(axis=1) > MAX_BORDER)
    if inverted:
        return (
            f"{inverted} of {len(images)} have a bright border, expected 0 for the background and "
            "1 for ink (if they are inverted, pass 1 - images)"
        )
    largest = images.max(axis=1, initial=0)
    faint = (largest > 0) & (largest < MIN_INK)
    if faint.any():
        return (
            f"{int(faint.sum())} of {len(images)} have no value above {largest[faint].max():.2g}, "
            "expected ink near 1 (were they divided by 255 twice?)"
        )
    return None
