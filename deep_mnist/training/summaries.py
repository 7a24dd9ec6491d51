"""Event files of a run, for TensorBoard to show; TensorBoard itself is not needed to write them.

    RUN/events/train/        accuracy and loss, histograms of the variables, input images, the
                             graph, and the time and memory of every op in the steps asked for
    RUN/events/validation/   accuracy and loss on the whole validation set, at the same steps
    RUN/events/test/         the same of the test set, at the end, and its digits for the projector

The ops that make them are in a graph of their own: the model's has none, and what it computes is
the same to the bit.
"""

from __future__ import annotations

import importlib.util
import shlex
import time
from pathlib import Path
from typing import Any

from deep_mnist.checkpoints.reader import reason
from deep_mnist.data import Batch, Split
from deep_mnist.errors import DeepMnistError
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import projector
from deep_mnist.training.evaluation import Score
from deep_mnist.training.session import Session

EVENTS = "events"
IMAGES = 10  # of a batch


def exist(run: Path) -> bool:
    """Whether a run has event files, as one has that was started with --summaries."""
    return (run / EVENTS).is_dir()


def how_to_look(run: Path) -> str:
    """The command that shows them; before it the one that installs it, where it is missing."""
    command = f"tensorboard --logdir {shlex.quote(str(run / EVENTS))}"
    if importlib.util.find_spec("tensorboard") is None:
        command = f'pip install "deep_mnist[tensorboard]" && {command}'
    return f"summaries: {command}"


class Summaries:
    """Writes the event files of one run.

    Args:
      run: its directory.
      sess: its session.
      first_step: where it starts or goes on. Steps from there on that are in event files already,
        because they were done after the checkpoint that it goes on from, count no more.
      trace_every: steps between full traces; None is never.

    Raises (here and in every method):
      DeepMnistError: the disk is full or the directory can't be written to.
    """

    def __init__(self, run: Path, sess: Session, first_step: int, trace_every: int | None) -> None:
        self._directory = run / EVENTS
        self._sess = sess
        self._first_step = first_step
        self._trace_every = trace_every
        begun = exist(run)
        self._files: dict[str, Any] = {}
        names = [v.op.name for v in tf.trainable_variables()]
        with tf.Graph().as_default():
            self._values = {name: tf.placeholder(tf.float32) for name in names}
            self._images = tf.placeholder(tf.float32, [None, 784])
            pixels = tf.cast(tf.round(255 * self._images), tf.uint8)
            pictures = tf.reshape(pixels, [-1, 28, 28, 1])
            histograms = [
                tf.summary.histogram(f"variables/{name}", value)
                for name, value in self._values.items()
            ]
            images = tf.summary.image("input", pictures, max_outputs=IMAGES)
            self._pictures = tf.summary.merge([*histograms, images])
            self._session = tf.Session()
        if not begun:
            graph = tf.get_default_graph().as_graph_def(add_shapes=True)
            self._write("train", 0, graph_def=graph.SerializeToString())

    def trace(self, step: int) -> None:
        """Where this is a step to trace, sees to it that its update will be."""

        def write(metadata: Any) -> None:
            tagged = tf.summary.TaggedRunMetadata(
                tag=f"step {step}", run_metadata=metadata.SerializeToString()
            )
            self._write("train", step, tagged_run_metadata=tagged)

        if self._trace_every is not None and step % self._trace_every == 0:
            self._sess.trace_next(self._sess.model.train_step, write)

    def training(self, step: int, batch: Batch, accuracy: float, loss: float) -> None:
        """Writes how the model does on the batch of `step`, what is in it, and the variables."""
        if not self._sess.mean_loss:
            loss /= len(batch.labels)
        values = self._sess.weights()
        feed = {placeholder: values[name] for name, placeholder in self._values.items()}
        pictures = self._session.run(self._pictures, {**feed, self._images: batch.images[:IMAGES]})
        self._write("train", step, summary=_scalars(accuracy, loss))
        self._write("train", step, summary=tf.Summary.FromString(pictures))

    def evaluation(self, split: str, step: int, score: Score) -> None:
        """Writes how the model does on a split, "validation" or "test", after `step` updates."""
        self._write(split, step, summary=_scalars(score.accuracy, score.loss))

    def embedding(self, test: Split) -> None:
        """Writes the first test digits as points of the network's last layers."""
        try:
            projector.write(self._directory / "test", self._sess, test)
        except OSError as error:
            place = error.filename or self._directory
            raise DeepMnistError(f"{place} can't be written: {error.strerror}") from None

    def close(self) -> None:
        """Frees the session and closes the files; everything is in them already."""
        self._session.close()
        for file in self._files.values():
            file.close()

    def _write(self, writer: str, step: int, **what: Any) -> None:
        """Adds an event to RUN/events/WRITER; who looks on sees it at once."""
        try:
            if writer not in self._files:
                self._files[writer] = self._open(self._directory / writer)
            event = tf.Event(wall_time=time.time(), step=step, **what)
            self._files[writer].write(event.SerializeToString())
            self._files[writer].flush()
        except (tf.errors.OpError, OSError) as error:
            raise DeepMnistError(
                f"event files can't be written in {self._directory / writer}: {reason(error)}; "
                "make room, or mend the directory, then go on with --resume"
            ) from None

    def _open(self, directory: Path) -> Any:
        """A new file of events, as tf.summary.FileWriter would begin it.

        That one writes in a thread of its own, which has no one to tell of a full disk.
        """
        directory.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time_ns() // 1000}.from-step-{self._first_step}"
        file = tf.io.TFRecordWriter(str(directory / name))
        version = tf.Event(wall_time=time.time(), file_version="brain.Event:2")
        file.write(version.SerializeToString())
        # From its second time on, this has readers forget what they read of this step and later.
        session_log = tf.SessionLog(status=tf.SessionLog.START)
        start = tf.Event(wall_time=time.time(), step=self._first_step, session_log=session_log)
        file.write(start.SerializeToString())
        return file


def _scalars(accuracy: float, loss: float) -> Any:
    """One tag a figure, whatever the split, so that their curves share a chart."""
    figures = {"accuracy": accuracy, "loss_per_image": loss}
    values = [tf.Summary.Value(tag=tag, simple_value=value) for tag, value in figures.items()]
    return tf.Summary(value=values)
