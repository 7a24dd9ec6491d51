"""The chief's run: steps like any worker's, and reports, checkpoints and the result of all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from deep_mnist import data
from deep_mnist.cli.flags import Options
from deep_mnist.distributed import config_check, reachability, restart, sharding
from deep_mnist.distributed.parameter_server_session import SharedSession
from deep_mnist.distributed.session import ClusterSession
from deep_mnist.errors import ClusterTimeoutError, DeepMnistError, Interrupted
from deep_mnist.training import interrupts
from deep_mnist.training.evaluation import Score
from deep_mnist.training.progress import Progress, mark
from deep_mnist.training.run import Run


class Chief(Run):
    """Counts in updates by all workers: a report or a checkpoint comes with the first of its own
    steps from the one on that it is of.
    """

    sess: ClusterSession
    _alone = False
    _reported: int | None = None

    def __init__(
        self, name: str, sess: ClusterSession, digits: data.Dataset, config: Any, options: Options
    ) -> None:
        super().__init__(name, sess, digits, config, options)
        self.train = sharding.of(digits.train, sess.task)
        assert self.directory is not None
        self.directory = self.directory.absolute()
        if isinstance(sess, SharedSession):
            sess.restore_newest = self._go_back
        try:
            sess.begin(config_check.of(config, digits.name, sess.task), self.directory)
            if options.restore is not None and sess.step == 0:
                self._save()
        except Exception as error:
            self._tell_of(error)
            raise
        self._say(f"{sess.task.manner}, {len(sess.task.workers)} workers")

    def steps(self, batches: Iterator[Any] | None = None) -> Iterator[tuple[int, Any]]:
        sess, steps = self.sess, self.config.steps
        assert self.directory is not None
        if batches is None:
            batches = data.batches(
                self.train, self.config.batch_size, self.config.seed, self.first_step
            )
        progress = self._progress = Progress(
            self.first_step, steps, self.options.quiet, mark(self.digits.name)
        )
        start = time.perf_counter()
        before = sess.step - 1
        try:
            with interrupts.deferred() as pending:
                sess.patience.pending = pending
                while sess.step < steps or not self._saved_last():
                    self._seconds = self._seconds_before + time.perf_counter() - start
                    self._batch = next(batches)
                    now = sess.step
                    yield latest_multiple(before, now, self.config.log_every), self._batch
                    before = now
                    progress.advance(max(sess.step - now, 0))
                    if pending.signal_number is not None:
                        self._save()
                        raise Interrupted(pending.signal_number, "")
                    save_every = self.config.save_every
                    if sess.step < steps and sess.step // save_every > now // save_every:
                        self._save()
                self._seconds = self._seconds_before + time.perf_counter() - start
        finally:
            progress.close()

    def report(self, step: int, accuracy: float, loss: float, line: str | None = None) -> None:
        if step != self._reported:  # several of one worker's gradients may make one update
            super().report(step, accuracy, loss, line)
        self._reported = step

    def finish(self, *, with_loss: bool = False) -> None:
        super().finish(with_loss=with_loss)
        self.sess.release()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        unsaved = self._saved_step < self.sess.step
        try:
            if (
                isinstance(error, ClusterTimeoutError | Interrupted)
                and unsaved
                and self._can_save()
            ):
                self._save()
        except (DeepMnistError, Interrupted):
            pass  # what there is to say is said by the error that brought us here
        if isinstance(error, ClusterTimeoutError):
            super().__exit__(None, None, None)
            raise DeepMnistError(f"{error}; {self._how_to_go_on()}") from None
        self._tell_of(error)
        super().__exit__(kind, error, trace)

    def _start(self) -> None:
        under_way = self.sess.under_way() if isinstance(self.sess, SharedSession) else None
        if under_way is None:
            super()._start()
        else:  # this is a chief that was lost and is started again
            run_dir = self.options.run_dir
            if run_dir is not None and Path(run_dir).absolute() != under_way:
                raise DeepMnistError(
                    f"--run-dir {run_dir}: the parameter servers hold the run in {under_way}: "
                    "name that one, or start them again as well"
                )
            restart.check_same(self.config, under_way)
            self._resume(under_way)

    def _save_restored(self, directory: Path) -> None:
        pass  # the variables have their values from `begin` on

    def _restore_newest(self, directory: Path) -> None:
        super()._restore_newest(directory)
        if self.options.restore is not None and not self.sess.checkpoints.newest_first(directory):
            self.sess.restore_weights(Path(str(self.options.restore)))

    def _go_back(self) -> None:
        assert self.directory is not None
        # Time and steps go on counting from where they did, though some steps are made again.
        seconds, first_step = self._seconds_before, self.first_step
        self._restore_newest(self.directory)
        self._seconds_before, self.first_step = seconds, first_step
        self._reported = None

    def _tell_of(self, error: BaseException | None) -> None:
        """A chief that stalled or was stopped may come again; the others wait for it."""
        if isinstance(error, Exception) and not isinstance(
            error, ClusterTimeoutError | Interrupted
        ):
            self.sess.give_up()

    def _saved_last(self) -> bool:
        """Saves the last step; False where a loss in the meantime has led back behind it."""
        self.sess.gather()
        if self.sess.step >= self.config.steps:
            self._save()
        return bool(self.sess.step >= self.config.steps)

    def _can_save(self) -> bool:
        return not reachability.absent(self.sess.task.parameter_servers)

    def _save(self) -> None:
        assert self.directory is not None
        self._check_weights(self.sess.step)
        self.sess.save(self.directory, self.sess.step, self.config.keep)
        self._saved_step = self.sess.step

    def _how_to_go_on(self) -> str:
        named = self.options.run_dir is not None or self.options.resume is not None
        also = "" if named else f", and here --run-dir {self.directory}"
        return (
            f"stopped; step {self._saved_step} of {self.config.steps} is saved in "
            f"{self.directory}; go on with the same command of every task{also}"
        )

    def _result(self, validation: Score | None, test: Score) -> dict[str, Any]:
        task = self.sess.task
        cluster = {
            "manner": task.manner,
            "workers": len(task.workers),
            "parameter_servers": len(task.parameter_servers),
            "updates": self.sess.step,
        }
        return {**super()._result(validation, test), "cluster": cluster}


def latest_multiple(before: int, now: int, every: int) -> int:
    """The largest multiple of `every` that is above `before` and up to `now`, or else `now`."""
    multiple = now - now % every
    return multiple if multiple > before else now
