"""This task's own port, taken before TensorFlow is there to listen on it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from deep_mnist.distributed.task import Task
from deep_mnist.errors import DeepMnistError


@contextmanager
def held(task: Task) -> Iterator[None]:
    """Listens on the task's port until the server takes it.

    Importing TensorFlow takes seconds. Meanwhile others find that this task is there, and a port
    that another program has is told at once.

    Raises:
      DeepMnistError: the port is taken, or may not be listened on.
    """
    with socket.socket() as listener:
        if os.name != "nt":  # there it would let two listen on one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("", task.port))
            listener.listen()
        except OSError as error:
            raise taken(task, error.strerror or str(error)) from None
        yield


def taken(task: Task, reason: str) -> DeepMnistError:
    """What a user is told whose port can't be had."""
    return DeepMnistError(
        f"{task.name}: port {task.port} can't be had: {reason}: end what listens there, "
        "or name another port in the cluster"
    )
