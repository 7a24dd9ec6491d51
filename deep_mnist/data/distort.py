"""Random distortions of the plane, similar to those of handwriting.

They act on coordinates, so that the same functions distort pen strokes and the pixel grid from
which an image is resampled. Each of N examples has its own distortion and P points (x, y), with y
downwards.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["affine_maps", "elastic"]

FloatArray = NDArray[np.float32]

WAVES = 8  # K: number of cosines in each component of an elastic field


def affine_maps(
    rng: np.random.Generator,
    count: int,
    slant: tuple[float, float],
    rotation: float,
    stretch: float,
) -> FloatArray:
    """Return random linear maps: a stretch, then a slant, then a rotation.

    A = [[cos, -sin], [sin, cos]] [[1, -shear], [0, 1]] [[width, 0], [0, 1]]

    Args:
      rng: source of random numbers.
      count: N, number of maps.
      slant: mean and standard deviation of shear, dx over dy; positive moves the top to the right.
      rotation: standard deviation of the angle, in radians.
      stretch: standard deviation of log(width).

    Returns:
      [N, 2, 2] float32. Map points [N, P, 2] by `points @ maps.transpose(0, 2, 1)`.
    """
    normal = rng.standard_normal((3, count), dtype=np.float32)
    width = np.exp(stretch * normal[0])
    shear = slant[0] + slant[1] * normal[1]
    cos, sin = np.cos(rotation * normal[2]), np.sin(rotation * normal[2])
    x = np.stack([cos * width, -cos * shear - sin], axis=-1)  # [N, 2]
    y = np.stack([sin * width, -sin * shear + cos], axis=-1)
    return np.stack([x, y], axis=1).astype(np.float32)


def elastic(
    rng: np.random.Generator, points: FloatArray, amplitude: float, smoothness: float
) -> FloatArray:
    """Displace points by a smooth random field, another one for each example.

    Simard et al. smooth a grid of noise with a Gaussian. Here the field is a sum of random waves,
    which needs no grid and has the same statistics as K grows:
    u(p) = amplitude sqrt(2 / K) sum_k cos(w_k . p + phase_k),  w_k ~ Normal(0, 1 / smoothness^2)

    Args:
      rng: source of random numbers.
      points: [N, P, 2] float32.
      amplitude: standard deviation of each component of u, in the unit of the points.
      smoothness: distance over which u changes, in the unit of the points.

    Returns:
      points + u(points), [N, P, 2] float32.

    Source: Simard, Steinkraus, Platt, Best practices for convolutional neural networks, 2003;
    Rahimi, Recht, Random features for large-scale kernel machines, 2007.
    """
    count = len(points)
    w = rng.standard_normal((count, 2, 2 * WAVES), dtype=np.float32) / np.float32(smoothness)
    phase = rng.uniform(0, 2 * np.pi, (count, 1, 2 * WAVES)).astype(np.float32)
    waves = np.cos(points @ w + phase)  # [N, P, 2 K]
    u = waves.reshape(*points.shape, WAVES).sum(axis=-1)  # [N, P, 2]
    displaced: FloatArray = points + np.float32(amplitude * np.sqrt(2 / WAVES)) * u
    return displaced
