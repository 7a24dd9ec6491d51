"""A tf.Session of the default graph that can save, restore and evaluate its model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from deep_mnist.checkpoints import reader, saver
from deep_mnist.checkpoints.variables import AVERAGE_SUFFIX, Spec
from deep_mnist.data import Split, one_hot, scale
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import mixed_precision, threads
from deep_mnist.training.evaluation import EVALUATION_BATCH, Score, fingerprint


class Session:
    """Runs the default graph; `sess.run(...)` is tf.Session's.

    Thread counts are set explicitly: on a CPU they decide the order of additions, and with it
    the last bits of every weight.

    Args:
      model: a program's Model: handles x, y_, loss and correct.
      config: a program's Config: intra_op_threads and inter_op_threads.
      mean_loss: whether the loss is a mean over the batch, not a sum.
    """

    checkpoints = saver

    def __init__(self, model: Any, config: Any, *, mean_loss: bool = False) -> None:
        self.model = model
        self.mean_loss = mean_loss
        self._variables = {v.op.name: v for v in tf.global_variables()}
        self._weights = {v.op.name: v for v in tf.trainable_variables()}
        self._saver = tf.train.Saver(self._variables, max_to_keep=None)
        self._weights_saver = tf.train.Saver(self._weights, max_to_keep=None)
        self._initializer = tf.global_variables_initializer()
        averages = [
            (variable, self._variables[name + AVERAGE_SUFFIX])
            for name, variable in self._weights.items()
            if name + AVERAGE_SUFFIX in self._variables
        ]
        with tf.name_scope("finite"):
            finite = [tf.reduce_all(tf.math.is_finite(v)) for v in self._weights.values()]
            self._is_finite = tf.reduce_all(finite)
        with tf.name_scope("averages"):
            self._use_averages = tf.group(*[v.assign(average) for v, average in averages])
            self._reset_averages = tf.group(*[average.assign(v) for v, average in averages])
        settings = tf.ConfigProto(
            intra_op_parallelism_threads=config.intra_op_threads,
            inter_op_parallelism_threads=config.inter_op_threads,
            allow_soft_placement=True,
            gpu_options=tf.GPUOptions(allow_growth=True),
        )
        threads.note(config)
        if mixed_precision.choose(getattr(config, "precision", "float32")) == "bfloat16":
            mixed_precision.set_bfloat16(settings)
        self._tf_session = self._connect(settings)
        self.run = self._tf_session.run
        tf.get_default_graph().finalize()  # an op made in the loop would slow every step

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tf_session.close()

    def _connect(self, settings: Any) -> Any:
        return tf.Session(config=settings)

    def trace_next(self, fetch: Any, receive: Callable[[Any], None]) -> None:
        """Has TensorFlow record time and memory of every op the next time that `fetch` is run.

        `receive` is called with the tf.RunMetadata. What is computed stays the same.
        """

        def run(fetches: Any, feed_dict: Any = None) -> Any:
            if fetches is not fetch:
                return self._tf_session.run(fetches, feed_dict)
            self.run = self._tf_session.run
            options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
            metadata = tf.RunMetadata()
            result = self._tf_session.run(fetches, feed_dict, options, metadata)
            receive(metadata)
            return result

        self.run = run

    def initialize(self) -> None:
        """Gives every variable its initial value."""
        self.run(self._initializer)

    def save(self, directory: Path, step: int, keep: int) -> None:
        """Saves all variables, optimizer slots and global_step included, as model.ckpt-STEP."""
        with self._tf_session.graph.as_default():
            saver.save(self._saver, self._tf_session, directory, step, keep)

    def save_weights(self, directory: Path, step: int) -> None:
        """Saves the model's variables alone, as model.ckpt-STEP."""
        with self._tf_session.graph.as_default():
            saver.save(self._weights_saver, self._tf_session, directory, step, keep=1)

    def restore(self, prefix: Path) -> None:
        """Restores everything that `save` saved; DeepMnistError unless all of it is there."""
        saver.check_fits(prefix, specs_of(self._variables))
        with self._tf_session.graph.as_default():
            self._saver.restore(self._tf_session, str(prefix))

    def restore_weights(self, place: Path, take: Sequence[str] = ()) -> list[str]:
        """Restores the model's variables alone, from our or an old checkpoint, or a frozen graph.

        `take` names variables of the file where more than one choice fits. Returns what the user
        should know, a line each. DeepMnistError unless all variables are there, and certain.
        """
        shapes = {name: spec.shape for name, spec in specs_of(self._weights).items()}
        loaded = reader.load(place, shapes, take)
        initializers = {name: v.initializer for name, v in self._weights.items()}
        self.run(
            initializers,
            {initializers[name].inputs[1]: value for name, value in loaded.values.items()},
        )
        self.run(self._reset_averages)
        return loaded.summary()

    def use_averages(self) -> None:
        """Puts the moving averages of the model's variables, where they are kept, in their place.

        Training does not go on from there: its last checkpoint holds both.
        """
        self.run(self._use_averages)

    def evaluate(self, split: Split, batch_size: int = EVALUATION_BATCH) -> Score:
        """Counts the correct answers over all examples of a split, the last few included."""
        model = self.model
        correct, loss = 0, 0.0
        answers = np.zeros(10, np.int64)
        for start in range(0, len(split.labels), batch_size):
            images = scale(split.images[start : start + batch_size])
            labels = one_hot(split.labels[start : start + batch_size])
            batch_correct, batch_loss, logits = self.run(
                [model.correct, model.loss, model.logits],
                feed_dict={model.x: images, model.y_: labels},
            )
            correct += int(batch_correct)
            answers += np.bincount(logits.argmax(axis=1), minlength=10)
            loss += float(batch_loss) * (len(labels) if self.mean_loss else 1)
        mean_loss = loss / len(split.labels)
        return Score(correct, len(split.labels), mean_loss, tuple(answers.tolist()))

    def is_finite(self) -> bool:
        """Whether every number in the model's variables is one, and no infinity."""
        return bool(self.run(self._is_finite))

    def weights(self) -> dict[str, Any]:
        """The model's variables as arrays, by name."""
        values: dict[str, Any] = self.run(self._weights)
        return values

    def weights_sha256(self) -> str:
        """A fingerprint of the model's variables: names, shapes and bits."""
        return fingerprint(self.weights())


def specs_of(variables: dict[str, Any]) -> dict[str, Spec]:
    """Shapes and dtypes of variables by name."""
    return {
        name: Spec(tuple(v.shape.as_list()), v.dtype.base_dtype.name)
        for name, v in variables.items()
    }
