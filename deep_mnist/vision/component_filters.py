"""Which parts of the ink are no digits: frames, tables, shadows, lines of the paper, specks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from deep_mnist.vision.components import Components, Mask
from deep_mnist.vision.ink import Ink

LEAST_PIXELS = 4
LEAST_SHARE = 0.015  # of the picture's longer side
SPECK = 0.1  # of the highest part
FAT = 1.7  # times as thick as a digit's strokes
SOLID = 0.42  # of its own length: thicker is no stroke
FREE = 0.06  # of the picture's longer side: what is in its middle and as large may be a digit
HIGH = 0.75  # of the picture: a digit as high is likely to touch the border
ALONG = 0.15  # of the picture's shorter side: a digit does not follow the border so far
LINE = 6  # width to height of a line under or over a digit
LONG_LINE = 0.5  # of the picture's width
OPEN = 0.65  # of its rectangle: what is drawn around something fills less
DRAWN_AROUND = {"rectangle": 0.06, "ring": 0.35}  # of its height: a digit within is higher


def is_kept(ink: Ink) -> Mask:
    """[total] which parts are left, each rule of those that the rules before it left."""
    if not ink.parts.total:
        return np.zeros(0, np.bool_)
    kept = ~_is_grain(ink) & ~_is_solid(ink.parts)
    kept &= ~_is_from_beyond(ink, kept)
    for number in np.flatnonzero(kept):
        kept[number] = not _is_frame(ink, int(number), kept)
    kept &= ~_is_long_line(ink, kept)
    return np.asarray(kept & ~_is_speck(ink.parts, kept))


def _is_grain(ink: Ink) -> Mask:
    """Dust, and the sensor's noise."""
    least = max(LEAST_PIXELS, LEAST_SHARE * max(ink.values.shape))
    return np.asarray(_longer(ink.parts) < least)


def _is_solid(parts: Components) -> Mask:
    """Coins, holes of a punch, fingers, filled shapes."""
    longer = _longer(parts)
    return (_thickness(parts) >= SOLID * longer) & (longer >= 2 * LEAST_PIXELS)


def _is_from_beyond(ink: Ink, kept: Mask) -> Mask:
    """Tables, shadows and hands, which reach in from the border of a picture with a digit in it."""
    height, width = ink.values.shape
    left, top, right, bottom = ink.parts.boxes.T
    at_border = (left == 0) | (top == 0) | (right == width) | (bottom == height)
    longer = _longer(ink.parts)
    free = np.flatnonzero(kept & ~at_border & (longer >= max(8, FREE * max(height, width))))
    if not len(free):
        return np.zeros_like(kept)
    main = free[np.argmax(longer[free])]
    thickness = _thickness(ink.parts)
    beyond = at_border & (thickness > FAT * thickness[main])
    if bottom[main] - top[main] < HIGH * height:
        beyond |= _along_border(ink.parts) >= ALONG * min(height, width)
        beyond |= ((left == 0) & (right == width)) | ((top == 0) & (bottom == height))
    return np.asarray(beyond)


def _is_frame(ink: Ink, number: int, kept: Mask) -> bool:
    """A form's box, the page's frame, a ring around the answer: with something written in it."""
    left, top, right, bottom = ink.parts.boxes.T
    heights = bottom - top
    if ink.parts.areas[number] >= OPEN * heights[number] * (right - left)[number]:
        return False
    within = (
        (left > left[number])
        & (right < right[number])
        & (top > top[number])
        & (bottom < bottom[number])
    )
    least = DRAWN_AROUND.get(_shape(ink, number), np.inf) * heights[number]
    return bool((within & kept & (heights > max(8, least))).any())


def _is_long_line(ink: Ink, kept: Mask) -> Mask:
    """What a digit is underlined with, and the edge of a sheet above or below it."""
    heights, widths = _heights(ink.parts), _widths(ink.parts)
    flat = widths > LINE * heights
    has_digit = (kept & ~flat & (heights >= 6)).any()
    return np.asarray(flat & (widths > LONG_LINE * ink.values.shape[1]) & has_digit)


def _is_speck(parts: Components, kept: Mask) -> Mask:
    """Crumbs beside a digit."""
    heights = _heights(parts)
    upright = kept & (_widths(parts) <= LINE * heights)
    highest = heights[upright if upright.any() else kept].max(initial=0)
    return np.asarray(_longer(parts) < SPECK * highest)


def _heights(parts: Components) -> npt.NDArray[np.int64]:
    return parts.boxes[:, 3] - parts.boxes[:, 1]


def _widths(parts: Components) -> npt.NDArray[np.int64]:
    return parts.boxes[:, 2] - parts.boxes[:, 0]


def _longer(parts: Components) -> npt.NDArray[np.int64]:
    return np.maximum(_heights(parts), _widths(parts))


def _thickness(parts: Components) -> npt.NDArray[np.float64]:
    """[total] how wide the strokes of each part are: twice its area to its outline."""
    padded = np.pad(parts.labels > 0, 1)
    inside = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    outline = parts.labels[(parts.labels > 0) & ~inside]
    return 2 * parts.areas / np.bincount(outline, minlength=parts.total + 1)[1:]


def _along_border(parts: Components) -> npt.NDArray[np.int64]:
    """[total] how many pixels of each part are on the picture's border."""
    labels = parts.labels
    border = np.concatenate([labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]])
    return np.bincount(border, minlength=parts.total + 1)[1:]


def _shape(ink: Ink, number: int) -> str:
    """Whether a part is drawn around something: as a rectangle, or as a ring."""
    left, top, right, bottom = ink.parts.boxes[number]
    inside = ink.parts.labels[top:bottom, left:right] == number + 1
    down, across = (max(1, side // 6) for side in inside.shape)
    if inside[down:-down, across:-across].sum() > 0.1 * inside.sum():
        return "stroke"
    corners = (
        inside[rows, columns].any()
        for rows in (slice(down), slice(-down, None))
        for columns in (slice(across), slice(-across, None))
    )
    return "rectangle" if all(corners) else "ring"
