"""Order boxes as text is read: lines from top to bottom, each from left to right."""

from __future__ import annotations

import numpy as np

Box = tuple[int, int, int, int]  # left, top, right, bottom; the last two are exclusive

# Least common height of two neighboring boxes of a line, relative to the less high one.
MIN_OVERLAP = 0.4


def reading_order(boxes: list[Box]) -> list[int]:
    """Return the indices of the boxes in reading order.

    Each box continues the line whose last box is level with it, so that lines may slope.
    """
    lines: list[list[int]] = []
    for number in sorted(range(len(boxes)), key=lambda number: boxes[number][0]):
        overlaps = [_overlap(boxes[line[-1]], boxes[number]) for line in lines]
        if max(overlaps, default=0) >= MIN_OVERLAP:
            lines[int(np.argmax(overlaps))].append(number)
        else:
            lines.append([number])
    lines.sort(key=lambda line: _middle(boxes, line))
    merged: list[list[int]] = []
    for line in lines:
        if merged and _is_one_line(boxes, merged[-1], line):
            merged[-1] = sorted(merged[-1] + line, key=lambda number: boxes[number][0])
        else:
            merged.append(line)
    return [number for line in merged for number in line]


def _overlap(a: Box, b: Box) -> float:
    """Return the common height of two boxes, relative to the less high one."""
    return (min(a[3], b[3]) - max(a[1], b[1])) / min(a[3] - a[1], b[3] - b[1])


def _is_one_line(boxes: list[Box], upper: list[int], lower: list[int]) -> bool:
    """Return whether two lines are closer than a digit is high, and no box is above another."""
    height = float(np.mean([boxes[number][3] - boxes[number][1] for number in upper + lower]))
    return _middle(boxes, lower) - _middle(boxes, upper) < height and not any(
        min(boxes[a][2], boxes[b][2]) > max(boxes[a][0], boxes[b][0]) for a in upper for b in lower
    )


def _middle(boxes: list[Box], line: list[int]) -> float:
    return float(np.mean([(boxes[number][1] + boxes[number][3]) / 2 for number in line]))
