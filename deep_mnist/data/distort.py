"""Random distortions of the plane, as a hand or a scanner makes them.

Each acts on coordinates, so the same two functions bend a pen stroke or the pixel grid an image is
resampled from. N is the number of examples, each distorted in its own way; P is the points in one.
"""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


def affine_maps(
    rng: np.random.Generator,
    count: int,
    slant: tuple[float, float],
    rotation: float,
    stretch: float,
) -> FloatArray:
    """Random linear maps A = R(angle) [[1, -shear], [0, 1]] diag(width, 1), for points A p.

    Args:
        rng: source of the random numbers.
        count: N, how many maps.
        slant: mean and standard deviation of the shear, in units of x per unit of height;
            positive leans the top (smaller y) to the right.
        rotation: standard deviation of the angle, in radians.
        stretch: standard deviation of log(width).

    Returns:
        [N, 2, 2] float32.
    """
    normal = rng.standard_normal((3, count), dtype=np.float32)
    shear = slant[0] + slant[1] * normal[0]
    angle = rotation * normal[1]
    width = np.exp(stretch * normal[2])
    cos, sin = np.cos(angle), np.sin(angle)
    maps = np.empty((count, 2, 2), np.float32)
    maps[:, 0, 0] = cos * width
    maps[:, 0, 1] = -cos * shear - sin
    maps[:, 1, 0] = sin * width
    maps[:, 1, 1] = -sin * shear + cos
    return maps


def elastic(
    rng: np.random.Generator,
    points: FloatArray,
    amplitude: float,
    smoothness: float,
    waves: int = 8,
) -> FloatArray:
    """Displaces every point by a smooth random field, one field for each example.

    Simard et al. smooth white noise with a Gaussian. The same field, evaluated only at the points:
    u(p) = amplitude sqrt(2 / K) sum_k cos(w_k . p + phase_k), w_k ~ Normal(0, 1 / smoothness^2),
    which tends to a Gaussian process of covariance amplitude^2 exp(-|p - q|^2 / 2 smoothness^2).

    Args:
        rng: source of the random numbers.
        points: [N, P, 2] float32.
        amplitude: standard deviation of each component of the displacement, in units of points.
        smoothness: distance over which the field changes, in units of points.
        waves: K, cosines summed for each component.

    Returns:
        [N, P, 2] float32, the displaced points.

    Source: Simard, Steinkraus and Platt, 2003, doi:10.1109/ICDAR.2003.1227801; random Fourier
    features, Rahimi and Recht, 2007.
    """
    n = len(points)
    frequency = rng.standard_normal((n, 2, 2 * waves), dtype=np.float32) / smoothness
    phase = rng.random((n, 1, 2 * waves), dtype=np.float32) * (2 * np.pi)
    field = np.cos(points @ frequency + phase)  # [N, P, 2 K]
    displacement = field.reshape(n, -1, 2, waves).sum(axis=-1)  # [N, P, 2]
    return points + np.float32(amplitude * np.sqrt(2 / waves)) * displacement
