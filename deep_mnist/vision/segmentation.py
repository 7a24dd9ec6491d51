"""Segment strokes into digits: join the parts of one digit, split digits that touch."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from deep_mnist.vision.binarize import EDGE, Strokes, is_close_up
from deep_mnist.vision.component_filters import MIN_PIXELS, is_digit
from deep_mnist.vision.components import FloatArray, Mask
from deep_mnist.vision.reading_order import Box, reading_order

# Least height of a digit, relative to the tallest one.
MIN_HEIGHT = 0.35
# Largest gap between a part and the rest of its digit, relative to the tallest digit.
NEAR = 0.25
# Largest gap in a stroke, relative to the height of the digit. Lines of text are further apart.
GAP = 0.06
# Largest ratio of width to height of a digit.
DASH = 4
# Ratio of width to height above which digits touch; the second, if two holes are side by side.
WIDE, WIDE_PAIR = 1.4, 1.1
# Largest thickness of what connects two digits, relative to their height; the second as above.
JOINT, JOINT_OF_PAIR = 0.45, 0.7
# Height in pixels below which shapes are letters on a screen, except in an image of a single line.
LETTER = 16


class Segment(NamedTuple):
    """The strokes of a digit."""

    left: int
    top: int
    strokes: FloatArray  # [h, w] in [0, 1]

    @property
    def box(self) -> Box:
        """Bounding box in the image."""
        left, top, width, height = cv2.boundingRect(np.uint8(self.strokes > EDGE))
        left, top = self.left + left, self.top + top
        return left, top, left + width, top + height


def segment(strokes: Strokes) -> list[Segment]:
    """Return the digits in reading order."""
    boxes: list[Box] = [tuple(box) for box in strokes.components.boxes.tolist()]
    if boxes and is_close_up(strokes.darkness):  # shrinking leaves gaps in thin strokes
        return [_cut_out(strokes, list(range(len(boxes))))]
    groups = _group(boxes, np.flatnonzero(is_digit(strokes)).tolist())
    segments = _split_all([_cut_out(strokes, group) for group in groups])
    segments = [part for part in segments if _width(part.box) <= DASH * _height(part.box)]
    return [segments[i] for i in reading_order([part.box for part in segments])]


def count_shapes(strokes: Strokes, segments: list[Segment]) -> tuple[int, int]:
    """Return the number of digits higher than letters, and of other shapes except noise."""
    letter = min(LETTER, 0.1 * len(strokes.darkness))
    digits = sum(_height(part.box) >= letter for part in segments)
    return digits, int(np.sum(strokes.components.areas >= MIN_PIXELS**2)) - digits


def _group(boxes: list[Box], kept: list[int]) -> list[list[int]]:
    """Group the parts of each digit."""
    tallest = max((_height(boxes[i]) for i in kept), default=0)
    groups: list[list[int]] = []
    hulls: list[Box] = []
    for i in sorted(kept, key=lambda i: -_height(boxes[i])):
        nearest = min(range(len(groups)), key=lambda g: _gap(hulls[g], boxes[i]), default=None)
        if nearest is not None and _belongs(hulls[nearest], boxes[i], tallest):
            groups[nearest].append(i)
            hulls[nearest] = _union(hulls[nearest], boxes[i])
        else:
            groups.append([i])
            hulls.append(boxes[i])
    return [
        group
        for group, hull in zip(groups, hulls, strict=True)
        if _height(hull) >= MIN_HEIGHT * tallest
    ]


def _belongs(digit: Box, part: Box, tallest: int) -> bool:
    """Return whether a part belongs to a digit."""
    across = min(digit[2], part[2]) - max(digit[0], part[0])
    is_over = across >= 0.5 * min(_width(digit), _width(part))
    if is_over and _gap(digit, part) <= GAP * _height(_union(digit, part)):
        return True
    if _height(part) >= 0.6 * tallest:  # a digit itself, unless it is drawn into the other
        down = min(digit[3], part[3]) - max(digit[1], part[1])
        return is_over and down > 0.5 * _height(part)
    return _gap(digit, part) <= (NEAR if is_over else NEAR / 2) * tallest


def _width(box: Box) -> int:
    return box[2] - box[0]


def _height(box: Box) -> int:
    return box[3] - box[1]


def _gap(a: Box, b: Box) -> int:
    return max(0, a[0] - b[2], b[0] - a[2]) + max(0, a[1] - b[3], b[1] - a[3])


def _union(a: Box, b: Box) -> Box:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _cut_out(strokes: Strokes, group: list[int]) -> Segment:
    boxes = strokes.components.boxes[group]
    left, top = np.maximum(boxes[:, :2].min(axis=0) - 1, 0).tolist()
    right, bottom = (boxes[:, 2:].max(axis=0) + 1).tolist()
    area = np.s_[top:bottom, left:right]
    labels = strokes.components.labels[area]
    own = np.isin(labels, np.array(group) + 1)
    edge = (cv2.dilate(np.uint8(own), np.ones((3, 3), np.uint8)) > 0) & (labels == 0)
    return Segment(left, top, np.where(own | edge, strokes.darkness[area], np.float32(0)))


def _split_all(segments: list[Segment]) -> list[Segment]:
    """Split digits that touch. How wide a single digit is, the other segments show."""
    ratios = [_width(part.box) / _height(part.box) for part in segments]
    usual = [ratio for ratio in ratios if ratio < WIDE]
    wide, height = WIDE, 0.0
    if len(usual) > 2:
        wide = max(WIDE, 1.6 * float(np.median(usual)))
        height = float(np.median([_height(part.box) for part in segments]))
    return [half for part in segments for half in _split(part, wide, height)]


def _split(segment: Segment, wide: float, usual_height: float) -> list[Segment]:
    """Split digits that touch, at the column where the connection is thinnest."""
    left, top, right, bottom = segment.box
    height, width = bottom - top, right - left
    reference = max(height, usual_height)  # a segment that is low may be a slanted 0
    if width < WIDE_PAIR * reference or height < 8:
        return [segment]
    mask = segment.strokes > EDGE
    holes = _holes(mask)
    are_two = any(stop <= start for _, stop in holes for start, _ in holes)
    if width < wide * reference and not are_two:
        return [segment]
    # A column that crosses a hole, or several strokes, is inside a digit.
    strokes = np.sum(np.diff(mask.astype(np.int8), axis=0, prepend=0) == 1, axis=0)
    thickness = np.where(strokes == 1, mask.sum(axis=0), height)
    for start, stop in holes:
        thickness[start:stop] = height
    first, last = (end - segment.left for end in (left, right))
    inner = slice(first + int(0.3 * height), last - int(0.3 * height))
    at = inner.start + int(thickness[inner].argmin())
    if thickness[at] > (JOINT_OF_PAIR if are_two else JOINT) * height:
        return [segment]
    halves = [
        Segment(segment.left, segment.top, segment.strokes[:, :at]),
        Segment(segment.left + at, segment.top, segment.strokes[:, at:]),
    ]
    if min(_height(half.box) for half in halves) < 0.7 * height:
        return [segment]
    return [part for half in halves for part in _split(half, wide, usual_height)]


def _holes(mask: Mask) -> list[tuple[int, int]]:
    """Return the first and the last column of each hole that is larger than a gap in a stroke."""
    contours, hierarchy = cv2.findContours(np.uint8(mask), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    boxes = [
        cv2.boundingRect(contour)
        for contour, (*_, parent) in zip(contours, hierarchy[0], strict=True)
        if parent >= 0 and cv2.contourArea(contour) > 0.005 * mask.shape[0] ** 2
    ]
    return [(left, left + width) for left, _, width, _ in boxes]
