"""One run of a program: where its steps start, what is saved and printed, how it ends."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from deep_mnist import data
from deep_mnist.training import checkpoints, interrupts, machine, run_directory
from deep_mnist.training.errors import Interrupted, UserError
from deep_mnist.training.flags import Options
from deep_mnist.training.progress import Progress
from deep_mnist.training.session import Score, Session


class Run:
    """Feeds the steps of a training loop and keeps its books.

    Where it starts depends on the options: at step 0, at the newest valid checkpoint of the
    interrupted run (`resume`), from a checkpoint's weights (`restore` with steps), or, to
    evaluate only, nowhere: then there are no steps, and nothing is written.
    """

    def __init__(
        self, name: str, sess: Session, digits: data.Dataset, config: Any, options: Options
    ) -> None:
        self.name = name
        self.sess = sess
        self.digits = digits
        self.config = dataclasses.replace(config, dataset=digits.name)
        self.quiet = options.quiet
        self.directory: Path | None = None
        self.first_step = 0
        self._seconds_before = 0.0
        self._seconds = 0.0
        self._say(f"{digits.name}: {_counts(digits)}, {digits.source}")
        if options.resume is not None:
            self._resume(Path(options.resume))
            return
        sess.initialize()
        if options.restore is not None:
            sess.restore_weights(Path(options.restore))
            self._say(f"restored {options.restore}")
        if not options.eval_only:
            self.directory = run_directory.create(name, options.run_dir)
            run_directory.write_json(
                self.directory / run_directory.CONFIG, dataclasses.asdict(self.config)
            )

    def steps(self) -> Iterator[tuple[int, data.Batch]]:
        """Yields (step, batch) for every step still to do; saves what the loop's body did."""
        if self.directory is None:
            return
        steps = self.config.steps
        batches = data.batches(
            self.digits.train, self.config.batch_size, self.config.seed, self.first_step
        )
        progress = self._progress = Progress(self.first_step, steps, self.quiet)
        start = time.perf_counter()
        done = self.first_step
        try:
            with interrupts.deferred() as pending:
                for step in range(self.first_step, steps):
                    self._seconds = self._seconds_before + time.perf_counter() - start
                    yield step, next(batches)
                    progress.advance()
                    done = step + 1
                    stopping = pending.signal_number is not None
                    if stopping or done % self.config.save_every == 0 or done == steps:
                        self.sess.save(self.directory, done, self.config.keep)
                    if stopping:
                        break
        finally:
            progress.close()
        self._seconds = self._seconds_before + time.perf_counter() - start
        if pending.signal_number is not None:
            raise Interrupted(
                pending.signal_number,
                f"stopped after step {done} of {steps}, which is saved; go on with: "
                f"python -m deep_mnist.{self.name} --resume {self.directory}",
            )

    def report(self, step: int, accuracy: float, loss: float) -> None:
        """Prints and records how the model does on the batch of `step`, before training on it.

        Args:
          step: the batch's number.
          accuracy: fraction [0, 1] of the batch that is read right.
          loss: the training loss, summed over the batch.

        Raises:
          UserError: the loss is not a finite number any more.
        """
        if not np.isfinite(loss):
            raise UserError(
                f"the loss is {loss} at step {step}, with --learning-rate "
                f"{self.config.learning_rate:g}: nothing is learnt from here on; "
                "take a smaller --learning-rate, or --loss stable"
            )
        assert self.directory is not None
        self._progress.report(step, float(accuracy))
        run_directory.append_metrics(
            self.directory,
            {
                "step": step,
                "training_accuracy": round(float(accuracy), 6),
                "loss": round(float(loss), 6),
                "seconds": round(self._seconds, 3),
            },
        )

    def finish(self) -> None:
        """Evaluates on the validation and test sets, prints both, and writes result.json."""
        test = self.sess.evaluate(self.digits.test)
        if self.directory is not None:
            validation = self.sess.evaluate(self.digits.validation)
            run_directory.write_json(
                self.directory / run_directory.RESULT, self._result(validation, test)
            )
            self._say(f"saved {self.directory}")
            self._say(f"validation accuracy {self._describe(validation)}")
        print(f"test accuracy {self._describe(test)}", flush=True)

    def _resume(self, directory: Path) -> None:
        self.directory = directory
        checkpoints.remove_leftovers(directory)
        self.sess.initialize()
        for prefix in checkpoints.newest_first(directory):
            try:
                self.sess.restore(prefix)
            except checkpoints.DamagedError as error:
                checkpoints.set_aside(prefix)
                print(f"{self.name}: passed over: {error}", file=sys.stderr)
                continue
            self.first_step = checkpoints.step_of(prefix)
            break
        self._seconds_before = run_directory.rewind_metrics(directory, self.first_step)
        self._say(f"going on with {directory} after step {self.first_step}")

    def _result(self, validation: Score, test: Score) -> dict[str, Any]:
        trained_here = max(self.config.steps - self.first_step, 1)
        return {
            "model": self.name,
            "dataset": self.digits.name,
            "train_examples": len(self.digits.train.labels),
            "validation_examples": validation.examples,
            "test_examples": test.examples,
            "steps": self.config.steps,
            "test_accuracy": test.accuracy,
            "validation_accuracy": validation.accuracy,
            "loss": test.loss,
            "seconds": round(self._seconds, 3),
            "ms_per_step": round(1e3 * (self._seconds - self._seconds_before) / trained_here, 3),
            "seed": self.config.seed,
            "versions": machine.versions(),
            "device": machine.device(),
            "weights_sha256": self.sess.weights_sha256(),
        }

    def _describe(self, score: Score) -> str:
        digits = "digits" if self.digits.name != "generated" else "GENERATED digits, not MNIST"
        return f"{score.accuracy:.4g} ({score.correct} of {score.examples} {digits})"

    def _say(self, line: str) -> None:
        if not self.quiet:
            print(line, flush=True)


def _counts(digits: data.Dataset) -> str:
    return (
        f"{len(digits.train.labels)} training, {len(digits.validation.labels)} validation, "
        f"{len(digits.test.labels)} test examples"
    )
