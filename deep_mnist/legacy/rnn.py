"""The loops over cells, under the names of r0.x and of tf.contrib.rnn."""

from __future__ import annotations

from typing import Any

from deep_mnist.training.tensorflow import tf

__all__ = [
    "bidirectional_dynamic_rnn",
    "bidirectional_rnn",
    "dynamic_rnn",
    "raw_rnn",
    "rnn",
    "static_bidirectional_rnn",
    "static_rnn",
]


def static_rnn(cell: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
    """A list of inputs [B, in] -> (list of outputs, last state)."""
    return tf.nn.static_rnn(cell, list(inputs), *args, **kwargs)


def static_bidirectional_rnn(cell_fw: Any, cell_bw: Any, inputs: Any, *args: Any, **kw: Any) -> Any:
    """A list of inputs -> (list of outputs, last state forward, last state backward)."""
    return tf.nn.static_bidirectional_rnn(cell_fw, cell_bw, list(inputs), *args, **kw)


def dynamic_rnn(*args: Any, **kwargs: Any) -> Any:
    """Inputs [B, time, in] -> (outputs [B, time, units], last state)."""
    return tf.nn.dynamic_rnn(*args, **kwargs)


def bidirectional_dynamic_rnn(*args: Any, **kwargs: Any) -> Any:
    """dynamic_rnn in both directions."""
    return tf.nn.bidirectional_dynamic_rnn(*args, **kwargs)


def raw_rnn(*args: Any, **kwargs: Any) -> Any:
    """A loop over a cell that a function steers."""
    return tf.nn.raw_rnn(*args, **kwargs)


rnn = static_rnn
bidirectional_rnn = static_bidirectional_rnn
