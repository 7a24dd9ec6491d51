"""Variables on every worker, kept alike by all-reduced gradients: MultiWorkerMirroredStrategy."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from deep_mnist.distributed import config_check, reachability
from deep_mnist.distributed.chief import Chief
from deep_mnist.distributed.session import ClusterSession
from deep_mnist.distributed.task import Jobs, Task
from deep_mnist.distributed.worker import Worker
from deep_mnist.errors import ClusterTimeoutError
from deep_mnist.lazy_tensorflow import tf

PAUSE = 2.0  # seconds from another worker's loss to a look at who it was
LONGEST = 4096  # bytes of a word between workers: terms have some 600


class AllReduce:
    """A worker with variables of its own: an update is the mean of all workers' gradients.

    Source: https://www.tensorflow.org/guide/distribute_strategy
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.run = Chief if task.is_chief else Worker
        # The chief is a worker like the others, the first.
        self._jobs = {"worker": dict(enumerate(task.workers.values()))}

    @contextmanager
    def devices(self) -> Iterator[None]:
        """Where ops go: all to this worker, and variables begin with the chief's values."""
        distribute = importlib.import_module("tensorflow").distribute
        resolver = distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec(self._jobs),
            task_type="worker",
            task_id=self.task.position,
            rpc_layer="grpc",
        )
        self._strategy = distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
        with self._strategy.scope():
            # Before the model, whose operations may not be those of the others'.
            self._words = _Words(self._strategy, self.task)
            yield

    def replicated(self, optimizer: Any) -> Any:
        return _Replicated(optimizer, self._strategy)

    def session(self, model: Any, config: Any) -> AllReduceSession:
        # From here on the graph's variables are this worker's copies.
        for key in (tf.GraphKeys.GLOBAL_VARIABLES, tf.GraphKeys.TRAINABLE_VARIABLES):
            collection = tf.get_collection_ref(key)
            collection[:] = [getattr(v, "values", (v,))[0] for v in collection]
        return AllReduceSession(model, config, self.task, self._jobs, self._strategy, self._words)


class _Replicated:
    """An optimizer whose `minimize` takes the mean of the workers' gradients."""

    def __init__(self, optimizer: Any, strategy: Any) -> None:
        self._optimizer = optimizer
        self._strategy = strategy

    def minimize(self, loss: Any, global_step: Any, name: str) -> Any:
        def update() -> Any:
            # The strategy adds up what the workers' gradients are.
            share = loss / self._strategy.num_replicas_in_sync
            return self._optimizer.minimize(share, global_step=global_step)

        return tf.group(self._strategy.extended.call_for_each_replica(update), name=name)


class _Words:
    """A word of every worker's to all: its bytes in a sum to which the others add zeros."""

    def __init__(self, strategy: Any, task: Task) -> None:
        self._position = task.position
        self._shape = (task.size, LONGEST)
        self._own = tf.placeholder(tf.int32, self._shape)
        total = strategy.extended.call_for_each_replica(lambda: self._own)
        self._all = strategy.reduce("SUM", total, axis=None)

    def exchange(self, session: Any, word: bytes) -> list[bytes]:
        """Every worker's, by position."""
        own = np.zeros(self._shape, np.int32)
        own[self._position, : len(word)] = list(word)
        rows = session.run(self._all, {self._own: own})
        return [bytes(row.tolist()).rstrip(b"\0") for row in rows]


class AllReduceSession(ClusterSession):
    """All workers make the same calls that change variables, or wait for each other."""

    def __init__(
        self,
        model: Any,
        config: Any,
        task: Task,
        jobs: Jobs,
        strategy: Any,
        words: _Words,
    ) -> None:
        self._strategy = strategy
        self._words = words
        super().__init__(model, config, task, jobs, "worker", task.position)

    def begin(self, own_terms: dict[str, Any], directory: Path | None = None) -> None:
        word = json.dumps(own_terms).encode()
        words = self._patiently(lambda: self._words.exchange(self._tf_session, word))
        chiefs, *others = map(json.loads, words)
        # Each checks all of them, and so all end where one differs.
        for name, theirs in zip(list(self.task.workers)[1:], others, strict=True):
            config_check.check(name, theirs, chiefs)
        self._patiently(self._initialize_with_values)
        self._run([])

    def is_over(self, steps: int) -> bool:
        return self.step >= steps

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass  # closing may wait for the others; the process ends anyway

    def _cluster_settings(self, settings: Any) -> Any:
        return self._strategy.update_config_proto(settings)

    def _initial_value(self, variable: Any) -> Any:
        # The chief's is sent to the others from there.
        return variable.initializer.inputs[1].op.inputs[0]

    def _patiently(self, function: Callable[[], Any]) -> Any:
        try:
            return self._call(function)
        except tf.errors.OpError as error:
            # Meanwhile its port closes, and the signal that ended it may arrive here as well.
            self.patience.sleep(PAUSE)
            others = {n: at for n, at in self.task.workers.items() if n != self.task.name}
            lost = reachability.describe(reachability.absent(others)) or "another worker"
            raise ClusterTimeoutError(
                f"{lost} was lost ({type(error).__name__}), and all-reduce needs all workers: "
                "start all again by the same command"
            ) from None
