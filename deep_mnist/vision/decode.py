"""Decode an image file to gray values, upright and no larger than needed."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import cv2
import numpy as np
from PIL import ImageOps

from deep_mnist.vision.components import FloatArray

WORK_PIXELS = 1_000_000  # of the reduced image: a digit of 1/30 of its height has 33 pixels
STRIP_PIXELS = 1_000_000  # converted at once, so that a large image is not copied as a whole
FULL_SCALES = (1, 255, 4_095, 65_535)  # white, where a pixel has more than 8 bits
MIN_GAIN = 1.7  # in contrast, by which a color channel is preferred: brightness has less noise


def to_gray(image: Any) -> tuple[FloatArray, int, int]:
    """Decode an opened Pillow image.

    Transparent pixels are white, or black where the visible ones are white too.

    Returns:
      Gray values, [H, W] in [0, 1], at most about WORK_PIXELS of them; the width and the height of
      the upright image in the file.
    """
    width, height = image.size
    factor = max(1.0, math.sqrt(width * height / WORK_PIXELS))
    image.draft(None, (int(width / factor), int(height / factor)))  # a JPEG is decoded smaller
    drafted = image.size
    with contextlib.suppress(Exception):  # damaged EXIF data: the image itself may be whole
        ImageOps.exif_transpose(image, in_place=True)
    if image.size != drafted:
        width, height = height, width
    return _gray(image, max(1, round(factor * image.size[0] / width))), width, height


def _gray(image: Any, factor: int) -> FloatArray:
    if image.mode.startswith(("I", "F")):
        values = np.nan_to_num(_reduce(image, "F", factor), posinf=0, neginf=0).clip(0)
        largest = values.max()
        scale = next((scale for scale in FULL_SCALES if largest <= scale), largest)
        return np.asarray(values / np.float32(scale))
    if not image.has_transparency_data:
        return _channel_with_most_contrast(_reduce(image, "RGB", factor) / np.float32(255))
    channels = _reduce(image, "RGBA", factor) / np.float32(255)
    colors, alpha = channels[:, :, :3], channels[:, :, 3:]
    if np.ptp(alpha) == 0:
        return _channel_with_most_contrast(np.ascontiguousarray(colors))
    gray = _channel_with_most_contrast(colors * alpha + 1 - alpha)
    return gray if np.ptp(gray) > 0.03 else 1 - alpha[:, :, 0]


def _reduce(image: Any, mode: str, factor: int) -> FloatArray:
    """Return the means of blocks of factor x factor pixels."""
    width, height = image.size
    rows = factor * max(1, STRIP_PIXELS // (factor * width))
    strips = (
        image.crop((0, top, width, min(top + rows, height))).convert(mode).reduce(factor)
        for top in range(0, height, rows)
    )
    return np.concatenate([np.asarray(strip, np.float32) for strip in strips])


def _channel_with_most_contrast(colors: FloatArray) -> FloatArray:
    """Return the brightness, [H, W], or a channel that shows the strokes better.

    Yellow on white is visible in blue only, red on green in neither the brightness nor blue.
    """
    gray: FloatArray = cv2.cvtColor(colors, cv2.COLOR_RGB2GRAY)
    channel = max(cv2.split(colors), key=_contrast)
    return channel if _contrast(channel) > MIN_GAIN * _contrast(gray) else gray


def _contrast(channel: FloatArray) -> float:
    """Return how much the most conspicuous pixels differ from their surroundings."""
    small = cv2.resize(channel, (160, 160), interpolation=cv2.INTER_AREA)
    return float(np.quantile(np.abs(small - cv2.blur(small, (15, 15))), 0.997))
