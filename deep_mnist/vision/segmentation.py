"""Digits out of ink: strokes that belong together, and digits that touch; in reading order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from deep_mnist.vision import dirt, lines, windows
from deep_mnist.vision.components import Mask, components
from deep_mnist.vision.ink import EDGE, Ink
from deep_mnist.vision.lines import Box
from deep_mnist.vision.resample import FloatArray

LEAST = 0.35  # of the highest digit's height: what is lower is a part of one, or dirt
NEAR = 0.25  # of it: so near is a part
BREAK = 0.06  # of a digit's height: a gap in its stroke, not between two lines
JOINT = 0.45  # of a digit's height: the most that holds it to its neighbour
JOINT_OF_TWO = 0.7  # where each has a hole of its own
DASH = 4  # width to height: no digit is as flat
WIDE = 1.4  # width to height: wider are digits that touch
WIDE_PAIR = 1.1  # so are those that have holes side by side
LEAST_HOLE = 0.005  # of the square of a digit's height


class Piece(NamedTuple):
    """Ink of a digit, cut out of the picture."""

    left: int
    top: int
    values: FloatArray

    @property
    def box(self) -> Box:
        """Where in the picture its strokes are."""
        rows, columns = np.nonzero(self.values > EDGE)
        return (
            self.left + int(columns.min()),
            self.top + int(rows.min()),
            self.left + int(columns.max()) + 1,
            self.top + int(rows.max()) + 1,
        )


def digits(ink: Ink) -> list[Piece]:
    """The digits, line by line from left to right."""
    boxes: list[Box] = [tuple(map(int, box)) for box in ink.parts.boxes]  # type: ignore[misc]
    groups = _groups(boxes, np.flatnonzero(dirt.is_kept(ink)).tolist())
    whole = _apart([_cut_out(ink, group) for group in groups])
    pieces = [piece for piece in whole if not _is_dash(piece.box)]
    return [pieces[i] for i in lines.in_reading_order([piece.box for piece in pieces])]


def _groups(boxes: list[Box], kept: list[int]) -> list[list[int]]:
    """Parts put together to digits; dirt far from any is left out."""
    order = sorted(kept, key=lambda i: -_height(boxes[i]))
    highest = max((_height(boxes[i]) for i in kept), default=0)
    groups: list[list[int]] = []
    hulls: list[Box] = []
    for i in order:
        box = boxes[i]
        nearest = min(range(len(groups)), key=lambda g: _gap(hulls[g], box), default=None)
        if nearest is not None and _belongs(hulls[nearest], box, highest):
            groups[nearest].append(i)
            hulls[nearest] = _hull(hulls[nearest], box)
        else:
            groups.append([i])
            hulls.append(box)
    high = (_height(hull) >= LEAST * highest for hull in hulls)
    return [group for group, is_high in zip(groups, high, strict=True) if is_high]


def _belongs(hull: Box, box: Box, highest: int) -> bool:
    """Whether a part is one of the same digit as those in the hull."""
    across = min(hull[2], box[2]) - max(hull[0], box[0])
    is_over = across >= 0.5 * min(hull[2] - hull[0], box[2] - box[0])
    if is_over and _gap(hull, box) <= BREAK * _height(_hull(hull, box)):
        return True
    if _height(box) >= 0.6 * highest:
        # As high as a digit: one of its own, unless it is drawn into the other.
        down = min(hull[3], box[3]) - max(hull[1], box[1])
        return is_over and down > 0.5 * _height(box)
    return _gap(hull, box) <= (NEAR if is_over else NEAR / 2) * highest


def _is_dash(box: Box) -> bool:
    return _width(box) > DASH * _height(box)


def _width(box: Box) -> int:
    return box[2] - box[0]


def _height(box: Box) -> int:
    return box[3] - box[1]


def _gap(a: Box, b: Box) -> int:
    """Pixels between two boxes, 0 where they meet."""
    return max(0, a[0] - b[2], b[0] - a[2]) + max(0, a[1] - b[3], b[1] - a[3])


def _hull(a: Box, b: Box) -> Box:
    return (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))


def _cut_out(ink: Ink, group: list[int]) -> Piece:
    boxes = ink.parts.boxes[group]
    # The grey edge of a stroke is outside its part.
    left, top = np.maximum(boxes[:, :2].min(axis=0) - 1, 0).tolist()
    right, bottom = (boxes[:, 2:].max(axis=0) + 1).tolist()
    labels = ink.parts.labels[top:bottom, left:right]
    own = np.isin(labels, np.array(group) + 1)
    edge = windows.largest(own, 3) & (labels == 0)
    values = np.where(own | edge, ink.values[top:bottom, left:right], np.float32(0))
    return Piece(left, top, values)


def _apart(pieces: list[Piece]) -> list[Piece]:
    """Digits that touch are cut apart; how wide one is alone, the others tell.

    A lower one may be a 0 that leans: it is wide where it would be beside those of usual height.
    """
    widths = [_width(piece.box) / _height(piece.box) for piece in pieces]
    usual = [width for width in widths if width < WIDE]
    if len(usual) < 3:
        return [half for piece in pieces for half in _split(piece, WIDE, 0)]
    wide = max(WIDE, 1.6 * float(np.median(usual)))
    height = float(np.median([_height(piece.box) for piece in pieces]))
    return [half for piece in pieces for half in _split(piece, wide, height)]


def _split(piece: Piece, wide: float, usual_height: float) -> list[Piece]:
    """Digits that touch, cut where little holds them together."""
    inside = piece.values > EDGE
    left, top, right, bottom = piece.box
    height, width = bottom - top, right - left
    high = max(height, usual_height)
    if width < WIDE_PAIR * high or height < 8:
        return [piece]
    holes = _holes(inside)
    are_two = _are_side_by_side(holes)
    if width < wide * high and not are_two:
        return [piece]
    runs = np.diff(inside.astype(np.int8), axis=0, prepend=0) == 1
    in_hole = np.zeros(inside.shape[1], np.bool_)
    for start, stop in holes:
        in_hole[start:stop] = True
    places = np.arange(
        left - piece.left + int(0.3 * height), right - piece.left - int(0.3 * height)
    )
    # Where a column crosses more than one stroke, or a digit's hole, a digit is.
    thin = np.where((runs.sum(axis=0) == 1) & ~in_hole, inside.sum(axis=0), height)
    joint = thin[places]
    place = int(places[joint.argmin()])
    if joint.min() > (JOINT_OF_TWO if are_two else JOINT) * height:
        return [piece]
    halves = [
        Piece(piece.left, piece.top, piece.values[:, :place]),
        Piece(piece.left + place, piece.top, piece.values[:, place:]),
    ]
    if min(_height(half.box) for half in halves) < 0.7 * height:
        return [piece]
    return [part for half in halves for part in _split(half, wide, usual_height)]


def _holes(inside: Mask) -> list[tuple[int, int]]:
    """From which column to which the holes of a piece go, those that are no gap in the ink."""
    gaps = components(~np.pad(inside, 1))
    least = LEAST_HOLE * inside.shape[0] ** 2
    of_paper = gaps.labels[0, 0] - 1  # what is around the piece
    return [
        (int(box[0]) - 1, int(box[2]) - 1)
        for number, (box, area) in enumerate(zip(gaps.boxes, gaps.areas, strict=True))
        if number != of_paper and area > least
    ]


def _are_side_by_side(holes: list[tuple[int, int]]) -> bool:
    """Whether two holes are beside each other, as in 09; those of an 8 are not."""
    return any(stop <= start for _, stop in holes for start, _ in holes)
