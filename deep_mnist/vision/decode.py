"""A decoded picture made smaller, strip by strip: a large one is never copied as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from deep_mnist.vision.resample import FloatArray

STRIP = 1_000_000  # pixels that are converted at a time
FULL_SCALES = (1, 255, 4_095, 65_535)  # white, where a pixel has more than 8 bits


def deep(image: Any, times: int) -> FloatArray:
    """[H, W] in [0, 1] of a picture of one channel with more than 8 bits, `times` smaller."""
    most = 0.0
    means = []
    for strip in _strips(image, times):
        values = np.nan_to_num(np.asarray(strip, np.float32), posinf=0, neginf=0).clip(0)
        most = max(most, float(values.max()))
        means.append(_blocks(values, times))
    full = next((scale for scale in FULL_SCALES if most <= scale), most)
    return np.concatenate(means) / np.float32(full)


def colours(image: Any, times: int) -> FloatArray:
    """[H, W, 3] in [0, 1]: red, green and blue, `times` smaller; what is transparent counts too."""
    return _channels(image, "RGB", times)


def colours_and_coverage(image: Any, times: int) -> FloatArray:
    """[H, W, 4]: red, green and blue of what is not transparent, and how much of it there is."""
    return _channels(image, "RGBA", times)


def is_partly_transparent(image: Any) -> bool:
    """Whether some pixels are more transparent than others."""
    if not image.has_transparency_data:
        return False
    ranges = [strip.convert("RGBA").getchannel("A").getextrema() for strip in _strips(image, 1)]
    return bool(min(low for low, _ in ranges) < max(high for _, high in ranges))


def _channels(image: Any, mode: str, times: int) -> FloatArray:
    strips = [strip.convert(mode).reduce(times) for strip in _strips(image, times)]
    values = np.concatenate([np.asarray(strip) for strip in strips])
    return np.asarray(values / np.float32(255), np.float32)


def _strips(image: Any, times: int) -> Iterator[Any]:
    """From top to bottom, each as high as a whole number of small pixels, but for the last."""
    width, height = image.size
    rows = times * max(1, STRIP // (times * width))
    for top in range(0, height, rows):
        yield image.crop((0, top, width, min(top + rows, height)))


def _blocks(values: FloatArray, times: int) -> FloatArray:
    """The mean of each block of times x times; those at the far ends may be smaller."""
    if times == 1:
        return values
    for axis in (0, 1):
        starts = np.arange(0, values.shape[axis], times)
        counts = np.diff(starts, append=values.shape[axis]).astype(np.float32)
        sums = np.add.reduceat(values, starts, axis=axis)
        mean = sums / (counts[:, None] if axis == 0 else counts)
        values = np.asarray(mean, np.float32)
    return values
