"""Distinguish the strokes of digits from noise, shadows, tables, frames and lines."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from deep_mnist.vision.binarize import Strokes
from deep_mnist.vision.components import Components, Mask

# Least length of a component's longer side: in pixels, relative to the image's longer side, and
# relative to the height of the tallest component. Smaller ones are noise or dust.
MIN_PIXELS = 4
MIN_LENGTH = 0.015
MIN_SPECK = 0.1
# Largest ratio of stroke width to length. Thicker components are blobs.
SOLID = 0.42
# Largest stroke width at the image's border, relative to the strokes of the longest component.
THICK = 1.7
# Ratio of width to height above which a component is a line under or over a digit.
LINE = 6
# Least height of a digit in a frame, relative to the frame. Around lower parts it is a stroke.
FRAMED = 0.35


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
