"""What on a picture is ink: the paper, its shadows and the camera's noise are taken away.

Ink is dark on light, or light on dark. How dark it is, is measured beside the paper around it and
in parts of that paper's brightness, so that a shadow leaves nothing.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from deep_mnist.vision import plain, windows
from deep_mnist.vision.components import Components, components
from deep_mnist.vision.resample import FloatArray, resample
from deep_mnist.vision.ruling import without_lines

SIDE = 160  # longest, of the small copy on which the paper is estimated
STROKES = (3, 9)  # a stroke is at most so many parts of the longer side; in shadows, the second
SHADOW = 0.004  # of the picture: smaller ones do no harm
CONTRAST = 0.06  # least darkness of ink, where paper is 0 and black 1
SAMPLE = 100_000  # pixels that tell what a picture's are like
LARGE = 250_000  # pixels: there, a stroke is wider than the grain
NOISE = 5.0  # as many standard deviations of the paper's noise are ink
FAINT = 0.25  # of the darkest ink: what is fainter is no ink
EDGE = 0.5  # of a stroke's own darkness: where it ends


class Ink(NamedTuple):
    """The ink of a picture."""

    values: FloatArray  # [H, W]: 0 is paper, 1 as dark as its stroke
    parts: Components  # what hangs together of it


def find(grey: FloatArray) -> Ink:
    """The ink on a picture [H, W] in [0, 1]; no parts where there is none."""
    if plain.is_plain(grey):
        darkness, grain = plain.darkness(grey), 0.0
    else:
        darkness = without_paper(1 - grey if is_light_on_dark(grey) else grey)
        if darkness.size > LARGE:
            darkness = _smooth(_without_dusk(darkness))
        # In a tiny picture nearly every pixel is an edge, and none tells of noise.
        grain = min(NOISE * noise_of(darkness), 0.35 * _quantiles(darkness, 0.995)[0])
    darkness = without_lines(darkness, max(CONTRAST, grain))
    dark = darkness[darkness > max(CONTRAST, grain)]
    # A single dark pixel is dirt, or the sensor's.
    if dark.size < 3:
        return Ink(np.zeros_like(grey), components(np.zeros(grey.shape, np.bool_)))
    level = float(np.quantile(dark, 0.95))
    least = max(CONTRAST, grain, FAINT * level)
    rough = components(darkness > least)
    own = _own_levels(darkness, rough, level)
    values = np.clip(darkness / own[rough.labels], 0, 1).astype(np.float32)
    return Ink(values, components((rough.labels > 0) & (values > EDGE)))


def is_light_on_dark(grey: FloatArray) -> bool:
    """Whether the ink is lighter than what it is on.

    Two things speak for it, and neither alone is enough: that the picture is lighter than its
    border is, though a shadow on the border makes it so too; and that what differs most from the
    places around it is lighter than they are, though the gaps between thick strokes do as well.
    """
    small = _small(grey)
    level = float(np.median(np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])))
    darkest, lightest = np.quantile(small, [0.003, 0.997])
    beside = small - windows.mean(small, _odd(max(small.shape) / 8))
    darker, lighter = np.quantile(beside, [0.0005, 0.9995])
    beyond_border = (lightest - level + 0.01) / (level - darkest + 0.01)
    beyond_surrounding = (lighter + 0.002) / (0.002 - darker)
    # Paper is light more often than dark: in doubt it is.
    if beyond_border**0.3 * beyond_surrounding < 1.4:
        return False
    if beyond_surrounding > 1.3:
        return True
    # A light sheet on a dark table is thicker than any stroke.
    light = small > (level + lightest) / 2
    window = _odd(min(small.shape) / 4)
    sheet = windows.largest(windows.smallest(light, window), window)
    return bool(sheet.mean() < 0.08)


def without_paper(grey: FloatArray) -> FloatArray:
    """Darkness [H, W] of dark ink beside the paper around it: near 0 is paper, 1 is black.

    The paper is taken from surroundings that are wider than any stroke. Where a shadow reaches in
    they are narrower, and follow it; a thick stroke would be paper there, too.
    """
    small = _small(grey)
    wide, narrow = (_paper(small, _odd(max(small.shape) / part)) for part in STROKES)
    darkness = _beside(wide, grey)
    if _is_shaded(small, wide, narrow):
        narrowly = _beside(narrow, grey)
        if _quantiles(narrowly, 0.9995)[0] > 0.6 * _quantiles(darkness, 0.9995)[0]:
            darkness = narrowly
    # The grain makes the lightest places around a pixel lighter than the paper is.
    return np.asarray(darkness - min(_quantiles(darkness, 0.3)[0], CONTRAST / 2))


def _beside(paper: FloatArray, grey: FloatArray) -> FloatArray:
    paper = resample(paper, *grey.shape)
    # In the dark beside the sheet every grain would be ink.
    return np.asarray((paper - grey) / np.maximum(paper, 0.3 * paper.max() + np.float32(1e-6)))


def _paper(small: FloatArray, window: int) -> FloatArray:
    """The picture with everything dark filled in that is narrower than the window."""
    lightest = windows.largest(small, window)
    # Beyond the border the light is taken to fall as it does inside.
    beyond = np.pad(lightest, window // 2, "reflect", reflect_type="odd")
    closed = windows.smallest(beyond, window)[window // 2 :, window // 2 :]
    closed = closed[: small.shape[0], : small.shape[1]]
    return windows.mean(np.maximum(closed, small), 5)


def _without_dusk(darkness: FloatArray) -> FloatArray:
    """Takes away what is left of a shadow's soft edge: as dark as most of what is around it.

    At most a quarter of the ink's darkness, because in a thick stroke all around is ink.
    """
    small = _small(darkness, SIDE // 2)
    width = _odd(max(small.shape) / STROKES[1])
    padded = np.pad(small, width // 2, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, (width, width))
    rank = int(0.4 * width**2)
    most = np.partition(around.reshape(*small.shape, -1), rank, axis=-1)[..., rank]
    dusk = np.clip(most, 0, 0.25 * _quantiles(darkness, 0.9995)[0]).astype(np.float32)
    return darkness - resample(dusk, *darkness.shape)


def _is_shaded(small: FloatArray, wide: FloatArray, narrow: FloatArray) -> bool:
    """Whether something that is dark beside wide surroundings alone reaches in from the border."""
    beside_wide, beside_narrow = (1 - small / np.maximum(paper, 0.05) for paper in (wide, narrow))
    least = max(0.15 * float(np.max(beside_narrow)), CONTRAST / 2)
    strokes = windows.largest(beside_narrow > least, 5)
    lost = components((beside_wide > least) & ~strokes)
    labels = lost.labels
    reaching = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    areas = lost.areas[reaching[reaching > 0] - 1]
    return bool((areas > max(4, SHADOW * small.size)).any())


def contrast(grey: FloatArray) -> float:
    """How much the picture differs from itself blurred: shadows hardly do, strokes do."""
    small = _small(grey)
    beside = small - windows.mean(small, _odd(max(small.shape) / 12))
    return float(np.quantile(np.abs(beside), 0.997))


def noise_of(darkness: FloatArray) -> float:
    """The standard deviation of the paper's grain where it is rather coarse, as in a shadow."""
    step = 1 + math.isqrt(darkness.size // SAMPLE)
    darkness = darkness[::step, ::step]
    tiles = [
        tile
        for rows in np.array_split(darkness, min(6, len(darkness)))
        for tile in np.array_split(rows, min(6, rows.shape[1]), axis=1)
    ]
    lightest, light = np.transpose([np.quantile(tile, [0.05, 0.35]) for tile in tiles])
    # Of a bell curve, 1.26 deviations are between the two; ink is beyond both.
    return float(np.quantile(light - lightest, 0.8)) / 1.26


def _own_levels(darkness: FloatArray, parts: Components, level: float) -> FloatArray:
    """[total + 1]: how dark each part is where its stroke is darkest; infinite for a faint one."""
    own = np.full(parts.total + 1, np.inf, np.float32)
    inside = parts.labels > 0
    numbers, values = parts.labels[inside], darkness[inside]
    order = np.lexsort((values, numbers))
    last = np.cumsum(parts.areas)
    own[1:] = values[order][last - 1 - parts.areas // 10]
    own[own < 0.45 * level] = np.inf
    return own


def _small(image: FloatArray, longest: int = SIDE) -> FloatArray:
    step = -(-max(image.shape) // longest)
    height, width = (-(-side // step) for side in image.shape)
    return resample(image, height, width)


def _smooth(image: FloatArray) -> FloatArray:
    """Each pixel and its neighbours, 1 : 2 : 1 each way."""
    for _ in range(2):
        padded = np.pad(image, ((1, 1), (0, 0)), mode="edge")
        image = np.asarray((padded[:-2] + padded[2:]) / 4 + padded[1:-1] / 2, np.float32).T
    return image


def _quantiles(image: FloatArray, *shares: float) -> list[float]:
    """Of a large picture, from a part of its pixels that is spread over it."""
    step = 1 + image.size // SAMPLE
    while math.gcd(step, image.shape[-1]) > 1:  # from other columns in each row
        step += 1
    values = image.reshape(-1)[::step]
    return [float(value) for value in np.quantile(values, shares)]


def _odd(width: float) -> int:
    return max(3, int(width) | 1)
