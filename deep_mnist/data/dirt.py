"""Which parts of the ink are no digits: frames, tables, shadows, lines of the paper, specks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from deep_mnist.data.components import Components
from deep_mnist.data.ink import Ink

LEAST_PIXELS = 4
LEAST_SHARE = 0.015  # of the picture's longer side
SPECK = 0.1  # of the highest part
FAT = 1.7  # times as thick as a digit's strokes
SOLID = 0.42  # of its own length: thicker is no stroke


def is_kept(ink: Ink) -> npt.NDArray[np.bool_]:
    """[total] which parts are left."""
    parts = ink.parts
    if not parts.total:
        return np.zeros(0, np.bool_)
    height, width = ink.values.shape
    left, top, right, bottom = parts.boxes.T
    heights, widths = bottom - top, right - left
    longer = np.maximum(heights, widths)
    at_edge = (left == 0) | (top == 0) | (right == width) | (bottom == height)

    thickness = 2 * parts.areas / _outlines(parts)
    kept = longer >= max(LEAST_PIXELS, LEAST_SHARE * max(height, width))
    kept &= (thickness < SOLID * longer) | (longer < 2 * LEAST_PIXELS)
    inner = np.flatnonzero(kept & ~at_edge & (longer >= max(8, 0.06 * max(height, width))))
    if len(inner):
        main = inner[np.argmax(longer[inner])]
        kept &= ~(at_edge & (thickness > FAT * thickness[main]))
        if heights[main] < 0.75 * height:
            kept &= _along_border(parts) < 0.15 * min(height, width)
    for frame in np.flatnonzero((parts.areas < 0.65 * heights * widths) & kept):
        within = (
            (left > left[frame])
            & (right < right[frame])
            & (top > top[frame])
            & (bottom < bottom[frame])
        )
        shape = _shape(ink, int(frame))
        least = {"rectangle": 0.06, "ring": 0.35}.get(shape, np.inf) * heights[frame]
        kept[frame] = not (within & kept & (heights > max(8, least))).any()
    flat = widths > 6 * heights
    if (kept & ~flat & (heights >= 6)).any():
        kept &= ~(flat & (widths > 0.5 * width))
    upright = kept & ~flat
    highest = heights[upright if upright.any() else kept].max(initial=0)
    return np.asarray(kept & (longer >= SPECK * highest))


def _outlines(parts: Components) -> npt.NDArray[np.int64]:
    """[total] how many pixels of each part have a neighbour outside it."""
    padded = np.pad(parts.labels > 0, 1)
    inside = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    outline = parts.labels[(parts.labels > 0) & ~inside]
    return np.bincount(outline, minlength=parts.total + 1)[1:]


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
