"""Pictures made smaller or larger: every pixel of the new one is the mean of its area in the old.

Two small matrices, one per axis: new = rows @ old @ columns.T.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


def resample(image: FloatArray, height: int, width: int) -> FloatArray:
    """[H, W] -> [height, width]: area means where it shrinks, linear in between where it grows."""
    rows = axis_weights(image.shape[0], height)
    columns = axis_weights(image.shape[1], width)
    return rows @ image @ columns.T


def axis_weights(old: int, new: int) -> FloatArray:
    """[new, old], rows sum to 1: how much of each old pixel is in each new one."""
    scale = old / new
    centres = (np.arange(new)[:, None] + 0.5) * scale
    pixels = np.arange(old)[None, :]
    if scale >= 1:
        left = np.maximum(pixels, centres - scale / 2)
        right = np.minimum(pixels + 1, centres + scale / 2)
        weights = np.maximum(right - left, 0)
    else:
        within = np.clip(centres, 0.5, old - 0.5)
        weights = np.maximum(1 - np.abs(within - (pixels + 0.5)), 0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)
