"""What on a picture is ink: the paper, its shadows and the camera's noise are taken away.

Ink is dark on light, or light on dark; which of the two is decided at the picture's border. What
is left is divided by the brightness of the paper around, so that a shadow leaves nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from deep_mnist.data.components import Components, components
from deep_mnist.data.resample import FloatArray, resample

SIDE = 160  # longest, of the small copy on which the paper is estimated
STROKE = 3  # the widest stroke: a third of the picture's longer side
THIN_STROKE = 9  # in a picture with shadows
CONTRAST = 0.06  # least darkness of ink, where paper is 0 and black 1
NOISE = 5.0  # as many standard deviations of the paper's noise are ink
FAINT = (
    0.25  # of the darkest ink: what is fainter is no ink of the same pen, but a line of the paper
)
EDGE = 0.45  # of a stroke's own darkness: where it ends


class Ink(NamedTuple):
    """The ink of a picture."""

    values: FloatArray  # [H, W]: 0 is paper, 1 as dark as its stroke
    parts: Components  # what hangs together of it


def find(grey: FloatArray) -> Ink:
    """The ink on a picture [H, W] in [0, 1]; no parts where there is none."""
    darkness = without_paper(1 - grey if is_light_on_dark(grey) else grey)
    noise = noise_of(darkness)
    dark = darkness[darkness > max(CONTRAST, NOISE * noise)]
    # A single dark pixel is dirt, or the sensor's.
    if dark.size < 3:
        return Ink(np.zeros_like(grey), components(np.zeros(grey.shape, np.bool_)))
    level = np.quantile(dark, 0.95)
    least = max(CONTRAST, NOISE * noise, FAINT * level)
    rough = components(darkness > least)
    own = _own_levels(darkness, rough, level)
    values = np.clip(darkness / own[rough.labels], 0, 1)
    return Ink(values.astype(np.float32), components((rough.labels > 0) & (values > EDGE)))


def is_light_on_dark(grey: FloatArray) -> bool:
    """Whether the ink is lighter than what it is on, seen from the border inwards."""
    small = _small(grey)
    border = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    level = float(np.median(border))
    darkest, lightest = np.quantile(small, [0.003, 0.997])
    # Paper is light more often than dark: in doubt it is.
    if lightest - level <= 1.3 * (level - darkest):
        return False
    light = small > (level + lightest) / 2
    window = max(3, min(small.shape) // 4)
    # Strokes are thin; what is left under such a window is a sheet on a dark table.
    fat = _minimum(light, window)
    return bool(fat.sum() < 0.02 * light.size)


def without_paper(grey: FloatArray) -> FloatArray:
    """Darkness [H, W] in [0, 1] of dark ink beside the paper around it."""
    small = _small(grey)
    window = _odd(max(small.shape) / STROKE)
    if _is_shaded(small, window):
        window = _odd(max(small.shape) / THIN_STROKE)
    paper = resample(_paper(small, window), *grey.shape)
    # In the dark beside the sheet every grain would be ink.
    darkness = (paper - grey) / np.maximum(paper, 0.3 * paper.max() + 1e-6)
    return np.clip(darkness - np.median(darkness), 0, 1)


def _paper(small: FloatArray, window: int) -> FloatArray:
    """The picture with everything dark filled in that is narrower than the window."""
    closed = _minimum(_maximum(small, window), window)
    return _mean(closed, 5)


def _is_shaded(small: FloatArray, window: int) -> bool:
    """Whether something dark and too thick for a stroke reaches in from the border."""
    depth = _paper(small, window) - small
    dark = depth > 0.3 * np.max(depth, initial=CONTRAST)
    fat = _maximum(_minimum(dark, _odd(min(small.shape) / 6)), _odd(min(small.shape) / 6))
    border = np.concatenate([fat[0], fat[-1], fat[:, 0], fat[:, -1]])
    return bool(border.any())


def contrast(grey: FloatArray) -> float:
    """How much the picture differs from itself blurred: shadows hardly do, strokes do."""
    small = _small(grey)
    return float(np.quantile(np.abs(small - _mean(small, _odd(max(small.shape) / 12))), 0.997))


def noise_of(darkness: FloatArray) -> float:
    """The standard deviation of the paper's grain, robustly: from neighbours' differences."""
    differences = np.concatenate(
        [np.diff(darkness, axis=0).ravel(), np.diff(darkness, axis=1).ravel()]
    )
    if not differences.size:
        return 0.0
    return float(1.4826 * np.median(np.abs(differences)) / np.sqrt(2))


def _own_levels(darkness: FloatArray, parts: Components, level: float) -> FloatArray:
    """[count + 1]: how dark each part is where its stroke is darkest; infinite for a faint one."""
    own = np.full(parts.count + 1, np.inf, np.float32)
    inside = parts.labels > 0
    numbers, values = parts.labels[inside], darkness[inside]
    order = np.lexsort((values, numbers))
    last = np.cumsum(parts.areas)
    own[1:] = values[order][last - 1 - parts.areas // 10]
    own[own < 0.4 * level] = np.inf
    return own


def _small(grey: FloatArray) -> FloatArray:
    step = max(1, -(-max(grey.shape) // SIDE))
    height, width = (-(-side // step) for side in grey.shape)
    return resample(grey, height, width)


def _mean(image: FloatArray, width: int) -> FloatArray:
    """Means over a window, twice, so that its corners do not show."""
    for _ in range(2):
        for axis in (0, 1):
            image = _windows(image, width, axis, "edge").mean(axis=-1)
    return image


def _maximum(image: npt.NDArray[Any], width: int) -> npt.NDArray[Any]:
    """The largest value in a window around each pixel."""
    for axis in (0, 1):
        image = _windows(image, width, axis, "edge").max(axis=-1)
    return image


def _minimum(image: npt.NDArray[Any], width: int) -> npt.NDArray[Any]:
    """The smallest."""
    for axis in (0, 1):
        image = _windows(image, width, axis, "edge").min(axis=-1)
    return image


def _odd(width: float) -> int:
    return max(3, int(width) | 1)


def _windows(image, width, axis, mode):
    before = (width - 1) // 2
    pad = [(0, 0), (0, 0)]
    pad[axis] = (before, width - 1 - before)
    padded = np.pad(image, pad, mode=mode)
    return np.lib.stride_tricks.sliding_window_view(padded, width, axis)
