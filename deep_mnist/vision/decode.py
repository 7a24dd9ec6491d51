"""Decode an image file to gray values, upright and no larger than needed."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import ImageOps

from deep_mnist.vision.components import MIN_CONTRAST, FloatArray

# Pixels of the reduced image. A digit of a thirtieth of its height is 33 pixels high.
WORK_PIXELS = 1_000_000
# Pixels that are converted at once, so that a large image is not copied as a whole.
STRIP_PIXELS = 1_000_000
# Values of white in images with more than 8 bits per pixel.
FULL_SCALES = (1, 255, 4_095, 65_535)
# Least contrast of a color channel that is preferred to brightness, relative to that of brightness,
# which has less noise.
MIN_GAIN = 1.7


def to_gray(image: Any) -> tuple[FloatArray, int, int]:
    """Decode an opened Pillow image.

    Transparent pixels are white, or black where the visible ones are white too.

    Returns:
      Gray values, [H, W] in [0, 1], at most about WORK_PIXELS of them; the width and the height of
      the upright image in the file.
    """
    width, height = image.size
    factor = max(1.0, math.sqrt(width * height / WORK_PIXELS))
    divisor = math.ceil(factor)
    image.draft(None, (width // divisor, height // divisor))  # decodes a JPEG at a reduced size
    drafted = image.size
    with contextlib.suppress(Exception):  # where only the EXIF data is damaged
        ImageOps.exif_transpose(image, in_place=True)
    if image.size != drafted:
        width, height = height, width
    return _gray(image, max(1, round(factor * image.size[0] / width))), width, height


def _gray(image: Any, factor: int) -> FloatArray:
    if image.mode.startswith(("I", "F")):
        values = np.nan_to_num(_reduce(image, "F", factor), posinf=0, neginf=0).clip(0)
        largest = values.max()
        scale = next((scale for scale in FULL_SCALES if largest <= scale), largest)
        return np.asarray(values / scale, np.float32)
    if not image.has_transparency_data:
        return _channel_with_most_contrast(_reduce(image, "RGB", factor))
    channels = _reduce(image, "RGBA", factor)
    colors, alpha = channels[:, :, :3], channels[:, :, 3:]
    if np.ptp(alpha) == 0:
        return _channel_with_most_contrast(np.ascontiguousarray(colors))
    opacity = alpha / np.float32(255)
    on_white = np.rint(colors * opacity + 255 * (1 - opacity)).astype(np.uint8)
    gray = _channel_with_most_contrast(on_white)
    return gray if np.ptp(gray) > MIN_CONTRAST else np.asarray(1 - opacity[:, :, 0])


def _reduce(image: Any, mode: str, factor: int) -> npt.NDArray[Any]:
    """Return the means of blocks of factor x factor pixels."""
    if factor == 1:
        return np.asarray(image if image.mode == mode else image.convert(mode))
    width, height = image.size
    rows = factor * max(1, STRIP_PIXELS // (factor * width))
    strips = (
        image.crop((0, top, width, min(top + rows, height))).convert(mode).reduce(factor)
        for top in range(0, height, rows)
    )
    return np.concatenate([np.asarray(strip) for strip in strips])


def _channel_with_most_contrast(colors: npt.NDArray[np.uint8]) -> FloatArray:
    """Return the brightness, [H, W] in [0, 1], or a channel that shows the strokes better.

    Yellow on white is visible in blue only, red on green in neither the brightness nor blue.
    """
    small = cv2.resize(colors, (160, 160), interpolation=cv2.INTER_AREA)
    # The contrast is how much the most conspicuous pixels differ from their surroundings.
    contrasts = [
        np.quantile(np.abs(channel - cv2.blur(channel, (15, 15))), 0.997)
        for channel in np.stack(
            [cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), *cv2.split(small)]
        ).astype(np.float32)
    ]
    best = int(np.argmax(contrasts))
    gray = (
        cv2.extractChannel(colors, best - 1)
        if contrasts[best] > MIN_GAIN * contrasts[0]
        else cv2.cvtColor(colors, cv2.COLOR_RGB2GRAY)
    )
    return np.asarray(gray / np.float32(255))
