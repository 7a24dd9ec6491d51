"""tensorflow.models.rnn.rnn: what differed before 0.7."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deep_mnist.legacy.tf1 import rnn

__all__ = ["bidirectional_rnn"]


class _Outputs(list[Any]):
    """The outputs alone, as until 0.6; unpacked into three, what 0.7 to 0.12 returned."""

    states: tuple[Any, Any] = ()  # type: ignore[assignment]

    def __iter__(self) -> Iterator[Any]:
        return iter((list.copy(self), *self.states))


def bidirectional_rnn(*args: Any, **kwargs: Any) -> Any:
    """A list of inputs -> a list of outputs."""
    outputs, *states = rnn.static_bidirectional_rnn(*args, **kwargs)
    answer = _Outputs()
    answer.extend(outputs)
    answer.states = (states[0], states[1])
    return answer
