"""A run that evaluates the checkpoints of another, as they come."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from deep_mnist import data
from deep_mnist.cli.flags import Options
from deep_mnist.distributed import reachability
from deep_mnist.errors import ClusterTimeoutError, DamagedCheckpointError, Interrupted
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import interrupts, run_directory
from deep_mnist.training.run import Run
from deep_mnist.training.session import Session

PAUSE = 1.0  # seconds between looks


class Evaluator(Run):
    """Prints how each new checkpoint in --run-dir reads the validation set, up to the last."""

    sess: Session

    def __init__(
        self,
        name: str,
        sess: Session,
        digits: data.Dataset,
        config: Any,
        options: Options,
    ) -> None:
        super().__init__(name, sess, digits, config, options)
        assert options.member is not None
        self._task = options.member

    def steps(self, batches: Iterator[Any] | None = None) -> Iterator[tuple[int, Any]]:
        """Yields nothing: the loop's body is for those that train."""
        directory = Path(str(self.options.run_dir or self.options.resume))
        seen = -1
        heard = time.monotonic()
        with interrupts.deferred() as pending:
            while seen < self.config.steps:
                finished = (directory / run_directory.RESULT).exists()
                newest = next(iter(self.sess.checkpoints.newest_first(directory)), None)
                if newest is not None and self.sess.checkpoints.step_of(newest) > seen:
                    seen = self._evaluate(newest, seen, finished)
                elif finished:
                    break
                if reachability.answers(self._task.chief_address):
                    heard = time.monotonic()
                elif time.monotonic() > heard + self._task.stall_timeout:
                    raise ClusterTimeoutError(
                        f"the chief could not be reached for {self._task.stall_timeout:g} s, and "
                        f"{directory} is not finished: start it again, then this one"
                    )
                if pending.signal_number is not None:
                    raise Interrupted(
                        pending.signal_number,
                        f"{self._task.name} stopped; start it again to go on",
                    )
                time.sleep(PAUSE)
        return
        yield  # which makes this a generator

    def finish(self, *, with_loss: bool = False) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def _start(self) -> None:
        pass

    def _resume(self, directory: Path) -> None:
        pass

    def _evaluate(self, checkpoint: Path, seen: int, finished: bool) -> int:
        """The step in the checkpoint's name, or `seen` where it went away before it was read."""
        try:
            self.sess.restore(checkpoint)
        except (DamagedCheckpointError, ValueError, tf.errors.OpError):
            if finished and Path(f"{checkpoint}.index").exists():
                raise
            return seen
        # Workers may have gone on while it was saved: what counts is the step that is in it.
        step = self.sess.run(tf.train.get_global_step())
        score = self.sess.evaluate(self.digits.validation)
        print(f"step {step}, validation accuracy {self._describe(score)}", flush=True)
        return int(self.sess.checkpoints.step_of(checkpoint))
