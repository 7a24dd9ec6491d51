"""Pictures that were never paper: strokes on one exact colour, as drawing programs make them.

They have no shadow, no grain and no table around a sheet, so none is looked for.
"""

from __future__ import annotations

import numpy as np

from deep_mnist.vision import windows
from deep_mnist.vision.resample import FloatArray

MOST = 0.4  # of the picture: more is no stroke
CONTRAST = 0.1  # between the colour and what differs most from it
STROKE = 6  # a stroke is at most so many parts of the shorter side; what is thicker may be a sheet
SIDE = 160  # longest, of the copy on which thickness is looked at


def is_plain(grey: FloatArray) -> bool:
    """Whether a picture [H, W] has thin strokes alone, darker or lighter than its one colour."""
    paper = grey[0, 0]
    borders = (grey[0], grey[-1], grey[:, 0], grey[:, -1])
    if any((border != paper).any() for border in borders) or min(grey.shape) < 2 * STROKE:
        return False
    darkest, lightest = float(grey.min()), float(grey.max())
    if darkest < paper < lightest or lightest - darkest < CONTRAST:
        return False
    strokes = grey != paper
    if strokes.mean() > MOST:
        return False
    step = -(-max(grey.shape) // SIDE)
    small = strokes[::step, ::step]
    return not windows.smallest(small, min(small.shape) // STROKE | 1).any()


def darkness(grey: FloatArray) -> FloatArray:
    """Of a plain picture: 0 is its colour, 1 as far from it as can be."""
    paper = grey[0, 0]
    if grey.min() < paper:
        return np.asarray((paper - grey) / paper, np.float32)
    return np.asarray((grey - paper) / (1 - paper), np.float32)
