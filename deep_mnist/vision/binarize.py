"""Binarize an image: strokes of any pen on paper of any brightness, in uneven light.

The paper's brightness is a median over surroundings that are much wider than a stroke: it follows
shadows, also their sharp edges. Darkness is measured relative to it.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from deep_mnist.vision.components import (
    MIN_CONTRAST,
    Components,
    FloatArray,
    connected_components,
)
from deep_mnist.vision.ruled_lines import remove_ruled_lines

# Longer side, in pixels, up to which an image is one digit: MNIST's 28 and similar sizes.
CLOSE_UP = 40
# Longer side, in pixels, of the copy in which paper and pages are detected.
SMALL_SIDE = 160
# Width of the median filter relative to the copy. Paper is more than half of it, even in a thick 8.
SURROUNDINGS = 0.7
# Threshold in standard deviations of the paper's noise, which no pixel of a megapixel exceeds.
NOISE = 5.0
# Least darkness of a component, relative to the darkest strokes. Lighter components are smudges.
SMUDGE = 0.45
# The same for components that touch the border. Lighter ones are shadows.
SHADOW = 0.75
# Darkness of a stroke relative to its darkest pixel. The middle of a thin stroke is lighter.
TYPICAL = 0.82
# Darkness, relative to that of the stroke, at which a stroke ends.
EDGE = 0.5


class Strokes(NamedTuple):
    """The strokes of an image."""

    darkness: FloatArray  # [H, W] in [0, 1]: 0 is paper, 1 as dark as the stroke
    components: Components  # where that is above EDGE


def binarize(gray: FloatArray) -> Strokes:
    """Return the strokes of an image, [H, W] in [0, 1], dark on light or light on dark."""
    darkness = _darkness(gray)
    if darkness.size > 4 * SMALL_SIDE**2:
        darkness = cv2.GaussianBlur(darkness, (3, 3), 0)
    threshold = max(MIN_CONTRAST, NOISE * _noise(darkness))
    darkness = remove_ruled_lines(darkness, threshold)
    dark = darkness[darkness > threshold]
    level = float(np.quantile(dark, 0.95)) if dark.size > 2 else np.inf
    rough = connected_components(darkness > max(threshold, EDGE * SMUDGE * level))
    own = TYPICAL * _darkest(darkness, rough)
    own[own < np.where(rough.at_border, SHADOW, SMUDGE) * level] = np.inf
    relative = np.zeros_like(darkness)
    inside = rough.labels > 0
    relative[inside] = np.minimum(darkness[inside] / own[rough.labels[inside] - 1], 1)
    return Strokes(relative, connected_components(relative > EDGE))


def is_close_up(gray: FloatArray) -> bool:
    """Return whether an image, [H, W], is so small that it is one digit."""
    return bool(max(gray.shape) <= CLOSE_UP)


def _darkness(gray: FloatArray) -> FloatArray:
    """Return how much darker than the paper each pixel is: 0 is paper, 1 is black."""
    step = max(1.0, max(gray.shape) / SMALL_SIDE)
    size = tuple(max(1, round(side / step)) for side in reversed(gray.shape))
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    # A small image is a close-up: its border, which the filter repeats outside, is the paper.
    window = int((2 if is_close_up(gray) else SURROUNDINGS) * max(size)) | 1
    paper = cv2.medianBlur(np.uint8(np.rint(255 * small)), window) / np.float32(255)
    # Cubes: the noise is symmetric, and strokes differ more from the paper than their gaps.
    if np.sum((small - paper) ** 3) > 0:
        gray, paper = 1 - gray, 1 - paper
    paper = cv2.GaussianBlur(paper, (5, 5), 0)
    paper = cv2.resize(paper, gray.shape[::-1], interpolation=cv2.INTER_LINEAR)
    darkness: FloatArray = paper - gray
    darkness /= np.maximum(paper, 0.3 * paper.max() + np.float32(1e-6), out=paper)
    return darkness


def _noise(darkness: FloatArray) -> float:
    """Return the standard deviation of the paper's noise, from the quarter nearest to the paper."""
    step = 1 + max(darkness.shape) // 500  # a sample of the pixels is enough
    quartile = np.quantile(np.abs(darkness[::step, ::step]), 0.25)
    return float(quartile) / 0.3186  # which is this quartile of the standard normal distribution


def _darkest(darkness: FloatArray, components: Components) -> npt.NDArray[np.float64]:
    """Return the darkness of each component's darkest pixels, [N]."""
    darkest = np.zeros(len(components.areas) + 1)
    inside = components.labels > 0
    np.maximum.at(darkest, components.labels[inside], darkness[inside])
    return darkest[1:]
