"""Data augmentation: random shifts, affine maps and elastic distortions of training images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from deep_mnist.data.batches import Batch
from deep_mnist.data.distort import affine_maps

__all__ = ["AUGMENTATIONS", "Augmentation", "augmented", "distort"]

FloatArray = npt.NDArray[np.float32]

SIZE = 28
CONTROL_POINTS = 9  # K: of an elastic field, along one side
CENTER = np.float32((SIZE - 1) / 2)
FROM_CENTER = np.arange(SIZE, dtype=np.float32) - CENTER  # [28]
PADDED = SIZE + 3  # one pixel before and two after, so that every point has four neighbors


class Augmentation(NamedTuple):
    """Standard deviations of the random distortions; lengths in pixels."""

    shift: float  # of the center, along either axis
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
    batches: Iterator[Batch], augmentation: Augmentation, seed: int, first_step: int, until: int
) -> Iterator[Batch]:
    """Yield batches with distorted images.

    The distortion of step k is a function of (seed, k).

    Args:
      batches: the batches of steps first_step, first_step + 1, ...
      augmentation: how much images are distorted.
      seed: random seed.
      first_step: the step of the first batch.
      until: the step from which on images are left unchanged. Resampling blurs images a little,
        and those of the test set are not blurred.
    """
    for step, (images, labels) in enumerate(batches, first_step):
        if step < until:
            # A third number, because seeds of two draw the order of an epoch.
            images = distort(images, augmentation, np.random.default_rng([seed, step, 1]))
        yield Batch(images, labels)


def distort(images: FloatArray, augmentation: Augmentation, rng: np.random.Generator) -> FloatArray:
    """Distort each image by its own random affine map and elastic field.

    image'(p) = image(c + s A (p - c) + t + u(p)), interpolated bilinearly, 0 outside the image

    Args:
      images: [N, 784] float32.
      augmentation: the standard deviations of the map and the field.
      rng: source of random numbers.

    Returns:
      [N, 784] float32, in the range of `images`.

    Source: Simard, Steinkraus, Platt, Best practices for convolutional neural networks, 2003.
    """
    count = len(images)
    maps = affine_maps(
        rng, count, (0.0, augmentation.slant), augmentation.rotation, augmentation.stretch
    )  # [N, 2, 2]
    size = np.exp(augmentation.size * rng.standard_normal((count, 1, 1), dtype=np.float32))
    shift = augmentation.shift * rng.standard_normal((count, 2, 1, 1), dtype=np.float32)
    a = (size * maps)[..., np.newaxis, np.newaxis]  # [N, 2, 2, 1, 1]
    x, y = FROM_CENTER, FROM_CENTER[:, np.newaxis]
    points = a[:, :, 0] * x + (a[:, :, 1] * y + shift + CENTER)  # [N, 2, 28, 28]
    if augmentation.elastic:
        points += elastic_field(rng, count, augmentation.elastic, augmentation.smoothness)
    return resample(images, points)


def elastic_field(
    rng: np.random.Generator, count: int, amplitude: float, smoothness: float
) -> FloatArray:
    """Return smooth random displacements: noise on a coarse grid, smoothed by a Gaussian.

    Args:
      rng: source of random numbers.
      count: N, number of fields.
      amplitude: standard deviation of each component, in pixels.
      smoothness: standard deviation of the Gaussian, in pixels.

    Returns:
      [N, 2, 28, 28] float32, the x and y components.
    """
    shape = (count, 2, CONTROL_POINTS, CONTROL_POINTS)
    noise = rng.standard_normal(shape, dtype=np.float32)
    centers = np.linspace(-smoothness, SIZE - 1 + smoothness, CONTROL_POINTS)
    smooth = np.exp(-0.5 * ((np.arange(SIZE)[:, None] - centers) / smoothness) ** 2)  # [28, K]
    smooth = (smooth / np.linalg.norm(smooth, axis=1, keepdims=True)).astype(np.float32)
    # Small products only: for larger ones NumPy starts threads, which compete with TensorFlow.
    field: FloatArray = smooth @ noise @ (np.float32(amplitude) * smooth.T)
    return field


def resample(images: FloatArray, points: FloatArray) -> FloatArray:
    """Interpolate images bilinearly.

    Args:
      images: [N, 784] float32.
      points: [N, 2, 28, 28] float32, the x and y of each output pixel.

    Returns:
      [N, 784] float32, 0 at points outside the image.
    """
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
