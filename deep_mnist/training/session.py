"""A tf.Session of the default graph that can save, restore and evaluate its model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from deep_mnist.checkpoints import reader, saver
from deep_mnist.checkpoints.variables import Spec
from deep_mnist.data import Split, one_hot, scale
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import evaluation, mixed_precision, threads
from deep_mnist.training.config import RunConfig
from deep_mnist.training.evaluation import Evaluation


class Session:
    """Runs the default graph; `sess.run(...)` is that of tf.Session.

    The numbers of threads are set explicitly: on a CPU they determine the order of additions, and
    with it the last bits of every weight.

    Args:
      model: the tutorial's Model, with x, y_, logits, loss and train_step.
      run_config: numbers of threads and precision.
      mean_loss: whether the loss is a mean over the batch, not a sum.
    """

    checkpoints = saver

    def __init__(self, model: Any, run_config: RunConfig, *, mean_loss: bool = False) -> None:
        self.model = model
        self.mean_loss = mean_loss
        self._variables = {v.op.name: v for v in tf.global_variables()}
        self._weights = {v.op.name: v for v in tf.trainable_variables()}
        self._saver = tf.train.Saver(self._variables, max_to_keep=None)
        self._weights_saver = tf.train.Saver(self._weights, max_to_keep=None)
        self._initializer = tf.global_variables_initializer()
        with tf.name_scope("finite"):
            finite = [tf.reduce_all(tf.math.is_finite(v)) for v in self._weights.values()]
            self._is_finite = tf.reduce_all(finite)
        self._tf_session = self._connect(session_config(run_config))
        self.run = self._tf_session.run
        tf.get_default_graph().finalize()  # an op added in the loop would slow down every step

    def __enter__(self) -> Session:
        """Return the session."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the session."""
        self.close()

    def close(self) -> None:
        """Close the session. It cannot be used afterwards."""
        self._tf_session.close()

    def _connect(self, settings: Any) -> Any:
        return tf.Session(config=settings)

    def trace_next(self, fetch: Any, receive: Callable[[Any], None]) -> None:
        """Record time and memory of every op the next time that `fetch` is run.

        `receive` is called with the tf.RunMetadata. The results stay the same.
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
        """Give every variable its initial value."""
        self.run(self._initializer)

    def save(self, directory: Path, step: int, keep: int) -> None:
        """Save all variables, those of the optimizer and global_step included."""
        with self._tf_session.graph.as_default():
            saver.save(self._saver, self._tf_session, directory, step, keep)

    def save_weights(self, directory: Path, step: int) -> None:
        """Save the trainable variables alone."""
        with self._tf_session.graph.as_default():
            saver.save(self._weights_saver, self._tf_session, directory, step, keep=1)

    def restore(self, prefix: Path) -> None:
        """Restore everything that `save` saved.

        Raises:
          CheckpointError: a variable is missing, unexpected, damaged or of another shape.
        """
        self._assign(saver.read(prefix, specs_of(self._variables)))

    def restore_weights(self, path: Path, prefer: Sequence[str] = ()) -> list[str]:
        """Restore the trainable variables alone, from any checkpoint or frozen graph.

        Args:
          path: as returned by checkpoints.paths.find.
          prefer: names of variables in the file to prefer where several fit.

        Returns:
          What the user should know about it, one line each.

        Raises:
          CheckpointError: not all variables are found, or several fit.
        """
        shapes = {name: spec.shape for name, spec in specs_of(self._weights).items()}
        loaded = reader.load_weights(reader.open_checkpoint(path), shapes, prefer)
        self._assign(loaded.values)
        return loaded.summary()

    def _assign(self, values: Mapping[str, Any]) -> None:
        """Assign values to variables, by name."""
        initializers = {name: self._variables[name].initializer for name in values}
        self.run(initializers, {initializers[name].inputs[1]: v for name, v in values.items()})

    def evaluate(self, split: Split, batch_size: int = evaluation.BATCH) -> Evaluation:
        """Evaluate the model on all examples of a split."""
        model = self.model

        def predict(images: Any, labels: Any) -> tuple[Any, float]:
            feed = {model.x: scale(images), model.y_: one_hot(labels)}
            logits, loss = self.run([model.logits, model.loss], feed_dict=feed)
            return logits.argmax(axis=1), float(loss) * (len(labels) if self.mean_loss else 1)

        return evaluation.evaluate(split, predict, batch_size)

    def is_finite(self) -> bool:
        """Return whether no weight is NaN or infinite."""
        return bool(self.run(self._is_finite))

    def weights(self) -> dict[str, Any]:
        """Return the trainable variables as arrays, by name."""
        values: dict[str, Any] = self.run(self._weights)
        return values

    def weights_sha256(self) -> str:
        """Return the SHA-256 of the weights: of their names, types, shapes and bits."""
        return evaluation.weights_sha256(self.weights())


def session_config(run_config: RunConfig) -> Any:
    """Return a session's tf.ConfigProto: numbers of threads, precision, memory of a GPU."""
    threads.note(run_config)
    config = tf.ConfigProto(
        intra_op_parallelism_threads=run_config.intra_op_threads,
        inter_op_parallelism_threads=run_config.inter_op_threads,
        allow_soft_placement=True,
        gpu_options=tf.GPUOptions(allow_growth=True),
    )
    if mixed_precision.choose(run_config.precision) == "bfloat16":
        mixed_precision.set_bfloat16(config)
    return config


def specs_of(variables: dict[str, Any]) -> dict[str, Spec]:
    """Return the shapes and dtypes of variables, by name."""
    return {
        name: Spec(tuple(v.shape.as_list()), v.dtype.base_dtype.name)
        for name, v in variables.items()
    }
