"""The loops over cells, under the names of r0.x and of tf.contrib.rnn."""

from __future__ import annotations

from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = [
    "bidirectional_dynamic_rnn",
    "bidirectional_rnn",
    "dynamic_rnn",
    "raw_rnn",
    "rnn",
    "stack_bidirectional_dynamic_rnn",
    "stack_bidirectional_rnn",
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


def stack_bidirectional_rnn(
    cells_fw: Any,
    cells_bw: Any,
    inputs: Any,
    initial_states_fw: Any = None,
    initial_states_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> Any:
    """Layers of static_bidirectional_rnn: (outputs, last states forward, last states backward)."""
    forward, backward = [], []
    with tf.variable_scope(scope or "stack_bidirectional_rnn"):
        for i, (fw, bw) in enumerate(zip(cells_fw, cells_bw, strict=True)):
            first_fw = initial_states_fw[i] if initial_states_fw else None
            first_bw = initial_states_bw[i] if initial_states_bw else None
            with tf.variable_scope(f"cell_{i}"):
                inputs, last_fw, last_bw = static_bidirectional_rnn(
                    fw, bw, inputs, first_fw, first_bw, dtype, sequence_length
                )
            forward.append(last_fw)
            backward.append(last_bw)
    return inputs, tuple(forward), tuple(backward)


def stack_bidirectional_dynamic_rnn(
    cells_fw: Any,
    cells_bw: Any,
    inputs: Any,
    initial_states_fw: Any = None,
    initial_states_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    parallel_iterations: Any = None,
    time_major: bool = False,
    scope: Any = None,
    **unused: Any,
) -> Any:
    """Layers of bidirectional_dynamic_rnn: (outputs, states forward, states backward)."""
    forward, backward = [], []
    with tf.variable_scope(scope or "stack_bidirectional_rnn"):
        for i, (fw, bw) in enumerate(zip(cells_fw, cells_bw, strict=True)):
            with tf.variable_scope(f"cell_{i}"):
                outputs, (last_fw, last_bw) = bidirectional_dynamic_rnn(
                    fw,
                    bw,
                    inputs,
                    sequence_length,
                    initial_states_fw[i] if initial_states_fw else None,
                    initial_states_bw[i] if initial_states_bw else None,
                    dtype,
                    parallel_iterations,
                    time_major=time_major,
                )
            inputs = tf.concat(outputs, 2)
            forward.append(last_fw)
            backward.append(last_bw)
    return inputs, tuple(forward), tuple(backward)


rnn = static_rnn
bidirectional_rnn = static_bidirectional_rnn
