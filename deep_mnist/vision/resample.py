"""Pictures made smaller or larger."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


def resample(image: FloatArray, height: int, width: int) -> FloatArray:
    """[H, W] -> [height, width]: means of areas where it shrinks, linear between where it grows."""
    return _along_first(_along_first(image, height).T, width).T


def _along_first(image: FloatArray, new: int) -> FloatArray:
    if new == len(image):
        return image
    return _means(image, new) if new < len(image) else _between(image, new)


def _means(image: FloatArray, new: int) -> FloatArray:
    """Sums of whole pixels, with the parts of those that an area's ends lie in."""
    ends = np.arange(new + 1) * (len(image) / new)
    whole = np.minimum(ends.astype(np.int64), len(image) - 1)
    beyond = (ends - whole)[:, None] * image[whole]
    sums = np.add.reduceat(image, whole[:-1], axis=0)
    sums[-1] -= image[-1]  # the last end lies in it
    return ((sums + np.diff(beyond, axis=0)) * (new / len(image))).astype(np.float32)


def _between(image: FloatArray, new: int) -> FloatArray:
    places = (np.arange(new) + 0.5) * (len(image) / new) - 0.5
    places = np.clip(places, 0, len(image) - 1)
    low = places.astype(np.int64)
    high = np.minimum(low + 1, len(image) - 1)
    part = (places - low)[:, None].astype(np.float32)
    return np.asarray(image[low] * (1 - part) + image[high] * part, np.float32)
