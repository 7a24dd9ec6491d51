"""Tell the strokes of digits from noise, shadows, tables, frames and lines."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from deep_mnist.vision.binarize import Strokes
from deep_mnist.vision.components import Components, Mask

MIN_PIXELS = 4  # longer side of a component: smaller is noise
MIN_LENGTH = 0.015  # of the image's longer side: smaller is noise
MIN_SPECK = 0.1  # of the tallest component: smaller is dust
SOLID = 0.42  # stroke width to length: thicker is a blob
THICK = 1.7  # times the digits' strokes: what touches the border and is thicker is not a digit
LINE = 6  # width to height of a line under or over a digit
FRAMED = 0.35  # of a frame's height: lower is a part of the stroke around it


def is_digit(strokes: Strokes) -> Mask:
    """Return which components may belong to a digit, [N]."""
    parts = strokes.components
    if not len(parts.areas):
        return np.zeros(0, np.bool_)
    width = _stroke_widths(parts)
    kept = parts.lengths >= max(MIN_PIXELS, MIN_LENGTH * max(parts.labels.shape))
    kept &= (width < SOLID * parts.lengths) | (parts.lengths < 8)
    kept &= ~_reaches_in(parts, kept, width)
    for number in np.flatnonzero(kept).tolist():
        kept[number] = not _is_frame(parts, number, kept)
    is_flat = parts.widths > LINE * parts.heights
    tallest = parts.heights[kept & ~is_flat if (kept & ~is_flat).any() else kept].max(initial=0)
    return np.asarray(kept & (parts.lengths >= MIN_SPECK * tallest))


def _stroke_widths(parts: Components) -> npt.NDArray[np.float64]:
    """Return the mean width of the strokes of each component, [N]."""
    # In a band of width w, the mean distance to its edge is w / 4.
    mask = np.uint8(parts.labels > 0)
    distance = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_3)
    return 4 * (parts.sums(distance) / parts.areas - 0.5)


def _reaches_in(parts: Components, kept: Mask, width: npt.NDArray[np.float64]) -> Mask:
    """Return which components are tables, shadows or fingers that reach in from the border."""
    inside = kept & ~parts.at_border & (parts.lengths >= max(8, 0.06 * max(parts.labels.shape)))
    if not inside.any():
        return np.zeros_like(kept)
    main = int(np.argmax(np.where(inside, parts.lengths, 0)))
    reaches = parts.at_border & (width > THICK * width[main])
    if parts.heights[main] < 0.75 * len(parts.labels):
        reaches |= _border_pixels(parts) >= 0.15 * min(parts.labels.shape)
    return np.asarray(reaches)


def _border_pixels(parts: Components) -> npt.NDArray[np.int64]:
    """Return the number of pixels of each component that are on the image's border, [N]."""
    labels = parts.labels
    border = np.concatenate([labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]])
    return np.bincount(border, minlength=len(parts.areas) + 1)[1:]


def _is_frame(parts: Components, number: int, kept: Mask) -> bool:
    """Return whether a component is a box or a ring around others."""
    left, top, right, bottom = parts.boxes[number]
    own = parts.labels[top:bottom, left:right] == number + 1
    if own.mean() > 0.65:
        return False
    lefts, tops, rights, bottoms = parts.boxes.T
    inside = (lefts > left) & (rights < right) & (tops > top) & (bottoms < bottom) & kept
    return any(
        not own[tops[i] - top : bottoms[i] - top, lefts[i] - left : rights[i] - left].any()
        for i in np.flatnonzero(inside & (parts.heights > max(8, FRAMED * (bottom - top))))
    )
