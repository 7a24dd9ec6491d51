"""A training run: its data, steps, reports, checkpoints and result."""

from __future__ import annotations

import dataclasses
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deep_mnist import data
from deep_mnist.errors import (
    DamagedCheckpointError,
    DeepMnistError,
    Interrupted,
    ModelMismatchError,
    printable,
)
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import (
    environment,
    interrupts,
    metrics,
    mixed_precision,
    optimizers,
    run_directory,
    summaries,
    threads,
)
from deep_mnist.training.config import Config, Options, RunConfig, settings_of
from deep_mnist.training.evaluation import Evaluation
from deep_mnist.training.fast_gradients import fast_gradients
from deep_mnist.training.initialization import he_initialization
from deep_mnist.training.numpy_session import NumpySession
from deep_mnist.training.progress import Progress, mark
from deep_mnist.training.session import Session
from deep_mnist.training.summaries import Summaries

if TYPE_CHECKING:
    import filelock


class Run:
    """What a tutorial's training loop needs around it.

    A tutorial's `train` uses it in this order:

        mnist = run.load_data()
        with tf.Graph().as_default(), run.scope():
            model = build(config, run.optimizer(config.learning_rate))
            with run.session(model) as sess:
                for step, batch in run.batches(mnist.train, config.batch_size):
                    ...
                run.evaluate()

    Where training starts depends on the options: at step 0, at the newest undamaged checkpoint of
    an interrupted run (`resume`), or at step 0 from the weights of a checkpoint (`restore`). With
    `eval_only` no steps are trained, and nothing is written.

    Args:
      program: "softmax", "cnn", "mlp" or "fnn".
      config: the tutorial's Config.
      run_config: seed, dataset, intervals, threads and training techniques.
      options: paths, and what to do: train, restore, resume or evaluate.
      session_class: Session for a graph, NumpySession for NumPy arrays.

    Attributes:
      first_step: the first step of this process, valid within `session`.
      directory: where the run is saved; None if it only evaluates.
    """

    _is_single_process = True  # no other process updates the variables between its steps

    def __init__(
        self,
        program: str,
        config: Config,
        run_config: RunConfig,
        options: Options,
        session_class: type[Session] | type[NumpySession] = Session,
    ) -> None:
        self.program = program
        self.config = config
        self.run_config = run_config
        self.options = options
        self.directory: Path | None = None
        self.first_step = 0
        self._session_class = session_class
        self._lock: filelock.BaseFileLock | None = None
        self._summaries: Summaries | None = None
        self._saved_step = 0
        self._seconds_before = 0.0  # of training, before this process
        self._seconds = 0.0

    @property
    def log_every(self) -> int:
        """Steps between reports."""
        return self.run_config.log_every

    def load_data(self, *, validation_size: int = 5_000) -> data.Dataset:
        """Load the run's dataset and print its size.

        Args:
          validation_size: number of training images, the first, that are held out for validation.

        Raises:
          DatasetError: the dataset is missing or damaged.
        """
        self.dataset = data.load_data_or_synthetic(
            self.run_config.dataset, self.options.data_dir, validation_size=validation_size
        )
        self.run_config = dataclasses.replace(self.run_config, dataset=self.dataset.name)
        self.print(
            f"{self.dataset.name}: {len(self.dataset.train.labels)} training, "
            f"{len(self.dataset.validation.labels)} validation, "
            f"{len(self.dataset.test.labels)} test examples, {self.dataset.source}"
        )
        return self.dataset

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Set the random seed of the default graph, its initialization, and faster gradients.

        In bfloat16 TensorFlow's own gradients are the faster ones.
        """
        settings = self.run_config
        tf.set_random_seed(settings.seed)
        with ExitStack() as stack:
            if settings.initialization == "he":
                stack.enter_context(he_initialization())
            if mixed_precision.choose(settings.precision) == "float32":
                stack.enter_context(fast_gradients())
            yield

    def optimizer(self, learning_rate: float) -> Any:
        """Return the tf.train.Optimizer of the run: the tutorial's, or that of its recipe.

        Args:
          learning_rate: the step size, or the largest one of the schedule.
        """
        settings = self.run_config
        optimizer = optimizers.create(
            settings.optimizer,
            learning_rate,
            settings.schedule,
            self.config.steps,
            settings.beta2,
            settings.weight_decay,
        )
        return self._replicated(optimizer)

    @contextmanager
    def session(self, model: Any, *, mean_loss: bool = False) -> Iterator[Any]:
        """Open a session in which the model has its initial, restored or resumed weights.

        Args:
          model: the tutorial's Model.
          mean_loss: whether its loss is a mean over the batch, not a sum.

        Yields:
          The session; `sess.run(...)` is that of tf.Session.

        Raises:
          DeepMnistError: a checkpoint or the run directory cannot be used.
          Interrupted: Ctrl-C or SIGTERM, after the checkpoint was saved.
        """
        with self._open_session(model, mean_loss) as self.sess:
            try:
                self._begin()
                yield self.sess
            except BaseException as error:
                self._end(error)
                raise
            else:
                self._end(None)
            finally:
                if self._summaries is not None:
                    self._summaries.close()
                if self._lock is not None:
                    self._lock.release()

    def batches(self, split: data.Split, batch_size: int) -> Iterator[tuple[int, data.Batch]]:
        """Yield (step, batch) for every step that is left to do, shuffled and augmented.

        The batch of a step is a function of the seed and the step. Augmented batches are made by
        another thread while the model trains.

        Args:
          split: images and labels.
          batch_size: images per batch.
        """
        settings = self.run_config
        batches = data.batches(split, batch_size, settings.seed, self.first_step)
        if settings.label_smoothing:
            batches = data.smooth_labels(batches, settings.label_smoothing)
        if settings.augmentation != "none":
            augmentation = data.AUGMENTATIONS[settings.augmentation]
            until = self.config.steps - settings.plain_steps
            batches = data.prefetch(
                data.augmented(batches, augmentation, settings.seed, self.first_step, until)
            )
        return self.steps(batches)

    def steps(self, batches: Iterator[Any]) -> Iterator[tuple[int, Any]]:
        """Yield (step, batch) for every step that is left to do, and save checkpoints in between.

        Args:
          batches: the batches from `first_step` on.
        """
        if self.directory is None:
            return
        steps = self.config.steps
        progress = self._progress = Progress(
            self.first_step, steps, self.options.quiet, mark(self.dataset.name)
        )
        start = time.perf_counter() - self._seconds_before
        try:
            with interrupts.deferred() as pending:
                for step in range(self.first_step, steps):
                    self._seconds = time.perf_counter() - start
                    self._batch = next(batches)
                    if self._summaries is not None:
                        self._summaries.trace(step)
                    yield step, self._batch
                    progress.advance()
                    done = step + 1
                    stopping = pending.signal_number is not None
                    if stopping or done % self.run_config.save_every == 0 or done == steps:
                        self._seconds = time.perf_counter() - start
                        self._save(done)
                    if stopping:
                        break
        finally:
            progress.close()
        self._seconds = time.perf_counter() - start
        if pending.signal_number is not None:
            raise Interrupted(pending.signal_number, "")

    def report(self, step: int, accuracy: float, loss: float, line: str | None = None) -> None:
        """Print and record the model's accuracy and loss on the batch of `step`.

        Args:
          step: number of the batch, on which the model has not been trained yet.
          accuracy: in [0, 1].
          loss: the training loss.
          line: what to print instead of "step 100, training accuracy 0.84".

        Raises:
          DeepMnistError: the loss is not finite.
        """
        if not np.isfinite(loss):
            raise self._diverged(f"the loss is {loss} at step {step}")
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
            if len(self.dataset.validation.labels) > 0:
                validation = self.sess.evaluate(self.dataset.validation)
                self._summaries.evaluation("validation", step, validation)

    def evaluate(self, *, with_loss: bool = False) -> None:
        """Evaluate on the validation and test sets, print both and write result.json.

        Args:
          with_loss: print "test loss ... ; accuracy ..." instead of "test accuracy ...".

        Raises:
          DeepMnistError: the loss is not finite.
        """
        test = self.sess.evaluate(self.dataset.test)
        if self.directory is not None:
            if not np.isfinite(test.loss):
                raise self._diverged(f"the test loss is {test.loss}")
            has_validation = len(self.dataset.validation.labels) > 0
            validation = self.sess.evaluate(self.dataset.validation) if has_validation else None
            if self._summaries is not None:
                if validation is not None:
                    self._summaries.evaluation("validation", self.config.steps, validation)
                self._summaries.evaluation("test", self.config.steps, test)
                self._summaries.embedding(self.dataset.test)
                self.print(summaries.command(self.directory))
            # A run with a result is finished: nothing is written after it.
            run_directory.write_json(
                self.directory / run_directory.RESULT, self._result(validation, test)
            )
            (self.directory / run_directory.PROGRESS).unlink(missing_ok=True)
            self.print(f"saved {self.directory}")
            if validation is not None:
                self.print(f"validation accuracy {self._describe(validation)}")
        elif not np.isfinite(test.loss):
            self._warn(
                f"the loss is {test.loss}: the weights of {self.options.restore} are non-finite "
                "or too large"
            )
        if np.isfinite(test.loss):
            self._check_predictions(test)
        what = f"test loss {test.loss} ; accuracy" if with_loss else "test accuracy"
        print(f"{what} {self._describe(test)}", flush=True)

    def print(self, *lines: str) -> None:
        """Print lines unless --quiet, without the control characters of paths and names in them."""
        if not self.options.quiet:
            print("\n".join(map(printable, lines)), flush=True)

    # Hooks for distributed runs ------------------------------------------------

    def _replicated(self, optimizer: Any) -> Any:
        """Return the optimizer, or one that combines the gradients of several workers."""
        return optimizer

    def _open_session(self, model: Any, mean_loss: bool) -> Any:
        return self._session_class(model, self.run_config, mean_loss=mean_loss)

    def _save_restored(self, directory: Path) -> None:
        """Save the weights that training starts from; a run killed early resumes from them."""
        self.sess.save(directory, 0, self.run_config.keep)

    def _end(self, error: BaseException | None) -> None:
        """End the session; after Ctrl-C or SIGTERM, raise the error that names the saved step."""
        if self.directory is not None and isinstance(error, KeyboardInterrupt | Interrupted):
            number = error.signal_number if isinstance(error, Interrupted) else signal.SIGINT
            raise self._interrupted(number) from None

    # Starting, restoring and resuming ------------------------------------------

    def _begin(self) -> None:
        if self._session_class is not NumpySession and not self.options.eval_only:
            threads.check(self.run_config)
        if isinstance(self.options.resume, str):
            self._resume(Path(self.options.resume))
        else:
            self._start()
        # A resumed run that has event files continues them without --summaries.
        directory = self.directory
        if directory is not None and (self.options.summaries or summaries.exist(directory)):
            self._summaries = Summaries(
                directory, self.sess, self.first_step, self.options.trace_every
            )
            self.print(summaries.command(directory))

    def _start(self) -> None:
        self.sess.initialize()
        if self.options.restore is not None:
            notes = self._restore_weights(Path(str(self.options.restore)))
            self.print("; ".join([f"restored {self.options.restore}", *notes]))
        if self.options.eval_only:
            return
        if self.options.restore is not None and not self.sess.is_finite():
            raise DeepMnistError(
                f"the weights of {self.options.restore} are non-finite",
                hint="restore another checkpoint",
            )
        directory = run_directory.create(self.program, self.options.run_dir)
        self._lock = run_directory.lock(directory)
        run_directory.check_unused(str(directory))  # another process may have been quicker
        run_directory.remove_temporary_files(directory)
        if self.options.restore is not None:
            self._save_restored(directory)
        numpy_only = self._session_class is NumpySession
        settings = settings_of(self.program, self.config, self.run_config, numpy_only=numpy_only)
        run_directory.write_config(directory, self.program, settings, self.options.restore)
        self.directory = directory

    def _restore_weights(self, checkpoint: Path) -> list[str]:
        try:
            notes: list[str] = self.sess.restore_weights(checkpoint)
            return notes
        except ModelMismatchError as error:
            error.hint = error.hint or run_directory.restore_hint(checkpoint, self.program)
            raise

    def _resume(self, directory: Path) -> None:
        self._lock = run_directory.lock(directory)
        if self._is_single_process and (directory / run_directory.RESULT).exists():
            raise DeepMnistError(f"{directory}: another process has just finished this run")
        run_directory.remove_temporary_files(directory)
        self.sess.checkpoints.remove_incomplete(directory)
        self._restore_newest(directory)
        if self._is_single_process and self.first_step > self.config.steps:
            raise DeepMnistError(
                f"{directory}: the checkpoint is of step {self.first_step}, and "
                f"{run_directory.CONFIG} has only {self.config.steps} steps"
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
                self._warn(f"skipped: {error.message}")
                continue
            self.first_step = self._saved_step = self.sess.checkpoints.step_of(prefix)
            break
        else:
            if damaged:
                raise DeepMnistError(
                    f"{directory}: every checkpoint is damaged", hint="start a new run"
                )
            if self.options.restore is None:
                run_directory.check_starts_from_scratch(directory)
        for prefix in damaged:
            self.sess.checkpoints.rename_damaged(prefix)
        # The process may have been killed before it could remove older checkpoints.
        self.sess.checkpoints.prune(directory, self.run_config.keep)
        every = self.log_every if self._is_single_process else None
        self._seconds_before, lost = metrics.rewind(directory, self.first_step, every)
        if lost:
            self._warn(lost)
        self.print(f"resuming {directory} after step {self.first_step}")

    # Saving and results --------------------------------------------------------

    def _save(self, step: int) -> None:
        if not self.sess.is_finite():
            raise self._diverged(f"the weights are non-finite after step {step}")
        assert self.directory is not None
        self.sess.save(self.directory, step, self.run_config.keep)
        metrics.write_progress(self.directory, step, self._seconds)
        self._saved_step = step

    def _interrupted(self, signal_number: int) -> Interrupted:
        command = ["python", "-m", f"deep_mnist.{self.program}", "--resume", str(self.directory)]
        if self.options.data_dir is not None:
            command += ["--data-dir", self.options.data_dir]
        return Interrupted(
            signal_number,
            f"stopped; step {self._saved_step} of {self.config.steps} is saved"
            if self._saved_step
            else "stopped before the first checkpoint",
            hint=f"resume with: {shlex.join(command)}",
        )

    def _diverged(self, fact: str) -> DeepMnistError:
        return DeepMnistError(
            f"training diverged: {fact} with --learning-rate {self.config.learning_rate:g}",
            hint="start again with a smaller --learning-rate",
        )

    def _check_predictions(self, test: Evaluation) -> None:
        """Warn of a model that predicts the same for all images; its accuracy does not show it."""
        predicted = [str(label) for label, count in enumerate(test.predictions) if count]
        if len(predicted) < len(set(self.dataset.test.labels)) / 2:
            self._warn(
                f"the model predicts only {' and '.join(predicted)}: it has not learned to "
                "distinguish the classes",
                hint="start again with a smaller --learning-rate, or with more --steps"
                if self.directory is not None
                else None,
            )

    def _result(self, validation: Evaluation | None, test: Evaluation) -> dict[str, Any]:
        trained_here = self.config.steps - self.first_step
        seconds = self._seconds - self._seconds_before
        return {
            "model": self.program,
            "dataset": self.dataset.name,
            "train_examples": len(self.dataset.train.labels),
            "validation_examples": len(self.dataset.validation.labels),
            "test_examples": test.examples,
            "steps": self.config.steps,
            "test_accuracy": test.accuracy,
            "validation_accuracy": None if validation is None else validation.accuracy,
            "loss": test.loss,
            "seconds": round(self._seconds, 3),
            "ms_per_step": round(1e3 * seconds / trained_here, 3) if trained_here > 0 else None,
            "seed": self.run_config.seed,
            "versions": environment.versions(),
            "device": environment.device(),
            "weights_sha256": self.sess.weights_sha256(),
        }

    def _describe(self, evaluation: Evaluation) -> str:
        images = "SYNTHETIC digits, not MNIST" if self.dataset.name == "generated" else "images"
        accuracy = f"{evaluation.accuracy:.4g}"
        return f"{accuracy} ({evaluation.correct} of {evaluation.examples} {images})"

    def _warn(self, line: str, hint: str | None = None) -> None:
        print(f"warning: {self.program}: {printable(line)}", file=sys.stderr)
        if hint is not None:
            print(f"hint: {hint}", file=sys.stderr)
