"""Variables in every worker, kept equal by all-reduced gradients: MultiWorkerMirroredStrategy."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from deep_mnist.distributed import config_check, reachability
from deep_mnist.distributed.session import ClusterSession
from deep_mnist.distributed.task import Task
from deep_mnist.errors import ClusterTimeoutError
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training.config import RunConfig

PAUSE = 2.0  # seconds from the loss of a worker until its port is closed
MAX_MESSAGE = 4096  # bytes; a task's settings have about 700


class AllReduceStrategy:
    """Every worker has the variables; an update is the mean of all workers' gradients.

    Source: https://www.tensorflow.org/guide/distribute_strategy
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        # To TensorFlow the chief is a worker like the others, the first.
        self.cluster = {"worker": dict(enumerate(task.workers.values()))}

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Place all ops on this worker; the chief's initial values are broadcast."""
        distribute = importlib.import_module("tensorflow").distribute
        resolver = distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec(self.cluster),
            task_type="worker",
            task_id=self.task.rank,
            rpc_layer="grpc",
        )
        self.strategy = distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
        with self.strategy.scope():
            # Added before the model: workers with another model must agree on this collective op.
            self.exchange = Exchange(self.strategy, self.task)
            yield

    def replicated(self, optimizer: Any) -> Any:
        """Return an optimizer that averages the workers' gradients."""
        return AllReduceOptimizer(optimizer, self.strategy)

    def open_session(self, model: Any, run_config: RunConfig) -> AllReduceSession:
        """Open the session of this worker."""
        # From here on the graph's variables are this worker's copies.
        for key in (tf.GraphKeys.GLOBAL_VARIABLES, tf.GraphKeys.TRAINABLE_VARIABLES):
            collection = tf.get_collection_ref(key)
            collection[:] = [getattr(v, "values", (v,))[0] for v in collection]
        return AllReduceSession(model, run_config, self)


class AllReduceOptimizer:
    """An optimizer whose update is the mean of the workers' gradients."""

    def __init__(self, optimizer: Any, strategy: Any) -> None:
        self._optimizer = optimizer
        self._strategy = strategy

    def minimize(self, loss: Any, global_step: Any, name: str) -> Any:
        """Return an op that updates the variables of all workers."""

        def update() -> Any:
            # The strategy sums the gradients of the workers.
            share = loss / self._strategy.num_replicas_in_sync
            return self._optimizer.minimize(share, global_step=global_step)

        return tf.group(self._strategy.extended.call_for_each_replica(update), name=name)


class Exchange:
    """Sends a message of each worker to all: the sum of arrays that are zero in others' rows."""

    def __init__(self, strategy: Any, task: Task) -> None:
        self._rank = task.rank
        self._shape = (task.num_ranks, MAX_MESSAGE)
        self._own = tf.placeholder(tf.int32, self._shape)
        total = strategy.extended.call_for_each_replica(lambda: self._own)
        self._all = strategy.reduce("SUM", total, axis=None)

    def run(self, session: Any, message: bytes) -> list[bytes]:
        """Return the messages of all workers, by rank."""
        own = np.zeros(self._shape, np.int32)
        own[self._rank, : len(message)] = list(message)
        rows = session.run(self._all, {self._own: own})
        return [bytes(row.tolist()).rstrip(b"\0") for row in rows]


class AllReduceSession(ClusterSession):
    """All workers make the same calls that change variables, and wait for each other in them."""

    def __init__(self, model: Any, run_config: RunConfig, strategy: AllReduceStrategy) -> None:
        self._strategy = strategy
        task = strategy.task
        super().__init__(model, run_config, task, strategy.cluster, "worker", task.rank)

    def start(self, settings: dict[str, Any], directory: Path | None = None) -> None:
        """Compare the settings of all workers, and assign the chief's values to the variables."""
        message = json.dumps(settings).encode()
        messages = self._call(lambda: self._strategy.exchange.run(self._tf_session, message))
        chiefs, *others = map(json.loads, messages)
        # Every worker checks all of them, so that all end where one differs.
        for name, theirs in zip(list(self.task.workers)[1:], others, strict=True):
            config_check.check_task(name, theirs, chiefs)
        self._call(self._assign_recorded_values)
        self._run([])

    def is_finished(self, steps: int) -> bool:
        """Return whether `steps` updates are made."""
        return self.step >= steps

    def __exit__(self, *error: object) -> None:
        """Do nothing: closing the session may wait for others, and the process ends anyway."""

    def _configure(self, settings: Any) -> Any:
        return self._strategy.strategy.update_config_proto(settings)

    def _initial_value(self, variable: Any) -> Any:
        # The value before it is broadcast.
        return variable.initializer.inputs[1].op.inputs[0]

    def _call(self, function: Callable[[], Any]) -> Any:
        try:
            return self.time_limit.call(function)
        except tf.errors.OpError as error:
            # Until then the lost worker's port closes; a signal that ended it may arrive here, too.
            self.time_limit.sleep(PAUSE)
            others = {n: at for n, at in self.task.workers.items() if n != self.task.name}
            lost = reachability.describe(reachability.unreachable(others)) or "another worker"
            raise ClusterTimeoutError(
                f"{lost} was lost ({type(error).__name__}), and all-reduce needs all workers",
                hint="start all workers again, with the same command",
            ) from None
