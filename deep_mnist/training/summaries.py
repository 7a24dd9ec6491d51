"""Event files of a run for TensorBoard, which need not be installed to write them.

    RUN/events/train/        accuracy and loss, histograms of the variables, input images, the
                             graph, and the time and memory of every op in the traced steps
    RUN/events/validation/   accuracy and loss on the validation set, at the same steps
    RUN/events/test/         accuracy and loss on the test set at the end, and the embedding of
                             its first digits for the projector

The summary ops are in a graph of their own, so that they cannot change the model's results.
"""

from __future__ import annotations

import importlib.util
import shlex
import time
from pathlib import Path
from typing import Any

from deep_mnist.checkpoints.reader import short_message
from deep_mnist.data import Batch, Split
from deep_mnist.errors import DeepMnistError
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import projector
from deep_mnist.training.evaluation import Evaluation
from deep_mnist.training.session import Session

EVENTS = "events"
IMAGES = 10  # of a batch


def exist(run: Path) -> bool:
    """Return whether a run has event files, because it was started with --summaries."""
    return (run / EVENTS).is_dir()


def command(run: Path) -> str:
    """Return the command that shows a run's event files; it installs TensorBoard if needed."""
    line = f"tensorboard --logdir {shlex.quote(str(run / EVENTS))}"
    if importlib.util.find_spec("tensorboard") is None:
        line = f'pip install "deep_mnist[tensorboard]" && {line}'
    return f"summaries: {line}"


class Summaries:
    """Writes the event files of one run.

    Args:
      run: its directory.
      sess: its session.
      first_step: the first step of this process. Events of that step and later ones, which an
        interrupted process wrote after its last checkpoint, are superseded.
      trace_every: steps between full traces; None for none.

    Raises (here and in every method):
      DeepMnistError: the disk is full or the directory is not writable.
    """

    def __init__(self, run: Path, sess: Session, first_step: int, trace_every: int | None) -> None:
        self._directory = run / EVENTS
        self._sess = sess
        self._first_step = first_step
        self._trace_every = trace_every
        exists = exist(run)
        self._files: dict[str, Any] = {}
        names = [v.op.name for v in tf.trainable_variables()]
        with tf.Graph().as_default():
            self._values = {name: tf.placeholder(tf.float32) for name in names}
            self._images = tf.placeholder(tf.float32, [None, 784])
            pixels = tf.cast(tf.round(255 * self._images), tf.uint8)
            images_uint8 = tf.reshape(pixels, [-1, 28, 28, 1])
            histograms = [
                tf.summary.histogram(f"variables/{name}", value)
                for name, value in self._values.items()
            ]
            images = tf.summary.image("input", images_uint8, max_outputs=IMAGES)
            self._images_and_histograms = tf.summary.merge([*histograms, images])
            self._session = tf.Session()
        if not exists:
            graph = tf.get_default_graph().as_graph_def(add_shapes=True)
            self._write("train", 0, graph_def=graph.SerializeToString())

    def trace(self, step: int) -> None:
        """Record the time and memory of each op in the update of `step`, if it is to be traced."""

        def write(metadata: Any) -> None:
            tagged = tf.summary.TaggedRunMetadata(
                tag=f"step {step}", run_metadata=metadata.SerializeToString()
            )
            self._write("train", step, tagged_run_metadata=tagged)

        if self._trace_every is not None and step % self._trace_every == 0:
            self._sess.trace_next(self._sess.model.train_step, write)

    def training(self, step: int, batch: Batch, accuracy: float, loss: float) -> None:
        """Write accuracy, loss and first images of the batch of `step`, and the variables."""
        if not self._sess.mean_loss:
            loss /= len(batch.labels)
        values = self._sess.weights()
        feed = {placeholder: values[name] for name, placeholder in self._values.items()}
        serialized = self._session.run(
            self._images_and_histograms, {**feed, self._images: batch.images[:IMAGES]}
        )
        self._write("train", step, summary=_scalars(accuracy, loss))
        self._write("train", step, summary=tf.Summary.FromString(serialized))

    def evaluation(self, split: str, step: int, evaluation: Evaluation) -> None:
        """Write accuracy and loss on a split, "validation" or "test", after `step` updates."""
        self._write(split, step, summary=_scalars(evaluation.accuracy, evaluation.loss))

    def embedding(self, test: Split) -> None:
        """Write the embedding of the first test images for the projector."""
        try:
            projector.write(self._directory / "test", self._sess, test)
        except OSError as error:
            path = error.filename or self._directory
            raise DeepMnistError(f"cannot write {path} ({error.strerror})") from None

    def close(self) -> None:
        """Close the session and the files."""
        self._session.close()
        for file in self._files.values():
            file.close()

    def _write(self, writer: str, step: int, **what: Any) -> None:
        """Append an event to RUN/events/WRITER and flush it."""
        try:
            if writer not in self._files:
                self._files[writer] = self._open(self._directory / writer)
            event = tf.Event(wall_time=time.time(), step=step, **what)
            self._files[writer].write(event.SerializeToString())
            self._files[writer].flush()
        except (tf.errors.OpError, OSError) as error:
            raise DeepMnistError(
                f"cannot write event files in {self._directory / writer} ({short_message(error)})",
                hint="free disk space or fix the permissions, then continue with --resume",
            ) from None

    def _open(self, directory: Path) -> Any:
        """Create an event file.

        tf.summary.FileWriter is not used: it writes in a thread, where a full disk is lost.
        """
        directory.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time_ns() // 1000}.from-step-{self._first_step}"
        file = tf.io.TFRecordWriter(str(directory / name))
        version = tf.Event(wall_time=time.time(), file_version="brain.Event:2")
        file.write(version.SerializeToString())
        # On a second START event, readers discard what they have from this step on.
        session_log = tf.SessionLog(status=tf.SessionLog.START)
        start = tf.Event(wall_time=time.time(), step=self._first_step, session_log=session_log)
        file.write(start.SerializeToString())
        return file


def _scalars(accuracy: float, loss: float) -> Any:
    """Return the two scalars; equal tags of all splits share a chart."""
    figures = {"accuracy": accuracy, "loss_per_image": loss}
    values = [tf.Summary.Value(tag=tag, simple_value=value) for tag, value in figures.items()]
    return tf.Summary(value=values)
