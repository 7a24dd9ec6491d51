"""Connected components of a mask."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

# Least darkness of a stroke, where paper is 0 and black is 1. Faint pencil has ten times as much.
MIN_CONTRAST = 0.06

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


class Components(NamedTuple):
    """N components, 8-connected. Component i has the label i + 1; 0 is the background."""

    labels: npt.NDArray[np.int32]  # [H, W]
    boxes: npt.NDArray[np.int32]  # [N, 4]: left, top, right, bottom; the last two are exclusive
    areas: npt.NDArray[np.int32]  # [N] pixels

    @property
    def widths(self) -> npt.NDArray[np.int32]:
        """Widths of the bounding boxes, [N]."""
        return np.asarray(self.boxes[:, 2] - self.boxes[:, 0])

    @property
    def heights(self) -> npt.NDArray[np.int32]:
        """Heights of the bounding boxes, [N]."""
        return np.asarray(self.boxes[:, 3] - self.boxes[:, 1])

    @property
    def lengths(self) -> npt.NDArray[np.int32]:
        """Longer sides of the bounding boxes, [N]."""
        return np.maximum(self.widths, self.heights)

    @property
    def at_border(self) -> npt.NDArray[np.bool_]:
        """Which components touch the image's border, [N]."""
        height, width = self.labels.shape
        left, top, right, bottom = self.boxes.T
        return np.asarray((left == 0) | (top == 0) | (right == width) | (bottom == height))

    def sums(self, values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return the sum of `values`, [H, W], over each component, [N]."""
        inside = self.labels > 0
        sums = np.bincount(self.labels[inside], values[inside], len(self.areas) + 1)
        return np.asarray(sums[1:], np.float64)


def connected_components(mask: Mask) -> Components:
    """Return the connected components of a mask, [H, W]."""
    pixels = mask.astype(np.uint8)
    left, top, width, height = cv2.boundingRect(pixels)  # faster, because most of an image is paper
    area = np.s_[top : top + max(1, height), left : left + max(1, width)]
    labels = np.zeros(mask.shape, np.int32)
    _, labels[area], stats, _ = cv2.connectedComponentsWithStats(pixels[area])
    lefts, tops, widths, heights, areas = stats[1:].T
    lefts, tops = lefts + left, tops + top
    boxes = np.stack([lefts, tops, lefts + widths, tops + heights], axis=1)
    return Components(labels, boxes, areas)
