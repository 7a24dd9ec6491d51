"""The runs of the tasks that train: what chief and workers have in common, and a worker's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from deep_mnist import data
from deep_mnist.distributed import config_check, sharding
from deep_mnist.distributed.all_reduce import AllReduceStrategy
from deep_mnist.distributed.parameter_server_strategy import ParameterServerStrategy
from deep_mnist.distributed.session import ClusterSession
from deep_mnist.distributed.task import ALL_REDUCE, Task
from deep_mnist.distributed.timeouts import stopped
from deep_mnist.errors import Interrupted
from deep_mnist.training import Options, Run, RunConfig, interrupts


class ReplicaRun(Run):
    """A run in which several processes update the variables, each with its shard of the images.

    Args:
      task: this process.
      config: the tutorial's Config.
      run_config: seed, dataset, intervals, threads and training techniques.
      options: paths, and what to do: train, restore, resume or evaluate.
    """

    sess: ClusterSession
    _is_single_process = False

    def __init__(self, task: Task, config: Any, run_config: RunConfig, options: Options) -> None:
        super().__init__(task.program, config, run_config, options)
        self.task = task
        self._strategy: AllReduceStrategy | ParameterServerStrategy
        if task.strategy == ALL_REDUCE:
            self._strategy = AllReduceStrategy(task)
        else:
            self._strategy = ParameterServerStrategy(task)

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Place variables and ops as the strategy does."""
        with self._strategy.scope(), super().scope():
            yield

    def batches(self, split: data.Split, batch_size: int) -> Iterator[tuple[int, data.Batch]]:
        """Yield (step, batch) for the steps of this worker, from its shard."""
        return super().batches(sharding.shard(split, self.task), batch_size)

    def _replicated(self, optimizer: Any) -> Any:
        return self._strategy.replicated(optimizer)

    def _open_session(self, model: Any, mean_loss: bool) -> Any:
        return self._strategy.open_session(model, self.run_config)

    def _shared_settings(self) -> dict[str, Any]:
        return config_check.shared_settings(self.task, self.config, self.run_config)


class Worker(ReplicaRun):
    """The run of a worker that is not the chief: it trains until the run is finished."""

    def steps(self, batches: Iterator[Any]) -> Iterator[tuple[int, Any]]:
        """Yield (step, batch) until the run is finished; `step` counts updates by all workers."""
        own = 0
        with interrupts.deferred() as pending:
            self.sess.time_limit.pending = pending
            while not self.sess.is_finished(self.config.steps):
                yield self.sess.step, next(batches)
                own += 1
                if pending.signal_number is not None:
                    raise Interrupted(pending.signal_number, "")
        self.print(f"{self.task.name} took {own} steps; all workers made {self.sess.step} updates")

    def report(self, step: int, accuracy: float, loss: float, line: str | None = None) -> None:
        """Do nothing: the chief reports, also that training diverged."""

    def evaluate(self, *, with_loss: bool = False) -> None:
        """Do nothing: the chief evaluates."""

    def _begin(self) -> None:
        self.print(f"{self.task.name} waits for the chief, {self.task.chief}")
        self.sess.start(self._shared_settings())
        self.first_step = self.sess.step
        self.print(f"{self.task.name} joins at step {self.first_step}")

    def _end(self, error: BaseException | None) -> None:
        if isinstance(error, Interrupted):
            raise stopped(self.task.name, error.signal_number) from None
