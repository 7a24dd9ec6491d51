"""Compare gradients with central differences, (L(x + hv) - L(x - hv)) / 2h for a direction v."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deep_mnist.autodiff.operation import Array, Operation, Tensor
from deep_mnist.autodiff.tape import gradients
from deep_mnist.errors import GradientCheckError

DIRECTIONS = 5
STEP = 6e-6  # near the cube root of 2e-16, where truncation, h², and rounding, 2e-16 / h, are equal
ROUNDING = 1e-14  # of L, relative to it, with a margin for sums of many numbers
TOLERANCE = 1e-6


def gradient_check(fn: Callable[..., Any], *arrays: Any, tolerance: float = TOLERANCE) -> None:
    """Check the gradient of each array along random directions v, in float64.

    The derivative along v is the sum of gradient * v. It may differ from the central difference
    by `tolerance`, relative to the larger of the two, and by the rounding of L.

    Args:
      fn: an Operation, or a function of the arrays. It returns a Tensor, and what is checked is
        `gradients`; a Tensor that is not a scalar is reduced to one by a sum with random weights.
        Or it returns its own (L, gradients): one array, or one for each input.
      arrays: where to check. Keep away from kinks, such as Relu's at 0, by more than 1e-4.
      tolerance: largest relative difference.

    Raises:
      GradientCheckError: a gradient differs. The message has both numbers.
      ValueError: fn returned the wrong number of gradients, or does not depend on an array.

    Example:
      >>> from deep_mnist.autodiff import Matmul, Softmax, Sum
      >>> x, W = np.ones([2, 3]), np.ones([3, 4])
      >>> gradient_check(Softmax(), x)
      >>> gradient_check(lambda x, W: Sum()(Matmul()(x, W)), x, W)
      >>> gradient_check(lambda x: (np.sum(x**2), x), x)  # the gradient of the sum is 2 x
      Traceback (most recent call last):
          ...
      deep_mnist.errors.GradientCheckError: <lambda>, input 0: along a random direction, ...
    """
    points = [np.array(array, np.float64) for array in arrays]
    name = getattr(fn, "__name__", str(fn))
    random = np.random.default_rng(0)
    _, found = _loss_and_gradients(fn, points)
    if len(found) != len(points):
        raise ValueError(f"{name}: expected {len(points)} gradients, found {len(found)}")
    for number, (point, gradient) in enumerate(zip(points, found, strict=True)):
        if np.shape(gradient) != point.shape:
            raise GradientCheckError(
                f"{name}, input {number}: expected a gradient of the input's shape {point.shape}, "
                f"found {np.shape(gradient)}"
            )
        h = STEP * max(1.0, float(np.abs(point).max(initial=0.0)))
        for _ in range(DIRECTIONS):
            v = random.normal(size=point.shape)
            ahead, behind = (
                _loss_and_gradients(fn, [*points[:number], moved, *points[number + 1 :]])[0]
                for moved in (point + h * v, point - h * v)
            )
            numeric = (ahead - behind) / (2 * h)
            analytic = float(np.sum(gradient * v))
            allowed = tolerance * max(abs(numeric), abs(analytic))
            allowed += ROUNDING * max(abs(ahead), abs(behind)) / h
            if not abs(analytic - numeric) <= allowed:  # NaN fails
                raise GradientCheckError(
                    f"{name}, input {number}: along a random direction, the gradient gives "
                    f"{analytic:.10g}, central differences give {numeric:.10g}"
                )


def _loss_and_gradients(fn: Callable[..., Any], arrays: list[Any]) -> tuple[float, Any]:
    y = fn(*arrays)
    if isinstance(y, Tensor):
        loss = y if y.shape == () else WEIGHTED_SUM(y)
        return float(loss.value), gradients(loss, arrays)
    loss, found = y
    return float(loss), found if isinstance(found, tuple | list) else [found]


def _weights(shape: tuple[int, ...]) -> Array:
    """Return dL/dy of the weighted sum: the same for equal shapes, different for each element."""
    return np.random.default_rng(1).normal(size=shape)


WEIGHTED_SUM = Operation(
    "Weighted sum",
    lambda y: np.sum(y * _weights(y.shape)),
    lambda g, loss, y: g * _weights(y.shape),
)
