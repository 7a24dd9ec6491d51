"""Variables on parameter servers, and a graph in each worker: between-graph replication."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from deep_mnist.distributed.parameter_server_session import ParameterServerSession
from deep_mnist.distributed.task import Task
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training.config import RunConfig


class ParameterServerStrategy:
    """Workers share the variables on parameter servers.

    Asynchronous: each gradient of a worker is an update. Synchronous: an update is the mean of N
    gradients, the first to arrive; N is the number of workers without the backup workers.

    Source: Abadi et al., TensorFlow: a system for large-scale machine learning, 2016, section 4.4;
    Chen et al., Revisiting distributed synchronous SGD, 2016 (backup workers).
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self._sync_optimizer: Any = None

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Place variables on the parameter servers, alternating, and other ops on this worker."""
        setter = tf.train.replica_device_setter(
            cluster=tf.train.ClusterSpec(self.task.cluster),
            worker_device=f"/job:{self.task.job}/task:{self.task.index}",
        )
        logger = logging.getLogger("tensorflow")
        level = logger.level
        logger.setLevel(logging.ERROR)  # no warning that SyncReplicasOptimizer is deprecated
        try:
            with tf.device(setter):
                yield
        finally:
            logger.setLevel(level)

    def replicated(self, optimizer: Any) -> Any:
        """Return the optimizer, or one that averages the workers' gradients."""
        if not self.task.sync:
            return optimizer
        workers = len(self.task.workers)
        self._sync_optimizer = tf.train.SyncReplicasOptimizer(
            optimizer, workers - self.task.backup_workers, workers
        )
        return self._sync_optimizer

    def open_session(self, model: Any, run_config: RunConfig) -> ParameterServerSession:
        """Open the session of this worker."""
        return ParameterServerSession(model, run_config, self.task, self._sync_optimizer)
