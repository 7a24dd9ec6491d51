"""Handwriting-like digits drawn from strokes: a data set that needs no file.

    images, labels = digits(12_000, seed=0)

Each digit is written in a style of the table in strokes.py. Its points, slant, proportions and pen
are drawn at random, it is bent as distort.py bends, and framed as MNIST frames a digit.
In every shape below N is the number of digits and P = strokes.POINTS the samples along one.
"""

import numpy as np
from numpy.typing import NDArray

from deep_mnist.data.distort import affine_maps, elastic
from deep_mnist.data.strokes import POINTS, templates

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]

JITTER = 0.027  # of each control point, standard deviation in boxes
ELASTIC = ((0.048, 0.5), (0.012, 0.15))  # amplitude and smoothness of each field, in boxes
SLANT = (0.15, 0.23)  # mean and standard deviation, dx over dy
ROTATION = 0.08  # standard deviation, radians
STRETCH = 0.16  # standard deviation of log(width)

SIDE = 28  # of an image, pixels
BOX = 20.0  # that a digit fits, pixels
CENTRE = (13.5, 13.9)  # between these pixel indices lies the centre of mass
PEN = (2.6, 0.25)  # median width in pixels, standard deviation of its logarithm
PRESSURE = 0.15  # changes the pen's width along a digit by so much, relatively
BLUR = 0.55  # standard deviation of the Gaussians that draw a stroke, pixels
CHUNK = 500  # digits drawn at once, which bounds the memory


def digits(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draws digits, the ten classes in equal numbers (up to rounding) and random order.

    The same count and seed give the same bytes under one NumPy on one kind of processor;
    elsewhere a grey level may be rounded otherwise.

    Args:
      count: how many, 0 or more.
      seed: of every random number, 0 or more.

    Returns:
      images: [count, 784] uint8, 0 the background and 255 the ink.
      labels: [count] uint8 in 0..9.

    Raises:
      ValueError: count or seed is negative.
    """
    if count < 0 or seed < 0:
        raise ValueError(f"count and seed can't be negative: got count={count}, seed={seed}")
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % 10).astype(np.uint8)
    images = np.empty((count, SIDE * SIDE), np.uint8)
    for start in range(0, count, CHUNK):
        chunk = slice(start, start + CHUNK)
        images[chunk] = _draw(rng, labels[chunk])
    return images, labels


def _draw(rng: np.random.Generator, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """One image for each label: [N] -> [N, 784] uint8."""
    points, joined = _write(rng, labels)
    radii = _press(rng, len(labels))
    points = _fit(points, radii)
    centre = rng.uniform(*CENTRE, (len(labels), 1, 2)).astype(np.float32)
    points += centre - _centre_of_mass(_ink(points, joined, radii))
    ink = _ink(points, joined, radii)
    return np.rint(255 * ink).astype(np.uint8).reshape(-1, SIDE * SIDE)


def _write(rng: np.random.Generator, labels: NDArray[np.uint8]) -> tuple[FloatArray, BoolArray]:
    """Moves a pen once for each label.

    Returns:
      points: [N, P, 2] (x, y) along the strokes, y downwards, in boxes.
      joined: [N, P - 1] bool, are a point and the next of one stroke?
    """
    table = templates()
    style = np.empty(len(labels), np.int64)
    for digit in range(10):
        mine = labels == digit
        styles = np.flatnonzero(table.digit == digit)
        style[mine] = rng.choice(styles, mine.sum(), p=table.probability[styles])
    controls = table.controls[style]  # [N, C, 2]
    controls += JITTER * rng.standard_normal(controls.shape, dtype=np.float32)
    points: FloatArray = table.curve[style] @ controls
    for amplitude, smoothness in ELASTIC:
        points = elastic(rng, points, amplitude, smoothness)
    maps = affine_maps(rng, len(labels), SLANT, ROTATION, STRETCH)
    points = np.matmul(points, maps.transpose(0, 2, 1))
    return points, table.joined[style]


def _press(rng: np.random.Generator, count: int) -> FloatArray:
    """The pen's radius at every point: a width for each digit, which swells and thins. [N, P]."""
    radius = PEN[0] / 2 * np.exp(PEN[1] * rng.standard_normal((count, 1)))
    phase, turns = rng.random((2, count, 1))
    pressure = np.cos(2 * np.pi * (phase + 2 * turns * np.linspace(0, 1, POINTS)))
    radii: FloatArray = (radius * (1 + PRESSURE * pressure)).astype(np.float32)
    return radii


def _fit(points: FloatArray, radii: FloatArray) -> FloatArray:
    """Scales strokes to pixels, proportions kept, so that their ink fits the box."""
    low = points.min(axis=1, keepdims=True)  # [N, 1, 2]
    high = points.max(axis=1, keepdims=True)
    pen = 2 * radii.mean(axis=1)[:, None, None]
    scale = (BOX - pen) / (high - low).max(axis=-1, keepdims=True)
    fitted: FloatArray = (points - (low + high) / 2) * scale + np.float32((SIDE - 1) / 2)
    return fitted


def _centre_of_mass(ink: FloatArray) -> FloatArray:
    """The mean pixel index (x, y), weighted by ink: [N, 28, 28] -> [N, 1, 2]."""
    index = np.arange(SIDE, dtype=np.float32)
    moments = np.stack([ink.sum(axis=1) @ index, ink.sum(axis=2) @ index], axis=-1)  # [N, 2]
    mean: FloatArray = moments / ink.sum(axis=(1, 2))[:, None]
    return mean[:, None]


def _ink(points: FloatArray, joined: BoolArray, radii: FloatArray) -> FloatArray:
    """Draws strokes with a round pen, antialiased: points in pixels -> [N, 28, 28] in [0, 1].

    Each point stands for half the way to either neighbour on its stroke, l. Beside a stroke
    sum_p l_p exp(-|q - p|^2 / 2 BLUR^2) / (sqrt(2 pi) BLUR) = exp(-d^2 / 2 BLUR^2)
    for a pixel q at distance d, which gives d; ink falls from 1 to 0 within half a pixel of
    d = radius. A Gaussian is a product over x and y: the sum is one matrix product for a digit.
    """
    radius = radii.mean(axis=1, keepdims=True)  # [N, 1]
    end = np.float32(BLUR * np.sqrt(np.pi / 2))  # half a Gaussian: without it the ends shrink
    half = np.where(joined, np.hypot(*np.diff(points, axis=1).transpose(2, 0, 1)) / 2, end)
    half = np.pad(half, ((0, 0), (1, 1)), constant_values=end)  # [N, P + 1]
    weight = (half[:, :-1] + half[:, 1:]) / np.float32(np.sqrt(2 * np.pi) * BLUR)  # [N, P]
    # A heavier point reads as a nearer one: this makes the reading `radius` at distance `radii`.
    weight *= np.exp((radii**2 - radius**2) / (2 * BLUR**2))
    index = np.arange(SIDE, dtype=np.float32)
    gaussian = np.exp((points[..., None] - index) ** 2 / (-2 * BLUR**2))  # [N, P, 2, 28]
    x, y = gaussian[:, :, 0], gaussian[:, :, 1] * weight[:, :, None]
    total = y.transpose(0, 2, 1) @ x  # [N, 28, 28]
    distance = BLUR * np.sqrt(-2 * np.log(np.clip(total, 1e-30, 1)))
    ink: FloatArray = np.clip(radius[:, :, None] + 0.5 - distance, 0, 1)
    return ink
