"""Handwriting-like digits drawn from strokes: a data set that needs no file.

    >>> images, labels = digits(12_000, seed=0)

Each digit takes a style from the table of strokes; its control points, slant, proportions and pen
are drawn at random, the result is bent elastically and then framed as MNIST frames a digit.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deep_mnist.data.distort import affine_maps, elastic
from deep_mnist.data.strokes import STYLES, Style

FloatArray = NDArray[np.float32]

SIDE = 28  # pixels of an image's side
BOX = 20.0  # pixels of the box that a digit fits, the longer way
CENTRE = (13.5, 14.0)  # pixel index at which the centre of mass lies
POINTS = 72  # P, samples along the strokes of one digit
CHUNK = 500  # digits drawn at once, which bounds the memory

JITTER = 0.035  # standard deviation of each control point, in boxes
SLANT = (0.15, 0.25)  # mean and standard deviation, dx over dy
ROTATION = 0.08  # standard deviation, radians
STRETCH = 0.18  # standard deviation of log(width)
ELASTIC = ((0.06, 0.5), (0.015, 0.15))  # amplitude and smoothness of each field, in boxes
PEN = (2.7, 0.28)  # median width in pixels, standard deviation of log(width)
PRESSURE = 0.12  # largest relative change of the width along a digit
BLUR = 0.55  # pixels: standard deviation of the Gaussian laid at each sample of a stroke


class Templates(NamedTuple):
    """The table of styles as arrays. S styles, P samples, C control points at most."""

    digit: NDArray[np.int64]  # [S]
    share: NDArray[np.float64]  # [S]
    controls: FloatArray  # [S, C, 2] in [0, 1], zero where a style has fewer
    curve: FloatArray  # [S, P, C]: samples along the strokes = curve @ controls
    joined: FloatArray  # [S, P - 1]: 1 where a sample and the next lie on one stroke


def digits(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draws handwriting-like digits, the ten classes in equal number and random order.

    The same count and seed give the same bytes under one version of NumPy.

    Args:
        count: how many, 0 or more.
        seed: of the random numbers, 0 or more.

    Returns:
        images: [count, 784] uint8, 0 is the background and 255 the ink.
        labels: [count] uint8 in 0..9.

    Raises:
        ValueError: count or seed is negative.
    """
    if count < 0 or seed < 0:
        raise ValueError(f"count and seed must be 0 or more, not count={count}, seed={seed}")
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % 10).astype(np.uint8)
    images = np.empty((count, SIDE * SIDE), np.uint8)
    for start in range(0, count, CHUNK):
        chunk = slice(start, start + CHUNK)
        images[chunk] = draw(rng, labels[chunk])
    return images, labels


