"""The run of a worker that is not the chief: steps, and nothing written."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from deep_mnist import data
from deep_mnist.cli.flags import Options
from deep_mnist.distributed import config_check, sharding
from deep_mnist.distributed.session import ClusterSession
from deep_mnist.errors import Interrupted
from deep_mnist.training import interrupts
from deep_mnist.training.run import Run


class Worker(Run):
    """Takes part until the chief says that the run is finished."""

    sess: ClusterSession

    def __init__(
        self, name: str, sess: ClusterSession, digits: data.Dataset, config: Any, options: Options
    ) -> None:
        silent = dataclasses.replace(options, quiet=True, summaries=False, resume=None)
        super().__init__(name, sess, digits, config, silent)
        self._speaks = not options.quiet
        self.train = sharding.of(digits.train, sess.task)
        self._say_of_itself(f"waits for {sess.task.chief}, the chief")
        sess.begin(config_check.of(config, digits.name, sess.task))
        self.first_step = sess.step
        self._say_of_itself(f"joins at step {self.first_step}, {len(self.train.labels)} examples")

    def steps(self, batches: Iterator[Any] | None = None) -> Iterator[tuple[int, Any]]:
        sess = self.sess
        if batches is None:
            batches = data.batches(
                self.train, self.config.batch_size, self.config.seed, self.first_step
            )
        own = 0
        with interrupts.deferred() as pending:
            sess.patience.pending = pending
            while not sess.is_over(self.config.steps):
                yield sess.step, next(batches)
                own += 1
                if pending.signal_number is not None:
                    raise Interrupted(pending.signal_number, "")
        self._say_of_itself(f"took {own} steps; all workers made {sess.step} updates")

    def report(self, step: int, accuracy: float, loss: float, line: str | None = None) -> None:
        pass  # a loss that diverged is the chief's to tell, and to end the run for

    def finish(self, *, with_loss: bool = False) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, Interrupted):
            raise Interrupted(
                error.signal_number, f"{self.sess.task.name} stopped; start it again to go on"
            ) from None

    def _start(self) -> None:
        pass

    def _say_of_itself(self, what: str) -> None:
        if self._speaks:
            print(f"{self.sess.task.name} {what}", flush=True)
