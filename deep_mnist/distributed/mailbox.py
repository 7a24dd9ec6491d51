"""Messages between tasks: queues on the parameter servers, in which workers put their rank."""

from __future__ import annotations

from typing import Any

from deep_mnist.lazy_tensorflow import tf


class Mailbox:
    """A queue of ranks on a parameter server.

    It exists as long as the server, needs no initialization and belongs to no session.

    Args:
      name: what a message in it means.
      device: the parameter server's, such as "/job:ps/task:0".
    """

    def __init__(self, name: str, device: str) -> None:
        with tf.device(f"{device}/device:CPU:0"):
            messages = tf.FIFOQueue(-1, [tf.int64], shapes=[()], shared_name=f"mailbox_{name}")
            self._rank = tf.placeholder(tf.int64, [])
            self._put = messages.enqueue(self._rank)
            self._take = messages.dequeue_up_to(messages.size())
        self.graph = tf.get_default_graph()

    def send(self, session: Any, rank: int) -> None:
        """Put a worker's rank in the queue."""
        session.run(self._put, {self._rank: rank})

    def receive(self, session: Any) -> set[int]:
        """Return the ranks that were sent since the last call."""
        return {int(rank) for rank in session.run(self._take)}
