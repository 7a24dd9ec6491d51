"""tensorflow.models.rnn.rnn: the results of before 0.7."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = ["bidirectional_rnn"]


class _Outputs(list[Any]):
    """The outputs alone, as until 0.6; unpacked, the three values of 0.7 to 0.12."""

    states: tuple[Any, Any] = ()  # type: ignore[assignment]

    def __iter__(self) -> Iterator[Any]:
        return iter((list.copy(self), *self.states))


def bidirectional_rnn(*args: Any, **kwargs: Any) -> Any:
    """Return the outputs of static_bidirectional_rnn, a list."""
    outputs, *states = tf.nn.static_bidirectional_rnn(*args, **kwargs)
    result = _Outputs()
    result.extend(outputs)
    result.states = (states[0], states[1])
    return result
