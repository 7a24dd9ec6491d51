"""Variables on parameter servers, and a graph for each worker: between-graph replication."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from deep_mnist.distributed.chief import Chief
from deep_mnist.distributed.parameter_server_session import SharedSession
from deep_mnist.distributed.task import Task
from deep_mnist.distributed.worker import Worker
from deep_mnist.lazy_tensorflow import tf


class BetweenGraphs:
    """A worker that shares its variables.

    Asynchronously each worker's gradient is an update of its own. Synchronously an update is the
    mean of the gradients of as many workers as are not backups: the first to come.

    Source: Abadi et al., TensorFlow: a system for large-scale machine learning, 2016, section 4.4;
    Chen et al., Revisiting distributed synchronous SGD, 2016 (backup workers).
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.run = Chief if task.is_chief else Worker
        self._synchronous: Any = None

    @contextmanager
    def devices(self) -> Iterator[None]:
        """Where ops go: variables to the parameter servers in turn, the rest to this worker."""
        setter = tf.train.replica_device_setter(
            cluster=tf.train.ClusterSpec(self.task.jobs),
            worker_device=f"/job:{self.task.job}/task:{self.task.index}",
        )
        logger = logging.getLogger("tensorflow")
        level = logger.level
        logger.setLevel(logging.ERROR)  # SyncReplicasOptimizer is deprecated, and says so
        try:
            with tf.device(setter):
                yield
        finally:
            logger.setLevel(level)

    def replicated(self, optimizer: Any) -> Any:
        """The optimizer, which waits for the other workers' gradients where that is asked for."""
        if not self.task.sync:
            return optimizer
        workers = len(self.task.workers)
        self._synchronous = tf.train.SyncReplicasOptimizer(
            optimizer, workers - self.task.backup_workers, workers
        )
        return self._synchronous

    def session(self, model: Any, config: Any) -> SharedSession:
        return SharedSession(model, config, self.task, self._synchronous)
