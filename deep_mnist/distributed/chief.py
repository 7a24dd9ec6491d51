"""The chief's run: it trains like any worker, reports, saves checkpoints and writes the result."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from deep_mnist.distributed import config_check, reachability
from deep_mnist.distributed.worker import ReplicaRun
from deep_mnist.errors import ClusterTimeoutError, DeepMnistError, Interrupted
from deep_mnist.training import interrupts, metrics
from deep_mnist.training.evaluation import Evaluation
from deep_mnist.training.progress import Progress, mark


class Chief(ReplicaRun):
    """The run of the chief.

    Steps are updates by all workers. A report or a checkpoint that is due at some step is made at
    the chief's first own step from that one on.
    """

    _reported: int | None = None

    def steps(self, batches: Iterator[Any]) -> Iterator[tuple[int, Any]]:
        """Yield (step, batch) until all updates are made, and save checkpoints in between."""
        sess, steps, save_every = self.sess, self.config.steps, self.run_config.save_every
        progress = self._progress = Progress(
            self.first_step, steps, self.options.quiet, mark(self.dataset.name)
        )
        start = time.perf_counter()
        before = sess.step - 1
        try:
            with interrupts.deferred() as pending:
                sess.time_limit.pending = pending
                while sess.step < steps or not self._save_last_step():
                    self._seconds = self._seconds_before + time.perf_counter() - start
                    self._batch = next(batches)
                    now = sess.step
                    yield due_step(before, now, self.log_every), self._batch
                    before = now
                    progress.advance(max(sess.step - now, 0))
                    if pending.signal_number is not None:
                        self._save_now()
                        raise Interrupted(pending.signal_number, "")
                    if sess.step < steps and sess.step // save_every > now // save_every:
                        self._save_now()
                self._seconds = self._seconds_before + time.perf_counter() - start
        finally:
            progress.close()

    def report(self, step: int, accuracy: float, loss: float, line: str | None = None) -> None:
        """Print and record accuracy and loss, once for each step; see Run."""
        if step != self._reported:  # a synchronous update may use several gradients of one worker
            super().report(step, accuracy, loss, line)
        self._reported = step

    def evaluate(self, *, with_loss: bool = False) -> None:
        """Evaluate, write the result and let the other workers end; see Run."""
        super().evaluate(with_loss=with_loss)
        self.sess.announce_finished()

    # Starting, restoring and resuming ------------------------------------------

    def _begin(self) -> None:
        super()._begin()
        assert self.directory is not None
        self.directory = self.directory.absolute()
        self.sess.restore_newest = self._restore_lost_variables
        self.sess.start(self._shared_settings(), self.directory)
        if self.options.restore is not None and self.sess.step == 0:
            self._save_now()
        self.print(f"{self.task.mode}, {len(self.task.workers)} workers")

    def _start(self) -> None:
        running = self.sess.running_directory()
        if running is None:
            super()._start()
            return
        # This is a chief that was lost and is started again.
        run_dir = self.options.run_dir
        if run_dir is not None and Path(run_dir).absolute() != running:
            raise DeepMnistError(
                f"--run-dir {run_dir}: the parameter servers train the run in {running}",
                hint=f"use --run-dir {running}, or restart the parameter servers as well",
            )
        config_check.check_run(self.task, self.config, self.run_config, running)
        self._resume(running)

    def _save_restored(self, directory: Path) -> None:
        pass  # saved in _begin, when the variables have their values

    def _restore_newest(self, directory: Path) -> None:
        super()._restore_newest(directory)
        if self.options.restore is not None and not self.sess.checkpoints.newest_first(directory):
            self.sess.restore_weights(Path(str(self.options.restore)))

    def _restore_lost_variables(self) -> None:
        assert self.directory is not None
        # Time and steps continue to count, though some steps are repeated.
        seconds, first_step = self._seconds_before, self.first_step
        self._restore_newest(self.directory)
        self._seconds_before, self.first_step = seconds, first_step
        self._reported = None

    # Saving and ending ---------------------------------------------------------

    def _save_now(self) -> None:
        """Save the current step, or raise DeepMnistError if the weights are non-finite."""
        if not self.sess.is_finite():
            raise self._diverged(f"the weights are non-finite after step {self.sess.step}")
        assert self.directory is not None
        self.sess.save(self.directory, self.sess.step, self.run_config.keep)
        metrics.write_progress(self.directory, self.sess.step, self._seconds)
        self._saved_step = self.sess.step

    def _save_last_step(self) -> bool:
        """Save the last step; return False if meanwhile lost variables required an earlier one."""
        self.sess.wait_for_workers()
        if self.sess.step >= self.config.steps:
            self._save_now()
        return self.sess.step >= self.config.steps

    def _end(self, error: BaseException | None) -> None:
        can_save = isinstance(error, ClusterTimeoutError | Interrupted | KeyboardInterrupt)
        if can_save and self.directory is not None:
            self._save_if_possible()
            if isinstance(error, ClusterTimeoutError):
                stopped = self._interrupted(0)
                message = f"{error.message}; {stopped.message}"
                raise DeepMnistError(message, hint=stopped.hint) from None
        super()._end(error)

    def _save_if_possible(self) -> None:
        if self._saved_step >= self.sess.step:
            return
        if reachability.unreachable(self.task.parameter_servers):
            return
        with suppress(DeepMnistError, Interrupted):  # the error that ended the run is reported
            self._save_now()

    def _interrupted(self, signal_number: int) -> Interrupted:
        named = self.options.run_dir is not None or self.options.resume is not None
        run_dir = "" if named else f"; add --run-dir {self.directory} to the chief's"
        return Interrupted(
            signal_number,
            f"stopped; step {self._saved_step} of {self.config.steps} is saved in {self.directory}",
            hint=f"resume with the same command of every task{run_dir}",
        )

    def _result(self, validation: Evaluation | None, test: Evaluation) -> dict[str, Any]:
        cluster = {
            "mode": self.task.mode,
            "workers": len(self.task.workers),
            "parameter_servers": len(self.task.parameter_servers),
            "updates": self.sess.step,
        }
        return {**super()._result(validation, test), "cluster": cluster}


def due_step(before: int, now: int, every: int) -> int:
    """Return the largest multiple of `every` that is above `before` and at most `now`, or `now`."""
    multiple = now - now % every
    return multiple if multiple > before else now
