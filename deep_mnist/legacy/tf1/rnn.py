"""tf.contrib.rnn: layers of bidirectional loops over cells."""

from __future__ import annotations

from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = ["stack_bidirectional_dynamic_rnn", "stack_bidirectional_rnn"]


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
                inputs, last_fw, last_bw = tf.nn.static_bidirectional_rnn(
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
                outputs, (last_fw, last_bw) = tf.nn.bidirectional_dynamic_rnn(
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
