"""One run of a program: where its steps start, what is saved and printed, how it ends."""

from __future__ import annotations

import dataclasses
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from deep_mnist import data
from deep_mnist.cli.flags import Options
from deep_mnist.errors import DamagedCheckpointError, DeepMnistError, Interrupted, printable
from deep_mnist.training import environment, interrupts, metrics, run_directory, summaries, threads
from deep_mnist.training.evaluation import Score
from deep_mnist.training.numpy_session import NumpySession
from deep_mnist.training.progress import Progress, mark
from deep_mnist.training.session import Session
from deep_mnist.training.summaries import Summaries


class Run:
    """Feeds the steps of a training loop and keeps its books.

    Where it starts depends on the options: at step 0, at the newest valid checkpoint of the
    interrupted run (`resume`), from a checkpoint's weights (`restore` with steps), or, to
    evaluate only, nowhere: then there are no steps, and nothing is written.

    Raises:
      DeepMnistError: there is nothing to start from, or no place to write to.
    """

    _alone = True  # no other process updates the variables between its steps

    def __init__(
        self,
        name: str,
        sess: Session | NumpySession,
        digits: data.Dataset,
        config: Any,
        options: Options,
    ) -> None:
        self.name = name
        self.sess = sess
        self.digits = digits
        self.train = digits.train
        self.config = dataclasses.replace(config, dataset=digits.name)
        self.options = options
        self.directory: Path | None = None
        self.first_step = 0
        self._lock: run_directory.Lock | None = None
        self._summaries: Summaries | None = None
        self._saved_step = 0
        self._seconds_before = 0.0
        self._seconds = 0.0
        if isinstance(sess, Session) and not options.eval_only:
            threads.check(config)
        self._say(f"{digits.name}: {_counts(digits)}, {digits.source}")
        try:
            if isinstance(options.resume, str):
                self._resume(Path(options.resume))
            else:
                self._start()
            # A resumed run that has event files goes on with them, asked or not.
            directory = self.directory
            if directory is not None and (options.summaries or summaries.exist(directory)):
                assert isinstance(sess, Session)
                self._summaries = Summaries(directory, sess, self.first_step, options.trace_every)
                self._say(summaries.how_to_look(directory))
        except BaseException:
            self._release()
            raise

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._summaries is not None:
            self._summaries.close()
        self._release()
        if self.directory is not None and isinstance(error, KeyboardInterrupt | Interrupted):
            number = error.signal_number if isinstance(error, Interrupted) else signal.SIGINT
            raise Interrupted(number, self._how_to_go_on()) from None

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()

    def steps(self, batches: Iterator[Any] | None = None) -> Iterator[tuple[int, Any]]:
        """Yields (step, batch) for every step still to do; saves what the loop's body did.

        `batches` starts at `first_step`; without it the batches are shuffled by the seed.
        """
        if self.directory is None:
            return
        steps = self.config.steps
        if batches is None:
            batches = data.batches(
                self.train, self.config.batch_size, self.config.seed, self.first_step
            )
        progress = self._progress = Progress(
            self.first_step, steps, self.options.quiet, mark(self.digits.name)
        )
        start = time.perf_counter()
        try:
            with interrupts.deferred() as pending:
                for step in range(self.first_step, steps):
                    self._seconds = self._seconds_before + time.perf_counter() - start
                    self._batch = next(batches)
                    if self._summaries is not None:
                        self._summaries.trace(step)
                    yield step, self._batch
                    progress.advance()
                    done = step + 1
                    stopping = pending.signal_number is not None
                    if stopping or done % self.config.save_every == 0 or done == steps:
                        self._check_weights(done)
                        self.sess.save(self.directory, done, self.config.keep)
                        self._saved_step = done
                    if stopping:
                        break
        finally:
            progress.close()
        self._seconds = self._seconds_before + time.perf_counter() - start
        if pending.signal_number is not None:
            raise Interrupted(pending.signal_number, "")

    def report(self, step: int, accuracy: float, loss: float, line: str | None = None) -> None:
        """Prints and records how the model does on the batch of `step`, before training on it.

        Args:
          step: the batch's number.
          accuracy: fraction [0, 1] of the batch that is read right.
          loss: the training loss.
          line: what is printed, where it is not "step 100, training accuracy 0.84".

        Raises:
          DeepMnistError: the loss is not a finite number any more.
        """
        if not np.isfinite(loss):
            raise self._diverged(f"loss is {loss}", f"at step {step}")
        assert self.directory is not None
        self._progress.report(step, float(accuracy), line)
        metrics.append(
            self.directory,
            {
                "step": step,
                "training_accuracy": round(float(accuracy), 6),
                "loss": round(float(loss), 6),
                "seconds": round(self._seconds, 3),
            },
        )

        if self._summaries is not None:
            self._summaries.training(step, self._batch, float(accuracy), float(loss))
            if len(self.digits.validation.labels) > 0:
                validation = self.sess.evaluate(self.digits.validation)
                self._summaries.evaluation("validation", step, validation)

    def finish(self, *, with_loss: bool = False) -> None:
        """Evaluates on the validation and test sets, prints both, and writes result.json.

        The last line is "test accuracy ..."; `with_loss` makes it "test loss ... ; accuracy ...".

        Raises:
          DeepMnistError: the weights are not finite numbers any more.
        """
        test = self.sess.evaluate(self.digits.test)
        if self.directory is not None:
            if not np.isfinite(test.loss):
                raise self._diverged(f"loss is {test.loss}", "at the end")
            has_validation = len(self.digits.validation.labels) > 0
            validation = self.sess.evaluate(self.digits.validation) if has_validation else None
            if self._summaries is not None:
                if validation is not None:
                    self._summaries.evaluation("validation", self.config.steps, validation)
                self._summaries.evaluation("test", self.config.steps, test)
                self._summaries.embedding(self.digits.test)
                self._say(summaries.how_to_look(self.directory))
            # What has a result is finished: nothing is written after it.
            run_directory.write_json(
                self.directory / run_directory.RESULT, self._result(validation, test)
            )
            self._say(f"saved {self.directory}")
            if validation is not None:
                self._say(f"validation accuracy {self._describe(validation)}")
        elif not np.isfinite(test.loss):
            self._warn(
                f"the loss is {test.loss}: the weights of {self.options.restore} hold numbers that "
                "are not finite, or too large"
            )
        if np.isfinite(test.loss):
            self._check_answers(test)
        what = f"test loss {test.loss} ; accuracy" if with_loss else "test accuracy"
        print(f"{what} {self._describe(test)}", flush=True)

    def _start(self) -> None:
        self.sess.initialize()
        if self.options.restore is not None:
            notes = self.sess.restore_weights(Path(str(self.options.restore)))
            self._say("; ".join([f"restored {self.options.restore}", *notes]))
        if self.options.eval_only:
            return
        if self.options.restore is not None and not self.sess.is_finite():
            raise DeepMnistError(
                f"the weights of {self.options.restore} hold numbers that are not finite, from "
                "which nothing is learnt: take another checkpoint"
            )
        directory = run_directory.create(self.name, self.options.run_dir)
        self._lock = run_directory.Lock(directory)
        run_directory.check_unused(str(directory))  # another process may have been quicker
        run_directory.remove_leftovers(directory)
        if self.options.restore is not None:
            self._save_restored(directory)
        run_directory.write_config(directory, self.config, self.options.restore)
        self.directory = directory

    def _save_restored(self, directory: Path) -> None:
        """Without it, a run killed before its first checkpoint would resume from other weights."""
        self.sess.save(directory, 0, self.config.keep)

    def _resume(self, directory: Path) -> None:
        self._lock = run_directory.Lock(directory)
        if self._alone and (directory / run_directory.RESULT).exists():
            raise DeepMnistError(f"{directory} was finished by another process in the meantime")
        run_directory.remove_leftovers(directory)
        self.sess.checkpoints.remove_leftovers(directory)
        self._restore_newest(directory)
        if self._alone and self.first_step > self.config.steps:
            raise DeepMnistError(
                f"{directory} holds step {self.first_step}, and its {run_directory.CONFIG} asks "
                f"for {self.config.steps} steps: expected no fewer"
            )
        self.directory = directory

    def _restore_newest(self, directory: Path) -> None:
        self.sess.initialize()
        self.first_step = self._saved_step = 0
        damaged = []
        for prefix in self.sess.checkpoints.newest_first(directory):
            try:
                self.sess.restore(prefix)
            except DamagedCheckpointError as error:
                damaged.append(prefix)
                self._warn(f"passed over: {error}")
                continue
            self.first_step = self._saved_step = self.sess.checkpoints.step_of(prefix)
            break
        else:
            if damaged:
                raise DeepMnistError(f"no checkpoint in {directory} is whole: start a new run")
            if self.options.restore is None:
                run_directory.check_begins_anew(directory)
        for prefix in damaged:
            self.sess.checkpoints.set_aside(prefix)
        self.sess.checkpoints.prune(directory, self.config.keep)  # killed before it could
        every = self.config.log_every if self._alone else None
        self._seconds_before, lost = metrics.rewind(directory, self.first_step, every)
        if lost:
            self._warn(lost)
        self._say(f"going on with {directory} after step {self.first_step}")

    def _how_to_go_on(self) -> str:
        command = ["python", "-m", f"deep_mnist.{self.name}", "--resume", str(self.directory)]
        if self.options.data_dir is not None:
            command += ["--data-dir", self.options.data_dir]
        return (
            f"stopped; step {self._saved_step} of {self.config.steps} is saved; "
            f"go on with: {shlex.join(command)}"
        )

    def _check_weights(self, step: int) -> None:
        """Before they are saved: raises DeepMnistError if they are not all finite."""
        if not self.sess.is_finite():
            raise self._diverged("weights are not finite", f"after step {step}")

    def _diverged(self, what: str, when: str) -> DeepMnistError:
        form = f" and --loss {self.config.loss}" if hasattr(self.config, "loss") else ""
        return DeepMnistError(
            f"the {what} {when}, with --learning-rate {self.config.learning_rate:g}"
            f"{form}: what was learnt is lost; start again with a smaller --learning-rate"
        )

    def _check_answers(self, test: Score) -> None:
        """An accuracy does not tell by itself that a model gives the same answer to all."""
        given = [str(label) for label, times in enumerate(test.answers) if times]
        if len(given) < len(set(self.digits.test.labels)) / 2:
            self._warn(
                f"the model answers only {' and '.join(given)}, whatever it is shown: it has not "
                "learnt to tell the digits apart"
            )

    def _result(self, validation: Score | None, test: Score) -> dict[str, Any]:
        trained_here = self.config.steps - self.first_step
        seconds = self._seconds - self._seconds_before
        return {
            "model": self.name,
            "dataset": self.digits.name,
            "train_examples": len(self.digits.train.labels),
            "validation_examples": len(self.digits.validation.labels),
            "test_examples": test.examples,
            "steps": self.config.steps,
            "test_accuracy": test.accuracy,
            "validation_accuracy": None if validation is None else validation.accuracy,
            "loss": test.loss,
            "seconds": round(self._seconds, 3),
            "ms_per_step": round(1e3 * seconds / trained_here, 3) if trained_here > 0 else None,
            "seed": self.config.seed,
            "versions": environment.versions(),
            "device": environment.device(),
            "weights_sha256": self.sess.weights_sha256(),
        }

    def _describe(self, score: Score) -> str:
        digits = "digits" if self.digits.name != "generated" else "GENERATED digits, not MNIST"
        return f"{score.accuracy:.4g} ({score.correct} of {score.examples} {digits})"

    def _say(self, line: str) -> None:
        if not self.options.quiet:
            print(printable(line), flush=True)

    def _warn(self, line: str) -> None:
        print(f"{self.name}: {printable(line)}", file=sys.stderr)


def _counts(digits: data.Dataset) -> str:
    return (
        f"{len(digits.train.labels)} training, {len(digits.validation.labels)} validation, "
        f"{len(digits.test.labels)} test examples"
    )
