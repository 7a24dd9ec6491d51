"""Digits in the order in which they are read: lines from top to bottom, each from left to right."""

from __future__ import annotations

import numpy as np

Box = tuple[int, int, int, int]  # left, top, right, bottom; the last two are outside

BESIDE = 0.4  # of the lower one's height: what is beside it is of the same line
CLOSE = 1.0  # of a digit's height, between two halves of a line that goes up and down


def in_reading_order(boxes: list[Box]) -> list[int]:
    """The numbers of the boxes, in turn.

    A line goes on at the height where it was last, so that it may climb or fall.
    """
    lines: list[list[int]] = []
    for number in sorted(range(len(boxes)), key=lambda number: boxes[number][0]):
        shares = [_beside(boxes[line[-1]], boxes[number]) for line in lines]
        if max(shares, default=0) >= BESIDE:
            lines[int(np.argmax(shares))].append(number)
        else:
            lines.append([number])
    lines.sort(key=lambda line: _middle(boxes, line))
    whole: list[list[int]] = []
    for line in lines:
        if whole and _is_one(boxes, whole[-1], line):
            whole[-1] = sorted(whole[-1] + line, key=lambda number: boxes[number][0])
        else:
            whole.append(line)
    return [number for line in whole for number in line]


def _is_one(boxes: list[Box], upper: list[int], lower: list[int]) -> bool:
    """Whether two lines are close, and nothing of one is above something of the other."""
    height = float(np.mean([boxes[number][3] - boxes[number][1] for number in upper + lower]))
    return _middle(boxes, lower) - _middle(boxes, upper) < CLOSE * height and not any(
        min(boxes[a][2], boxes[b][2]) > max(boxes[a][0], boxes[b][0]) for a in upper for b in lower
    )


def _middle(boxes: list[Box], line: list[int]) -> float:
    return float(np.mean([(boxes[number][1] + boxes[number][3]) / 2 for number in line]))


def _beside(a: Box, b: Box) -> float:
    """The share of the lower one's height at which the other is, too."""
    return (min(a[3], b[3]) - max(a[1], b[1])) / min(a[3] - a[1], b[3] - b[1])
