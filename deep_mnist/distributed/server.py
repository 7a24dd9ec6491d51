"""This task's port and the TensorFlow server that listens on it."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from deep_mnist.distributed.task import Cluster, Task
from deep_mnist.errors import DeepMnistError
from deep_mnist.lazy_tensorflow import tf


@contextmanager
def reserve_port(task: Task) -> Iterator[None]:
    """Listen on the task's port while TensorFlow is imported, which takes seconds.

    Other tasks find this one reachable, and a port that is in use is reported at once.

    Raises:
      DeepMnistError: the port cannot be used.
    """
    with socket.socket() as listener:
        if os.name != "nt":  # there it would let two processes listen on one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("", task.port))
            listener.listen()
        except OSError as error:
            raise _port_unavailable(task, error.strerror or str(error)) from None
        yield


def start(task: Task, cluster: Cluster, job: str, index: int, config: Any) -> Any:
    """Start a tf.train.Server, which runs until the process ends.

    Args:
      task: this task.
      cluster: the cluster, as TensorFlow is to know it.
      job: this task's job in `cluster`.
      index: this task's index in its job.
      config: tf.ConfigProto.

    Raises:
      DeepMnistError: the port is in use.
    """
    print(
        f"warning: distributed: {task.name} listens on port {task.port} of all interfaces without "
        "authentication: whoever can connect to it can run programs as this user "
        "(docs/distributed.md)",
        file=sys.stderr,
        flush=True,
    )
    bypass_proxy(cluster)
    try:
        return tf.train.Server(tf.train.ClusterSpec(cluster), job, index, config=config)
    except tf.errors.UnknownError:
        raise _port_unavailable(task, "another program listens on it") from None


def bypass_proxy(cluster: Cluster) -> None:
    """Let gRPC connect to the other tasks directly, not through the http_proxy of the environment.

    Args:
      cluster: the tasks.
    """
    hosts = {
        address.rpartition(":")[0].strip("[]")
        for addresses in cluster.values()
        for address in addresses.values()
    }
    os.environ.setdefault("no_grpc_proxy", ",".join(sorted(hosts)))


def _port_unavailable(task: Task, reason: str) -> DeepMnistError:
    return DeepMnistError(
        f"{task.name}: port {task.port} is unavailable: {reason}",
        hint="stop the program that uses it, or list another port in the cluster",
    )
