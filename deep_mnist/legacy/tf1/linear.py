"""tensorflow.models.rnn.linear, and linear of rnn_cell: a layer of r0.x."""

from __future__ import annotations

from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = ["_linear", "linear"]


def linear(
    args: Any, output_size: int, bias: bool, bias_start: float = 0.0, scope: Any = None
) -> Any:
    """concat(args) Matrix + Bias: one tensor [B, in] or a list of them -> [B, output_size]."""
    joined = tf.concat(args, 1) if isinstance(args, list | tuple) else args
    with tf.variable_scope(scope or "Linear"):
        matrix = tf.get_variable("Matrix", [joined.shape[1], output_size], joined.dtype)
        product = tf.matmul(joined, matrix)
        if not bias:
            return product
        start = tf.constant_initializer(bias_start)
        return product + tf.get_variable("Bias", [output_size], joined.dtype, start)


_linear = linear
