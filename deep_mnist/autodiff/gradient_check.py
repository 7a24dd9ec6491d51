"""A gradient held against central differences, (L(x + εv) - L(x - εv)) / 2ε for random v."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deep_mnist.autodiff.operation import Array, Operation
from deep_mnist.errors import GradientCheckError

DIRECTIONS = 5
STEP = 6e-6  # the cube root of 1e-16: the error of a difference, ~ STEP², meets rounding's
ROUNDING = 1e-14  # of a loss, relative to it, with room for sums over many numbers
TOLERANCE = 1e-6


def gradient_check(
    fn: Operation | Callable[..., tuple[Any, Any]], *arrays: Any, tolerance: float = TOLERANCE
) -> None:
    """Checks dL/d(array) for every array along random directions v, in float64.

    The derivative along v is the sum of gradient * v; it is compared with the central
    difference, relative to the larger of the two, with an allowance for the loss's rounding.

    Args:
      fn: an Operation, whose output is weighted at random into a scalar L; or a function of
        the arrays that returns (L, gradients): one array, or one per input.
      arrays: where to look. Not changed. Kinks, as of Relu at 0, should be farther than 1e-4.
      tolerance: the largest difference that passes.

    Raises:
      GradientCheckError: they differ; the message has both numbers.
      ValueError: fn returned another number of gradients than it has arrays.
    """
    points = [np.asarray(array, np.float64) for array in arrays]
    random = np.random.default_rng(0)
    loss_and_gradients = _weighted(fn, random, points) if isinstance(fn, Operation) else fn
    gradients = _as_sequence(loss_and_gradients(*points)[1])
    if len(gradients) != len(points):
        raise ValueError(f"{fn}: expected {len(points)} gradients, found {len(gradients)}")
    for number, (point, gradient) in enumerate(zip(points, gradients, strict=True)):
        if np.shape(gradient) != point.shape:
            raise GradientCheckError(
                f"{fn}, input {number}: expected a gradient of the input's shape {point.shape}, "
                f"found {np.shape(gradient)}"
            )
        step = STEP * max(1.0, float(np.abs(point).max(initial=0.0)))
        for _ in range(DIRECTIONS):
            direction = random.normal(size=point.shape)
            ahead, behind = (
                float(loss_and_gradients(*points[:number], moved, *points[number + 1 :])[0])
                for moved in (point + step * direction, point - step * direction)
            )
            numeric = (ahead - behind) / (2 * step)
            analytic = float(np.sum(gradient * direction))
            allowed = tolerance * max(abs(numeric), abs(analytic))
            allowed += ROUNDING * max(abs(ahead), abs(behind)) / step
            if not abs(analytic - numeric) <= allowed:  # so that NaN does not pass
                raise GradientCheckError(
                    f"{fn}, input {number}: the gradient gives {analytic:.10g} along a random "
                    f"direction, central differences give {numeric:.10g}"
                )


def _weighted(
    operation: Operation, random: np.random.Generator, points: Sequence[Array]
) -> Callable[..., tuple[Any, Any]]:
    """L = sum of output * weights: it has dL/dy = weights, different for every element."""
    weights = random.normal(size=np.shape(operation.forward(*points)))

    def loss_and_gradients(*arrays: Array) -> tuple[Any, Any]:
        loss = np.sum(operation.forward(*arrays) * weights)
        return loss, operation.backward(weights)

    return loss_and_gradients


def _as_sequence(gradients: Any) -> Sequence[Any]:
    return gradients if isinstance(gradients, tuple | list) else [gradients]
