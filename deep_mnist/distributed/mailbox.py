"""Words between tasks: queues on the parameter servers, in which workers leave their number."""

from __future__ import annotations

from typing import Any

from deep_mnist.lazy_tensorflow import tf


class Signal:
    """A queue of workers' positions on a parameter server.

    It is there as soon as the server is, needs no initial value, and is of no session.

    Args:
      word: its name.
      device: of the parameter server, "/job:ps/task:0".
    """

    def __init__(self, word: str, device: str) -> None:
        with tf.device(f"{device}/device:CPU:0"):
            signals = tf.FIFOQueue(-1, [tf.int64], shapes=[()], shared_name=f"signal_{word}")
            self._position = tf.placeholder(tf.int64, [])
            self._give = signals.enqueue(self._position)
            self._take = signals.dequeue_up_to(signals.size())
        self.graph = tf.get_default_graph()

    def give(self, session: Any, position: int) -> None:
        """Leaves a worker's position."""
        session.run(self._give, {self._position: position})

    def take(self, session: Any) -> set[int]:
        """The positions left since the last time."""
        return {int(position) for position in session.run(self._take)}
