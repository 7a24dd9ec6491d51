"""TensorFlow's server: what a task of a cluster talks to the others by."""

from __future__ import annotations

import os
import sys
from typing import Any

from deep_mnist.distributed import port
from deep_mnist.distributed.task import Jobs, Task
from deep_mnist.lazy_tensorflow import tf


def start(task: Task, jobs: Jobs, job: str, index: int, settings: Any) -> Any:
    """A tf.train.Server of task `index` of `job` in `jobs`; it lives as long as the process.

    Raises:
      DeepMnistError: its port is taken.
    """
    print(
        f"{task.program}: warning: {task.name} listens on port {task.port} of all interfaces, "
        "unauthenticated: whoever reaches it can run programs as this user; "
        "fence it (docs/distributed.md)",
        file=sys.stderr,
        flush=True,
    )
    # Otherwise gRPC would look for the other tasks through the http_proxy of the environment.
    hosts = {
        address.rpartition(":")[0].strip("[]")
        for tasks in jobs.values()
        for address in tasks.values()
    }
    os.environ.setdefault("no_grpc_proxy", ",".join(sorted(hosts)))
    try:
        return tf.train.Server(tf.train.ClusterSpec(jobs), job, index, config=settings)
    except tf.errors.UnknownError:
        raise port.taken(task, "another program listens there") from None
