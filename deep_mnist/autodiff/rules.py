"""The rules. In every one g is dL/dy, y the output; what is returned is dL/d(input).

    operation    y                           dL/d(inputs)
    ---------    -------------------------   ------------------------------
    Matmul       x W                         g Wᵀ,  xᵀ g
    Add          a + b, broadcast            g,  g,  summed over what was broadcast
    Sum          sum of x                    g, spread over x
    Mean         sum of x / n                g / n, spread over x
    Relu         max(x, 0)                   g where x > 0, else 0
    Tanh         tanh x                      g (1 - y²)
    Sigmoid      1 / (1 + e⁻ˣ)               g y (1 - y)
    Log          log(x + ε)                  g / (x + ε)
    Softmax      eˣ / (Σ eˣ + ε)             y (g - Σ g y)
    LogSoftmax   x - log Σ eˣ                g - eʸ Σ g

Matmul, Relu, Softmax and Log, with ε = 1e-12, are those of the source document (nndl exercise 4,
"FNN"); the others are what one would miss. Two things differ from it: Softmax subtracts the
largest logit first, so that no exponential overflows, and ε is added after that; and its backward
rule is the one above instead of a [classes, classes] Jacobian per row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deep_mnist.autodiff.operation import Array, Operation

EPSILON = 1e-12


def Matmul() -> Operation:  # noqa: N802 - operations are named like classes, as in the document
    """y = x W for x [N, d], W [d, k].

    y_nk = Σ_d x_nd W_dk, so dL/dx_nd = Σ_k g_nk W_dk and dL/dW_dk = Σ_n x_nd g_nk.
    """

    def forward(x: Array, W: Array) -> Any:
        if x.ndim != 2 or W.ndim != 2:
            raise ValueError(f"Matmul: expected two matrices, found shapes {x.shape} and {W.shape}")
        return x @ W

    return Operation(
        "Matmul",
        forward,
        lambda g, y, x, W: g @ W.T,
        lambda g, y, x, W: x.T @ g,
    )


def Add() -> Operation:  # noqa: N802
    """y = a + b, broadcast by NumPy's rules.

    An element that was used several times gathers the g of every use.
    """
    return Operation(
        "Add",
        lambda a, b: a + b,
        lambda g, y, a, b: _gather(g, a),
        lambda g, y, a, b: _gather(g, b),
    )


def Sum(axis: int | None = None) -> Operation:  # noqa: N802
    """y = sum of x over an axis, or over all of it: every summand has dy/dx = 1."""
    return Operation(
        "Sum",
        lambda x: np.sum(x, axis=axis),
        lambda g, y, x: _spread(g, x, axis),
    )


def Mean(axis: int | None = None) -> Operation:  # noqa: N802
    """y = sum of x over an axis, or over all of it, by the number n of summands: dy/dx = 1/n."""
    return Operation(
        "Mean",
        lambda x: np.mean(x, axis=axis),
        lambda g, y, x: _spread(g, x, axis) * (np.size(y) / np.size(x)),
    )


def Relu() -> Operation:  # noqa: N802
    """y = max(x, 0): y' is 1 where x > 0 and 0 elsewhere, at 0 by convention."""
    return Operation(
        "Relu",
        lambda x: np.maximum(x, 0),
        lambda g, y, x: g * (x > 0),
    )


def Tanh() -> Operation:  # noqa: N802
    """y = tanh x = sinh x / cosh x: y' = (cosh² x - sinh² x) / cosh² x = 1 - y²."""
    return Operation(
        "Tanh",
        np.tanh,
        lambda g, y, x: g * (1 - y * y),
    )


def Sigmoid() -> Operation:  # noqa: N802
    """y = 1 / (1 + e⁻ˣ) = (1 + tanh(x/2)) / 2: y' = (1 - tanh²(x/2)) / 4 = y (1 - y)."""
    return Operation(
        "Sigmoid",
        lambda x: 0.5 + 0.5 * np.tanh(0.5 * x),  # the form that can't overflow
        lambda g, y, x: g * y * (1 - y),
    )


def Log(epsilon: float = EPSILON) -> Operation:  # noqa: N802
    """y = log(x + ε) for x >= 0: y' = 1 / (x + ε). ε keeps log 0 finite, at -27.6."""
    return Operation(
        "Log",
        lambda x: np.log(x + epsilon),
        lambda g, y, x: g / (x + epsilon),
    )


def Softmax(epsilon: float = EPSILON) -> Operation:  # noqa: N802
    """y = eˣ / (Σ eˣ + ε) over the last axis; the largest x is subtracted from all first.

    dy_i/dx_j = y_i (1 if i = j) - y_i y_j, so dL/dx_j = g_j y_j - y_j Σ_i g_i y_i.
    """

    def forward(x: Array) -> Any:
        exponentials = np.exp(x - np.max(x, axis=-1, keepdims=True))
        return exponentials / (np.sum(exponentials, axis=-1, keepdims=True) + epsilon)

    return Operation(
        "Softmax",
        forward,
        lambda g, y, x: y * (g - np.sum(g * y, axis=-1, keepdims=True)),
    )


def LogSoftmax() -> Operation:  # noqa: N802
    """y = x - log Σ eˣ over the last axis: the log of the softmax, exact where that rounds to 0.

    dy_i/dx_j = (1 if i = j) - softmax_j, and softmax = eʸ: dL/dx_j = g_j - e^(y_j) Σ_i g_i.
    """

    def forward(x: Array) -> Any:
        shifted = x - np.max(x, axis=-1, keepdims=True)
        return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))

    return Operation(
        "LogSoftmax",
        forward,
        lambda g, y, x: g - np.exp(y) * np.sum(g, axis=-1, keepdims=True),
    )


def _gather(g: Array, like: Array) -> Array:
    """Sums g over the axes along which `like` was broadcast."""
    added = g.ndim - np.ndim(like)
    stretched = tuple(
        axis for axis, size in enumerate(np.shape(like), added) if size == 1 != g.shape[axis]
    )
    summed: Array = g.sum(axis=(*range(added), *stretched), keepdims=True)
    return summed.reshape(np.shape(like))


def _spread(g: Array, like: Array, axis: int | None) -> Array:
    """Repeats g along the axis that was summed away."""
    kept = g if axis is None else np.expand_dims(g, axis)
    return np.broadcast_to(kept, np.shape(like)).copy()
