"""Training images, each a little different every time: shifted, or bent as another hand would."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from deep_mnist.data.batches import Batch
from deep_mnist.data.distort import affine_maps

FloatArray = npt.NDArray[np.float32]

SIZE = 28
CONTROL_POINTS = 9  # of an elastic field, along one side
PADDED = SIZE + 3  # a border of one pixel before, of two after: a point has four neighbours


class Augmentation(NamedTuple):
    """How much images are changed. Lengths in pixels; each number is a standard deviation."""

    shift: float  # of the centre, along either axis
    rotation: float  # radians
    slant: float  # dx over dy
    stretch: float  # of log(width)
    size: float  # of log(width) and log(height) together
    elastic: float  # displacement of a point, along either axis
    smoothness: float  # distance over which the displacement changes


SLIGHT = Augmentation(0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 4.0)
STRONG = Augmentation(1.0, 0.12, 0.12, 0.08, 0.08, 0.8, 4.0)
AUGMENTATIONS = {"slight": SLIGHT, "strong": STRONG}


def augmented(
    batches: Iterator[Batch], how: Augmentation, seed: int, first_step: int, until: int
) -> Iterator[Batch]:
    """Yields the batches of steps first_step, first_step + 1, ... with their images distorted.

    What is done to the batch of step k is a function of (seed, k). From step `until` on images are
    left as they are: resampled ones are a little blurred, those to be read are not.
    """
    for step, (images, labels) in enumerate(batches, first_step):
        if step < until:
            # A third number, because those of two draw the orders of the epochs.
            images = distort(images, how, np.random.default_rng([seed, step, 1]))
        yield Batch(images, labels)


def distort(images: FloatArray, how: Augmentation, rng: np.random.Generator) -> FloatArray:
    """Resamples each image under a random affine map and a random elastic field of its own.

    image'(p) = image(c + s A (p - c) + t + u(p)), bilinearly; background is beyond the border

    Args:
      images: [N, 784] float32, rows first.
      how: the standard deviations of the map and the field.
      rng: where the random numbers come from.

    Returns:
      [N, 784] float32, in the range of images.

    Source: Simard, Steinkraus, Platt, Best practices for convolutional neural networks, 2003.
    """
    count = len(images)
    maps = affine_maps(rng, count, (0.0, how.slant), how.rotation, how.stretch)  # [N, 2, 2]
    size = np.exp(how.size * rng.standard_normal((count, 1, 1), dtype=np.float32))
    shift = how.shift * rng.standard_normal((count, 2, 1, 1), dtype=np.float32)
    points = ((size * maps).reshape(count * 2, 2) @ GRID).reshape(count, 2, SIZE, SIZE)
    points += shift + np.float32((SIZE - 1) / 2)
    if how.elastic:
        points += elastic_field(rng, count, how.elastic, how.smoothness)
    return resample(images, points)


def elastic_field(
    rng: np.random.Generator, count: int, amplitude: float, smoothness: float
) -> FloatArray:
    """[N, 2, 28, 28] float32: noise on a coarse grid, smoothed by a Gaussian in both directions."""
    noise = rng.standard_normal((count * 2, CONTROL_POINTS, CONTROL_POINTS), dtype=np.float32)
    centres = np.linspace(-smoothness, SIZE - 1 + smoothness, CONTROL_POINTS)
    smooth = np.exp(-0.5 * ((np.arange(SIZE)[:, None] - centres) / smoothness) ** 2)  # [28, K]
    smooth = (smooth / np.linalg.norm(smooth, axis=1, keepdims=True)).astype(np.float32)
    across = noise.reshape(-1, CONTROL_POINTS) @ (np.float32(amplitude) * smooth.T)  # [2 N K, 28]
    field: FloatArray = smooth @ across.reshape(-1, CONTROL_POINTS, SIZE)
    return field.reshape(count, 2, SIZE, SIZE)


def resample(images: FloatArray, points: FloatArray) -> FloatArray:
    """Bilinear values of images [N, 784] at points [N, 2, 28, 28] (x, y), zero outside."""
    count = len(images)
    padded = np.zeros((count, PADDED, PADDED), np.float32)
    padded[:, 1:-2, 1:-2] = images.reshape(count, SIZE, SIZE)
    flat = padded.reshape(-1)
    points = np.clip(points + np.float32(1), 0, SIZE + 1)
    corner = points.astype(np.int32)
    points -= corner
    x, y = points[:, 0], points[:, 1]
    at = corner[:, 1] * np.int32(PADDED) + corner[:, 0]
    at += np.arange(0, flat.size, PADDED * PADDED, dtype=np.int32)[:, None, None]
    top, bottom = flat.take(at), flat.take(at + np.int32(PADDED))
    top += x * (flat.take(at + np.int32(1)) - top)
    bottom += x * (flat.take(at + np.int32(PADDED + 1)) - bottom)
    top += y * (bottom - top)
    return top.reshape(count, SIZE * SIZE)


_AXIS = np.arange(SIZE, dtype=np.float32) - np.float32((SIZE - 1) / 2)
GRID = np.stack([np.tile(_AXIS, SIZE), np.repeat(_AXIS, SIZE)])  # [2, 784]: x, y from the centre
