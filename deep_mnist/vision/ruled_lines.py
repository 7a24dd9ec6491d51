"""Remove the lines of ruled and squared paper; keep what is written across them."""

from __future__ import annotations

import cv2
import numpy as np

from deep_mnist.vision.components import FloatArray, connected_components

# Largest slope of a line. Most photos are held nearly straight.
MAX_SLOPE = 0.08
# Least length of a line, relative to the image. Strokes are shorter.
MIN_SPAN = 0.7
# Least shorter side of an image, in pixels. In smaller ones, a stroke can be as long as a line.
MIN_SIDE = 100
# Largest thickness of a line, relative to the image's longer side.
MAX_THICKNESS = 0.02
# Pixels that are removed across a line: two or three, and its gray edges.
THICKNESS = 5


def remove_ruled_lines(darkness: FloatArray, threshold: float) -> FloatArray:
    """Return the darkness, [H, W], without nearly horizontal and vertical lines."""
    if min(darkness.shape) < MIN_SIDE:
        return darkness
    return np.minimum(
        _remove_horizontal(darkness, threshold), _remove_horizontal(darkness.T, threshold).T
    )


def _remove_horizontal(darkness: FloatArray, threshold: float) -> FloatArray:
    height, width = darkness.shape
    margin = width // 10
    ends = (darkness[:, :margin], darkness[:, -margin:])
    if any(np.count_nonzero(end.max(axis=1) > threshold) < 2 for end in ends):
        return darkness  # fewer than two lines reach both sides
    darkness = np.ascontiguousarray(darkness)
    step = 1 + max(height, width) // 500  # a reduced image is faster
    dark = cv2.dilate(np.uint8(darkness > threshold), np.ones((step, step), np.uint8))
    small = np.ascontiguousarray(dark[::step, ::step])
    found = cv2.HoughLines(
        small,
        rho=1,
        theta=1 / small.shape[1],  # moves both ends of a line by half a pixel
        threshold=int(MIN_SPAN * small.shape[1]),
        min_theta=np.pi / 2 - MAX_SLOPE,
        max_theta=np.pi / 2 + MAX_SLOPE,
    )
    if found is None:
        return darkness
    lines = np.zeros(darkness.shape, np.uint8)
    for rho, theta in found.reshape(-1, 2):
        left, right = (
            round((step * rho - x * np.cos(theta)) / np.sin(theta)) for x in (0, width - 1)
        )
        cv2.line(lines, (0, left), (width - 1, right), 1, THICKNESS)
    bands = connected_components(lines > 0)
    are_thin = bands.areas <= (THICKNESS + MAX_THICKNESS * max(height, width)) * width
    if np.count_nonzero(are_thin) < 2:  # a single line may be a stroke, such as the bar of a 7
        return darkness
    on_line = np.append(False, are_thin)[bands.labels]
    erased = np.where(on_line, np.float32(0), darkness)
    # A stroke that crosses a line is darker above and below it.
    thickest = round(bands.areas[are_thin].max() / width)
    crossing = cv2.morphologyEx(erased, cv2.MORPH_CLOSE, np.ones((thickest + 3, 1), np.uint8))
    return np.where(on_line, np.minimum(darkness, crossing), darkness)