def draw(rng: np.random.Generator, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """One image for each label: [N] -> [N, 784] uint8."""
    points, joined = write(rng, labels)
    n = len(points)
    pen = PEN[0] * np.exp(PEN[1] * rng.standard_normal((n, 1), dtype=np.float32))
    radius = pen / 2
    along = np.linspace(0, 1, POINTS, dtype=np.float32)
    pressure = np.cos(2 * np.pi * (rng.random((n, 1), dtype=np.float32) * 2 * along + rng.random((n, 1), dtype=np.float32)))
    radii = radius * (1 + PRESSURE * pressure)
    points = frame(points, radius)
    target = rng.uniform(*CENTRE, (n, 1, 2)).astype(np.float32)
    points += target - centre_of_mass(render(points, joined, radius, radii))
    ink = render(points, joined, radius, radii)
    return np.rint(255 * ink).astype(np.uint8).reshape(n, SIDE * SIDE)


def write(rng: np.random.Generator, labels: NDArray[np.uint8]) -> tuple[FloatArray, FloatArray]:
    """Moves a pen once for each label.

    Returns:
        points: [N, P, 2] (x, y) along the strokes, y downwards, of no particular size or place.
        joined: [N, P - 1], 1 where a point and the next lie on one stroke, else 0.
    """
    templates = read_templates()
    style = np.empty(len(labels), np.int64)
    for digit in range(10):
        mine = np.flatnonzero(labels == digit)
        choices = np.flatnonzero(templates.digit == digit)
        style[mine] = rng.choice(choices, len(mine), p=templates.share[choices])
    controls = templates.controls[style]
    controls += JITTER * rng.standard_normal(controls.shape, dtype=np.float32)
    points = templates.curve[style] @ controls  # [N, P, 2]
    for amplitude, smoothness in ELASTIC:
        points = elastic(rng, points, amplitude, smoothness)
    maps = affine_maps(rng, len(points), SLANT, ROTATION, STRETCH)
    return points @ maps.transpose(0, 2, 1), templates.joined[style]


def lengths(points: FloatArray, joined: FloatArray) -> FloatArray:
    """Length of stroke that each point stands for: half the way to either neighbour. [N, P]."""
    step = np.hypot(*np.moveaxis(np.diff(points, axis=1), -1, 0)) * joined / 2  # [N, P - 1]
    return np.pad(step, ((0, 0), (0, 1))) + np.pad(step, ((0, 0), (1, 0)))


def frame(points: FloatArray, radius: FloatArray) -> FloatArray:
    """Scales strokes so that their ink fits a 20x20 box, proportions kept, amid the image."""
    low, high = points.min(axis=1, keepdims=True), points.max(axis=1, keepdims=True)  # [N, 1, 2]
    scale = (BOX - 2 * radius[:, :, None]) / (high - low).max(axis=-1, keepdims=True)
    return (points - (low + high) / 2) * scale + np.float32((SIDE - 1) / 2)


def centre_of_mass(images: FloatArray) -> FloatArray:
    """Mean pixel index (x, y) of the ink: [N, 28, 28] -> [N, 1, 2]."""
    pixel = np.arange(SIDE, dtype=np.float32)
    moments = np.stack([images.sum(axis=1) @ pixel, images.sum(axis=2) @ pixel], axis=-1)
    return (moments / images.sum(axis=(1, 2))[:, None])[:, None]


def render(
    points: FloatArray, joined: FloatArray, radius: FloatArray, radii: FloatArray
) -> FloatArray:
    """Inks strokes with a round pen, antialiased: [N, P, 2] in pixels -> [N, 28, 28] in [0, 1].

    A Gaussian at every point, weighted by the length it stands for, sums along a straight stroke to
    exp(-d^2 / 2 BLUR^2) at distance d from it, from which d is read back; ink falls from 1 to 0
    across the one pixel around d = radius.
    """
    step = joined == 0
    ends = np.pad(step, ((0, 0), (0, 1)), constant_values=True) * 1.0
    ends += np.pad(step, ((0, 0), (1, 0)), constant_values=True)
    mass = lengths(points, joined) / (BLUR * np.sqrt(2 * np.pi)) + ends / 2
    mass *= np.exp((radii**2 - radius**2) / (2 * BLUR**2))
    pixel = np.arange(SIDE, dtype=np.float32)
    gauss = np.exp((points[..., None] - pixel) ** 2 / np.float32(-2 * BLUR**2))  # [N, P, 2, 28]
    across = gauss[:, :, 0]
    down = gauss[:, :, 1] * mass[:, :, None].astype(np.float32)
    total = down.transpose(0, 2, 1) @ across  # [N, 28, 28]
    distance = BLUR * np.sqrt(-2 * np.log(np.clip(total, 1e-30, 1)))
    return np.clip(radius[:, :, None] + 0.5 - distance, 0, 1)


@cache
def read_templates() -> Templates:
    """Reads the table of styles into arrays."""
    parts = [read_style(style) for style in STYLES]
    most = max(len(controls) for controls, _, _ in parts)
    controls = np.zeros((len(parts), most, 2), np.float32)
    curve = np.zeros((len(parts), POINTS, most), np.float32)
    for i, (c, m, _) in enumerate(parts):
        controls[i, : len(c)] = c
        curve[i, :, : len(c)] = m
    digit = np.array([style.digit for style in STYLES])
    share = np.array([style.share for style in STYLES], np.float64)
    share /= np.bincount(digit, share)[digit]
    return Templates(digit, share, controls, curve, np.stack([j for _, _, j in parts]))


def read_style(style: Style) -> tuple[FloatArray, FloatArray, FloatArray]:
    """One style as control points [C, 2], curve [P, C] and joined [P - 1]."""
    strokes = [np.array([p.split(",") for p in s.split()], np.float64) / 100 for s in style.strokes]
    controls, inverse = np.unique(np.concatenate(strokes), axis=0, return_inverse=True)
    identity = np.eye(len(controls))[inverse]  # which control point each written point is
    fine, start = [], 0
    for stroke in strokes:
        fine.append(catmull_rom(len(stroke)) @ identity[start : start + len(stroke)])
        start += len(stroke)
    size = [np.hypot(*np.diff(f @ controls, axis=0).T) for f in fine]
    total = sum(s.sum() for s in size)
    edges = np.rint(POINTS * np.cumsum([0.0, *(s.sum() for s in size)]) / total).astype(int)
    rows, joined = [], np.ones(POINTS - 1, np.float32)
    for f, s, k in zip(fine, size, np.diff(edges), strict=True):
        way = np.concatenate([[0.0], np.cumsum(s)])
        pick = np.interp(np.linspace(0, way[-1], k), way, np.arange(len(way)))
        rows.append(f[np.rint(pick).astype(int)])
    joined[edges[1:-1] - 1] = 0
    return controls.astype(np.float32), np.concatenate(rows).astype(np.float32), joined


def catmull_rom(count: int, fine: int = 100) -> NDArray[np.float64]:
    """Weights [fine (count - 1) + 1, count] of control points along the curve through them."""
    padded = np.zeros((count + 2, count))
    padded[1:-1] = np.eye(count)
    padded[0, :2] = 2, -1
    padded[-1, -2:] = -1, 2
    t = np.linspace(0, 1, fine, endpoint=False)[:, None]
    rows = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False)
    ]
    return np.concatenate([*rows, padded[-2:-1]])
