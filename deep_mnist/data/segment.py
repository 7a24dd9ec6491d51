"""Which parts of the ink are digits: strokes that belong together, digits that touch, and dirt."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from deep_mnist.data.components import Components
from deep_mnist.data.ink import Ink
from deep_mnist.data.resample import FloatArray

Box = npt.NDArray[np.int64]  # [4]: left, top, right, bottom

LEAST = 0.35  # of the highest digit's height: what is lower is a part of one, or dirt
SPECK = 0.1  # of it
FAT = 1.7  # times as thick as a digit's strokes
NEAR = 0.25  # of it: so near is a part
JOINT = 0.45  # of a digit's height: the most that holds it to its neighbour
WIDE = 1.4  # width to height: wider are digits that touch


def digits(ink: Ink) -> list[tuple[Box, FloatArray]]:
    """The digits as they are read: each one's box, and its ink alone, cut out by the box."""
    boxes = ink.parts.boxes
    kept = np.flatnonzero(_without_dirt(ink))
    groups = _groups(boxes, kept)
    found = []
    for group in groups:
        found += _split(*_cut_out(ink, group))
    return _in_reading_order(found)


def whole(ink: Ink) -> list[tuple[Box, FloatArray]]:
    """All the ink but the dirt as one digit: a list of one, or of none."""
    kept = np.flatnonzero(_without_dirt(ink))
    return [_cut_out(ink, list(kept))] if len(kept) else []


def _without_dirt(ink: Ink) -> npt.NDArray[np.bool_]:
    """[total] which parts are no frames, shadows, lines of the paper, or specks."""
    parts = ink.parts
    kept = np.ones(parts.total, np.bool_)
    if not parts.total:
        return kept
    height, width = ink.values.shape
    left, top, right, bottom = parts.boxes.T
    heights, widths = bottom - top, right - left
    longer, shorter = np.maximum(heights, widths), np.minimum(heights, widths)
    at_edge = (left == 0) | (top == 0) | (right == width) | (bottom == height)

    inner = np.flatnonzero(~at_edge & (longer >= max(8, 0.06 * max(height, width))))
    if len(inner):
        main = inner[np.argmax(longer[inner])]
        thickness = 2 * parts.areas / _outlines(parts)
        kept &= ~(at_edge & (thickness > FAT * thickness[main]))
        if heights[main] < 0.6 * height:
            kept &= ~(at_edge & (longer > 6 * shorter) & (longer > 0.6 * min(height, width)))
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


def _groups(boxes: Box, kept: npt.NDArray[np.int64]) -> list[list[int]]:
    """Parts put together to digits; dirt far from any is left out."""
    if not len(kept):
        return []
    order = sorted(kept, key=lambda i: -(boxes[i][3] - boxes[i][1]))
    highest = max(int(boxes[i][3] - boxes[i][1]) for i in order)
    groups: list[list[int]] = []
    hulls: list[Box] = []
    for i in order:
        box = boxes[i]
        nearest = min(range(len(groups)), key=lambda g: _gap(hulls[g], box), default=None)
        if nearest is not None and _belongs(hulls[nearest], box, highest):
            groups[nearest].append(int(i))
            hulls[nearest] = _hull(hulls[nearest], box)
        else:
            groups.append([int(i)])
            hulls.append(box)
    return [
        group
        for group, hull in zip(groups, hulls, strict=True)
        if max(hull[3] - hull[1], 0) >= LEAST * highest
    ]


def _belongs(hull: Box, box: Box, highest: int) -> bool:
    """Whether a part is one of the same digit as those in the hull."""
    part = box[3] - box[1]
    across = min(hull[2], box[2]) - max(hull[0], box[0])
    narrower = min(hull[2] - hull[0], box[2] - box[0])
    if part >= 0.6 * highest and across < 0.5 * narrower:
        return False
    if part >= 0.6 * highest:  # above each other: two lines, unless they are side by side
        return bool(min(hull[3], box[3]) - max(hull[1], box[1]) > 0.5 * part)
    near = NEAR if across >= 0.5 * narrower else NEAR / 2
    return bool(_gap(hull, box) <= near * highest)


def _gap(a: Box, b: Box) -> float:
    """Pixels between two boxes, 0 where they meet."""
    return float(max(0, a[0] - b[2], b[0] - a[2]) + max(0, a[1] - b[3], b[1] - a[3]))


def _hull(a: Box, b: Box) -> Box:
    return np.concatenate([np.minimum(a[:2], b[:2]), np.maximum(a[2:], b[2:])])


def _cut_out(ink: Ink, group: list[int]) -> tuple[Box, FloatArray]:
    boxes = ink.parts.boxes[group]
    box = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])
    # The grey edge of a stroke is outside its part.
    height, width = ink.values.shape
    left, top = np.maximum(box[:2] - 1, 0)
    right, bottom = np.minimum(box[2:] + 1, (width, height))
    labels = ink.parts.labels[top:bottom, left:right]
    own = np.isin(labels, np.array(group) + 1)
    others = (labels > 0) & ~own
    values = np.where(others, 0, ink.values[top:bottom, left:right])
    near = _grown(own)
    return box, np.where(near, values, 0).astype(np.float32)


def _grown(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    padded = np.pad(mask, 1)
    height, width = mask.shape
    grown = np.zeros_like(mask)
    for down in range(3):
        for right in range(3):
            grown |= padded[down : down + height, right : right + width]
    return grown


def _split(box: Box, values: FloatArray) -> list[tuple[Box, FloatArray]]:
    """Digits that touch, cut where little holds them together."""
    height, width = box[3] - box[1], box[2] - box[0]
    if width < WIDE * height or height < 8:
        return [(box, values)]
    inside = values > 0.5
    column = inside.sum(axis=0)
    runs = (np.diff(np.pad(inside, ((1, 0), (0, 0))).astype(np.int8), axis=0) == 1).sum(axis=0)
    first, last = int(0.3 * height), int(len(column) - 0.3 * height)
    places = np.arange(first, max(first, last))
    cost = column[places] + height * (runs[places] > 1)
    for place in places[np.argsort(cost, kind="stable")][:1]:
        if cost.min() > JOINT * height:
            break
        halves = []
        for start, stop in ((0, int(place)), (int(place), values.shape[1])):
            part = values[:, start:stop]
            rows, columns = np.nonzero(part > 0.5)
            if not len(rows) or rows.max() + 1 - rows.min() < 0.7 * height:
                return [(box, values)]
            left, top = int(box[0]) + start, int(box[1])
            own = np.array(
                [
                    left + columns.min(),
                    top + rows.min(),
                    left + columns.max() + 1,
                    top + rows.max() + 1,
                ]
            )
            halves += _split(own, part)
        return halves
    return [(box, values)]


def _in_reading_order(found: list[tuple[Box, FloatArray]]) -> list[tuple[Box, FloatArray]]:
    """Lines from top to bottom, in each from left to right."""
    lines: list[list[tuple[Box, FloatArray]]] = []
    for item in sorted(found, key=lambda item: item[0][1] + item[0][3]):
        middle = (item[0][1] + item[0][3]) / 2
        for line in lines:
            top, bottom = (np.mean([box[side] for box, _ in line]) for side in (1, 3))
            if top < middle < bottom:
                line.append(item)
                break
        else:
            lines.append([item])
    return [item for line in lines for item in sorted(line, key=lambda item: item[0][0])]
