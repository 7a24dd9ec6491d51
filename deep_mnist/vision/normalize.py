"""Normalize a digit as MNIST does: in a box of 20x20 pixels, centered by its mass in 28x28.

MNIST's digits were black and white, fitted into a box of 20x20 with their aspect ratio kept, which
made their edges gray, and centered by their center of mass (LeCun et al.,
http://yann.lecun.com/exdb/mnist/). Strokes of other pens get a width that MNIST has.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from deep_mnist.vision.components import FloatArray, Mask

SIDE = 28
BOX = 20
# Longer side, in pixels, at which strokes are measured, to a fifth of a pixel of the box.
FINE = 96
# Pixels around the digit, for strokes that become thicker.
MARGIN = 12
# Stroke widths in pixels of the box. 90% of MNIST's digits have a mean width between these.
MIN_STROKE, MAX_STROKE = 1.9, 3.6


def normalize(strokes: FloatArray) -> FloatArray:
    """Return a digit as MNIST has it.

    Args:
      strokes: [H, W] in [0, 1], 1 is stroke; at least one pixel is above 0.5.

    Returns:
      [784] float32 in [0, 1].
    """
    left, top, width, height = cv2.boundingRect(np.uint8(strokes > 0.5))
    scale = FINE / max(width, height)
    margin = math.ceil(MARGIN / scale)
    digit = np.pad(strokes, margin)[
        top : top + height + 2 * margin, left : left + width + 2 * margin
    ]
    if scale < 1:  # a thin stroke of a large digit would fade
        digit = cv2.dilate(digit, np.ones(2 * (math.ceil(1 / scale),), np.uint8))
    enlarged = _resize(digit, scale)
    distance = signed_distance(enlarged > min(0.5, float(enlarged.max()) / 2))
    # In a band of width w, the mean distance to the edge is w / 4.
    stroke = 4 * float(distance[distance > 0].mean()) * BOX / FINE
    target = float(np.clip(stroke, MIN_STROKE, MAX_STROKE))
    grow = FINE * (target - stroke) / (2 * (BOX - target))
    grow = max(grow, -0.5 * float(distance.max()))  # thin strokes are not erased
    drawn = np.clip(distance + grow + 0.5, 0, 1)
    left, top, width, height = cv2.boundingRect(np.uint8(drawn > 0.5))
    box = drawn[top : top + height, left : left + width]
    return _center(_resize(box, BOX / max(box.shape)).clip(0, 1)).reshape(-1)


def signed_distance(mask: Mask) -> FloatArray:
    """Return the distance of each pixel, [H, W], to the mask's edge: positive inside."""
    inside, outside = (
        cv2.distanceTransform(np.uint8(side), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        for side in (mask, ~mask)
    )
    return np.asarray(np.where(mask, inside - 0.5, 0.5 - outside), np.float32)


def _resize(image: FloatArray, scale: float) -> FloatArray:
    height, width = (max(1, round(side * scale)) for side in image.shape)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=method), np.float32)


def _center(box: FloatArray) -> FloatArray:
    """Place the box in 28x28, its center of mass at (14, 14) as in MNIST, to the nearest pixel."""
    top, left = (
        int(
            np.clip(round(SIDE / 2 - mass @ np.arange(len(mass)) / mass.sum()), 0, SIDE - len(mass))
        )
        for mass in (box.sum(axis=1), box.sum(axis=0))
    )
    image = np.zeros((SIDE, SIDE), np.float32)
    image[top : top + box.shape[0], left : left + box.shape[1]] = box
    return image
