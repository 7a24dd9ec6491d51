"""A digit's ink -> 28x28 as in MNIST: 20 pixels long, strokes of a like width, its mass centred.

MNIST's digits were black and white, fitted into a box of 20x20 with their proportions kept, which
made them grey at the edges, and put into the middle of 28x28 by their centre of mass
(LeCun et al., http://yann.lecun.com/exdb/mnist/).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from deep_mnist.vision import windows
from deep_mnist.vision.ink import EDGE
from deep_mnist.vision.resample import FloatArray, resample

SIDE = 28
BOX = 20
FINE = 120  # pixels: a digit's longer side where its strokes are measured and mended
MARGIN = 12  # around it, for strokes to grow into
THINNEST, WIDEST = 1.9, 3.6  # a stroke's mean width in pixels of the box; others are made so


def frame(ink: FloatArray) -> FloatArray:
    """Ink [H, W] in [0, 1], 1 where there is a stroke -> [784] in [0, 1]."""
    rows, columns = np.nonzero(ink > EDGE)
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    height, width = int(bottom - top), int(right - left)
    fine = (FINE - 2 * MARGIN) / max(height, width)
    margin = int(np.ceil(MARGIN / fine))
    padded = np.pad(ink, margin)[top : bottom + 2 * margin, left : right + 2 * margin]
    if fine < 1:  # a thin stroke of a large digit would fade: it is made a fine pixel wide
        padded = windows.largest(padded, int(np.ceil(1 / fine)))
    enlarged = resample(
        padded,
        max(1, round(padded.shape[0] * fine)),
        max(1, round(padded.shape[1] * fine)),
    )
    # The faintest line has no pixel above the edge any more between two that it lay on.
    distance = signed_distance(enlarged > min(EDGE, float(enlarged.max()) / 2))
    size = max(height, width) * fine
    stroke = stroke_width(distance) * BOX / size
    target = float(np.clip(stroke, THINNEST, WIDEST))
    grow = size * (target - stroke) / (2 * (BOX - target))
    grow = max(grow, -0.5 * float(distance.max()))  # something is left of any shape
    mended = np.clip(distance + grow + 0.5, 0, 1).astype(np.float32)
    return centred(boxed(mended)).reshape(-1)


def boxed(ink: FloatArray) -> FloatArray:
    """The ink alone, its longer side 20 pixels."""
    inside = ink > EDGE
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    cropped = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = BOX / max(cropped.shape)
    height, width = (max(1, round(side * scale)) for side in cropped.shape)
    return resample(cropped, height, width)


def centred(box: FloatArray) -> FloatArray:
    """The box on 28x28, its centre of mass at (14, 14) counted from 0, to the nearest pixel.

    That is where it is in every picture of MNIST, measured: half a pixel below the middle.
    """
    mass = box.sum()
    down = SIDE / 2 - (box.sum(axis=1) @ np.arange(box.shape[0])) / mass
    right = SIDE / 2 - (box.sum(axis=0) @ np.arange(box.shape[1])) / mass
    top = int(np.clip(round(down), 0, SIDE - box.shape[0]))
    left = int(np.clip(round(right), 0, SIDE - box.shape[1]))
    image = np.zeros((SIDE, SIDE), np.float32)
    image[top : top + box.shape[0], left : left + box.shape[1]] = box
    return image


def stroke_width(distance: FloatArray) -> float:
    """The mean width of the strokes, in pixels of the distance that `signed_distance` gives."""
    inside = distance > 0
    # In a band of width w, the mean distance to its edge is w / 4.
    return float(4 * distance[inside].mean()) if inside.any() else 0.0


def signed_distance(inside: npt.NDArray[np.bool_]) -> FloatArray:
    """Pixels to the edge of a mask: positive inside, negative outside, there down to -MARGIN."""
    within, beyond = _distance(~inside, sum(inside.shape)), _distance(inside, MARGIN + 0.5)
    return np.asarray(np.where(inside, within - 0.5, 0.5 - beyond), np.float32)


def _distance(to: npt.NDArray[np.bool_], most: float) -> FloatArray:
    """The distance of every pixel to the nearest one of a mask, `most` where it is farther.

    min over (u, v) of (y - u)^2 + (x - v)^2 + (0 in the mask, most^2 else), along the columns,
    then the rows (Felzenszwalb and Huttenlocher, Theory of Computing 2012), by ever longer steps.
    """
    squared = np.where(to, np.float32(0), np.float32(most**2))
    for _ in range(2):
        nearest = squared.copy()
        for step in range(1, len(squared)):
            if step**2 >= nearest.max():
                break
            longer = squared + np.float32(step**2)
            np.minimum(nearest[step:], longer[:-step], out=nearest[step:])
            np.minimum(nearest[:-step], longer[step:], out=nearest[:-step])
        squared = np.ascontiguousarray(nearest.T)
    return np.sqrt(squared)
