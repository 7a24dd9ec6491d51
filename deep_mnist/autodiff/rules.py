"""The table of rules: y is the output of an operation, g is dL/dy.

    operation    y                           dL/d(inputs)
    ---------    -------------------------   ------------------------------
    Matmul       x W                         g Wᵀ,  xᵀ g
    Add          a + b                       g,  g
    Multiply     a b                         g b,  g a
    Negative     -x                          -g
    Sum          Σ x                         g
    Mean         Σ x / n                     g / n
    Relu         max(x, 0)                   g where x > 0, else 0
    Tanh         tanh x                      g (1 - y²)
    Sigmoid      1 / (1 + e⁻ˣ)               g y (1 - y)
    Log          log(x + ε)                  g / (x + ε)
    Softmax      eˣ / (Σ eˣ + ε)             y (g - Σ g y)
    LogSoftmax   x - log Σ eˣ                g - eʸ Σ g

Matmul, Relu, Softmax and Log with ε = 1e-12 are those of the source document (nndl exercise 4,
"FNN"). Softmax differs from it in two ways: the largest x of a row is subtracted first (and ε added
after that), so that no exponential overflows; and the gradient is computed without the document's
[classes, classes] Jacobian of every row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deep_mnist.autodiff.operation import Array, Operation

EPSILON = 1e-12


def Matmul() -> Operation:
    """Return the operation y = x W for x [N, D], W [D, K].

    y_nk = Σ_d x_nd W_dk, so dL/dx_nd = Σ_k g_nk W_dk and dL/dW_dk = Σ_n x_nd g_nk.
    """

    def forward(x: Any, W: Any) -> Any:
        if len(x.shape) != 2 or len(W.shape) != 2:
            raise ValueError(f"Matmul: expected two matrices, found shapes {x.shape} and {W.shape}")
        return x @ W

    return Operation(
        "Matmul",
        forward,
        lambda g, y, x, W: g @ W.T,
        lambda g, y, x, W: x.T @ g,
    )


def Add() -> Operation:
    """Return the operation y = a + b: dy/da = dy/db = 1.

    Where b was broadcast, each of its elements was used several times, and has the sum of the g
    of all its uses.
    """
    return Operation(
        "Add",
        lambda a, b: a + b,
        lambda g, y, a, b: _sum_to(a, g.copy()),
        lambda g, y, a, b: _sum_to(b, g.copy()),
    )


def Multiply() -> Operation:
    """Return the operation y = a b, element by element: dy/da = b and dy/db = a."""
    return Operation(
        "Multiply",
        lambda a, b: a * b,
        lambda g, y, a, b: _sum_to(a, g * b),
        lambda g, y, a, b: _sum_to(b, g * a),
    )


def Negative() -> Operation:
    """Return the operation y = -x: dy/dx = -1."""
    return Operation(
        "Negative",
        lambda x: -x,
        lambda g, y, x: -g,
    )


def Sum(axis: int | None = None) -> Operation:
    """Return the operation y = Σ x over an axis, or over all elements: dy/dx = 1 for each."""
    return Operation(
        "Sum",
        lambda x: np.sum(x, axis=axis),
        lambda g, y, x: _broadcast_to(x, g, axis),
    )


def Mean(axis: int | None = None) -> Operation:
    """Return the operation y = Σ x / n over an axis, or over all elements: dy/dx = 1 / n."""
    return Operation(
        "Mean",
        lambda x: np.mean(x, axis=axis),
        lambda g, y, x: _broadcast_to(x, g, axis) * (y.size / x.size),
    )


def Relu() -> Operation:
    """Return the operation y = max(x, 0): dy/dx = 1 where x > 0, else 0 (at 0 by convention)."""
    return Operation(
        "Relu",
        lambda x: np.maximum(x, 0),
        lambda g, y, x: g * (x > 0),
    )


def Tanh() -> Operation:
    """Return the operation y = tanh x.

    tanh x = sinh x / cosh x, so dy/dx = (cosh² x - sinh² x) / cosh² x = 1 - y².
    """
    return Operation(
        "Tanh",
        np.tanh,
        lambda g, y, x: g * (1 - y * y),
    )


def Sigmoid() -> Operation:
    """Return the operation y = 1 / (1 + e⁻ˣ), computed as (1 + tanh(x/2)) / 2: no overflow.

    dy/dx = e⁻ˣ / (1 + e⁻ˣ)², and 1 - y = e⁻ˣ / (1 + e⁻ˣ), so dy/dx = y (1 - y).
    """
    return Operation(
        "Sigmoid",
        lambda x: 0.5 + 0.5 * np.tanh(0.5 * x),
        lambda g, y, x: g * y * (1 - y),
    )


def Log(epsilon: float = EPSILON) -> Operation:
    """Return the operation y = log(x + ε): dy/dx = 1 / (x + ε).

    ε keeps the logarithm of a probability 0 finite: log 1e-12 is -27.6.
    """
    return Operation(
        "Log",
        lambda x: np.log(x + epsilon),
        lambda g, y, x: g / (x + epsilon),
    )


def Softmax(epsilon: float = EPSILON) -> Operation:
    """Return the operation y = eˣ / (Σ eˣ + ε) over the last axis.

    dy_i/dx_j = y_i (1 if i = j else 0) - y_i y_j, so dL/dx_j = g_j y_j - y_j Σ_i g_i y_i.
    """

    def forward(x: Array) -> Any:
        exponentials = np.exp(x - _largest(x))
        return exponentials / (np.sum(exponentials, axis=-1, keepdims=True) + epsilon)

    return Operation(
        "Softmax",
        forward,
        lambda g, y, x: y * (g - np.sum(g * y, axis=-1, keepdims=True)),
    )


def LogSoftmax() -> Operation:
    """Return the operation y = x - log Σ eˣ over the last axis: log(softmax x) without an ε.

    dy_i/dx_j = (1 if i = j else 0) - softmax(x)_j, and softmax(x) = eʸ, so
    dL/dx_j = g_j - e^(y_j) Σ_i g_i.
    """

    def forward(x: Array) -> Any:
        shifted = x - _largest(x)
        return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))

    return Operation(
        "LogSoftmax",
        forward,
        lambda g, y, x: g - np.exp(y) * np.sum(g, axis=-1, keepdims=True),
    )


def _largest(x: Array) -> Any:
    """Return the largest x along the last axis, like np.max(x, axis=-1, keepdims=True).

    For a short axis NumPy is several times faster if it is the first one in memory.
    """
    return np.ascontiguousarray(x.T).max(axis=0).T[..., np.newaxis]


def _sum_to(x: Array, g: Array) -> Array:
    """Undo broadcasting: sum g over the axes along which x was repeated."""
    if g.shape == x.shape:
        return g
    new_axes = g.ndim - x.ndim
    repeated = tuple(i for i, size in enumerate(x.shape, new_axes) if size == 1 != g.shape[i])
    total: Array = g.sum(axis=(*range(new_axes), *repeated), keepdims=True)
    return total.reshape(x.shape)


def _broadcast_to(x: Array, g: Array, axis: int | None) -> Array:
    """Undo a sum: repeat g along the axis of x that was summed."""
    return np.full(x.shape, g if axis is None else np.expand_dims(g, axis), g.dtype)
