"""The run of an evaluator: it evaluates each new checkpoint of another run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deep_mnist import data
from deep_mnist.distributed import chief_failure
from deep_mnist.distributed.task import Task
from deep_mnist.distributed.timeouts import stopped
from deep_mnist.errors import DamagedCheckpointError
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import Options, Run, RunConfig, interrupts, run_directory

PAUSE = 1.0  # seconds between checks


class Evaluator(Run):
    """Prints the validation accuracy of each new checkpoint in --run-dir, up to the last.

    Args:
      task: this process.
      config: the tutorial's Config.
      run_config: the dataset and the numbers of threads.
      options: paths, and what to do: train, restore, resume or evaluate.
    """

    def __init__(self, task: Task, config: Any, run_config: RunConfig, options: Options) -> None:
        super().__init__(task.program, config, run_config, options)
        self.task = task

    def batches(self, split: data.Split, batch_size: int) -> Iterator[tuple[int, data.Batch]]:
        """Evaluate checkpoints until the run is finished; yield nothing."""
        with interrupts.deferred() as pending:
            chief = chief_failure.Watch(self.task)
            chief.start()
            try:
                directory = Path(str(self.options.run_dir or self.options.resume))
                self._watch(directory, chief, pending)
            finally:
                chief.stop()
        return iter(())

    def evaluate(self, *, with_loss: bool = False) -> None:
        """Do nothing: the chief evaluates on the test set."""

    def _begin(self) -> None:
        pass

    def _watch(
        self, directory: Path, chief: chief_failure.Watch, pending: interrupts.Pending
    ) -> None:
        evaluated = -1
        while evaluated < self.config.steps:
            finished = (directory / run_directory.RESULT).exists()
            newest = next(iter(self.sess.checkpoints.newest_first(directory)), None)
            if newest is not None and self.sess.checkpoints.step_of(newest) > evaluated:
                if self._evaluate(newest, finished):
                    evaluated = self.sess.checkpoints.step_of(newest)
            elif finished:
                return
            chief.check()
            if pending.signal_number is not None:
                raise stopped(self.task.name, pending.signal_number)
            time.sleep(PAUSE)

    def _evaluate(self, checkpoint: Path, finished: bool) -> bool:
        """Print a checkpoint's accuracy; return False if the chief removed it meanwhile."""
        try:
            self.sess.restore(checkpoint)
        except (DamagedCheckpointError, ValueError, tf.errors.OpError):
            if finished and Path(f"{checkpoint}.index").exists():
                raise
            return False
        # Workers may train while it is saved: its step may be later than that of its name.
        step = self.sess.run(tf.train.get_global_step())
        evaluation = self.sess.evaluate(self.dataset.validation)
        print(f"step {step}, validation accuracy {self._describe(evaluation)}", flush=True)
        return True
