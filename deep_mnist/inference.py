"""Trained models: the registry of the four programs, and classifiers with their weights.

    with load_model("cnn") as cnn:
        cnn.predict(images)        # [N, 784] in [0, 1] -> labels [N]
        cnn.predict_proba(images)  # -> probabilities [N, 10]

A program's module is imported when it is needed, TensorFlow when a model is loaded that uses it.
"""

from __future__ import annotations

import dataclasses
import importlib
import shlex
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from deep_mnist.checkpoints import npz_saver, paths, pretrained, reader
from deep_mnist.checkpoints.variables import Shape
from deep_mnist.data import input_checks, scale
from deep_mnist.errors import AmbiguousCheckpointError, DeepMnistError, ModelMismatchError
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import NumpySession, RunConfig, run_directory
from deep_mnist.training.config import available_cpus
from deep_mnist.training.session import session_config

__all__ = ["PROGRAMS", "Classifier", "Program", "as_images", "load_model", "nearest_probabilities"]

BATCH = 1_000  # images at a time: limits the memory of the CNN's feature maps
IMAGE_SHAPES = ((784,), (28, 28), (28, 28, 1))

Array = npt.NDArray[Any]


class Program(NamedTuple):
    """One of the four programs, and what other packages need to know about it."""

    name: str
    title: str
    description: str
    first_weights: str  # variable of the first layer, [784, units] or [5, 5, 1, 32]
    feature_maps: tuple[str, ...] = ()  # tensors of the convolutional layers, in order
    has_graph: bool = True  # False: NumPy arrays, saved as .npz
    loss_is_sum: bool = False  # the training loss is a sum over the batch, not its mean
    predicts_probabilities: bool = True  # False: the outputs are fitted to one-hot labels

    @property
    def module(self) -> Any:
        """The tutorial's module, deep_mnist.NAME."""
        return importlib.import_module(f"deep_mnist.{self.name}")

    def inference(self, x: Any, config: Any) -> Any:
        """Add the tutorial's network to the default graph, and return the logits.

        Args:
          x: images, [B, 784] float32 in [0, 1].
          config: the tutorial's Config.
        """
        return self.module.inference(x, **architecture(config))

    def variable_shapes(self) -> dict[str, Shape]:
        """Return the shapes of the model's weights by name, in the order of the layers."""
        config = self.module.Config()
        if not self.has_graph:
            return {name: w.shape for name, w in self.module.build(config).weights.items()}
        with tf.Graph().as_default():
            self.inference(tf.placeholder(tf.float32, [None, 784]), config)
            return {v.op.name: tuple(v.shape.as_list()) for v in tf.trainable_variables()}


PROGRAMS = {
    program.name: program
    for program in (
        Program(
            "softmax",
            title="Softmax regression",
            description="one linear layer",
            first_weights="W",
            loss_is_sum=True,
        ),
        Program(
            "cnn",
            title="CNN",
            description="two convolutional and two fully connected layers",
            first_weights="W_conv1",
            feature_maps=("conv1/h_conv1:0", "conv2/h_conv2:0"),
            loss_is_sum=True,
        ),
        Program(
            "mlp",
            title="MLP",
            description="three layers, gradients applied by hand",
            first_weights="w1",
            predicts_probabilities=False,
        ),
        Program(
            "fnn",
            title="FNN",
            description="two layers in NumPy, with its own automatic differentiation",
            first_weights="W1",
            has_graph=False,
        ),
    )
}


def architecture(config: Any) -> dict[str, Any]:
    """Return the settings of a tutorial's Config without which its weights cannot be used."""
    fields = [field for field in dataclasses.fields(config) if field.metadata["architecture"]]
    return {field.name: getattr(config, field.name) for field in fields}


class Classifier:
    """A model with trained weights. Close it after use, or use it in a `with` statement.

    Every classifier has a graph of its own, so any number can be open, and any thread may call
    it. Create it with `load_model`.

    Attributes:
      program: which of the four programs it is.
      config: the program's Config that the weights were trained with.
      path: the checkpoint.
      notes: what the user should know about the checkpoint, one line each.
    """

    def __init__(self, program: Program, config: Any, path: Path, notes: Sequence[str]) -> None:
        self.program = program
        self.config = config
        self.path = path
        self.notes = list(notes)

    def __enter__(self) -> Classifier:
        """Return the classifier."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the classifier."""
        self.close()

    def predict(self, images: Any) -> npt.NDArray[np.int64]:
        """Return the predicted label of each image.

        Args:
          images: one or N images, as for `as_images`.

        Returns:
          [N] int64, 0 to 9.

        Raises:
          DeepMnistError: the images have a wrong shape, type or range.
        """
        return np.asarray(self.predict_proba(images).argmax(axis=1), np.int64)

    def predict_proba(self, images: Any) -> npt.NDArray[np.float64]:
        """Return the probability of each class for each image.

        softmax, cnn and fnn are trained to output probabilities. mlp is not: its outputs are
        fitted to the one-hot label by squared error, so the probabilities nearest to them in
        squared error are returned (`nearest_probabilities`).

        Warns (UserWarning) of images that look inverted or scaled twice.

        Args:
          images: one or N images, as for `as_images`.

        Returns:
          [N, 10] float64, rows sum to 1.

        Raises:
          DeepMnistError: the images have a wrong shape, type or range.
        """
        rows = as_images(images)
        doubt = input_checks.find_problem(rows)
        if doubt is not None:
            warnings.warn(f"images: {doubt}", stacklevel=2)
        parts = [self._forward(rows[i : i + BATCH]) for i in range(0, len(rows), BATCH)]
        return np.concatenate([np.empty((0, 10)), *parts])

    def feature_maps(self, images: Any) -> list[npt.NDArray[np.float32]]:
        """Return the outputs of the convolutional layers, [N, 28, 28, 32] and [N, 14, 14, 64].

        Args:
          images: one or N images, as for `as_images`.

        Returns:
          One array for each layer; none for a model without convolutions.
        """
        return []

    def weights(self) -> dict[str, Array]:
        """Return the trained weights by name."""
        raise NotImplementedError

    def close(self) -> None:
        """Release the session. The classifier cannot be used afterwards."""

    def _forward(self, images: npt.NDArray[np.float32]) -> Array:
        raise NotImplementedError


class _GraphClassifier(Classifier):
    def __init__(
        self, program: Program, config: Any, path: Path, intra_op_threads: int | None
    ) -> None:
        file = reader.open_checkpoint(path)
        loaded = reader.load_weights(file, program.variable_shapes())
        super().__init__(program, config, path, loaded.summary())
        self._weights = loaded.values

        # Constants instead of variables: TensorFlow prepares the weights for its kernels once.
        def constant(next_creator: Any, name: str, **kwargs: Any) -> Any:
            return tf.constant(loaded.values[name], name=name)

        with tf.Graph().as_default() as graph:
            self._x = tf.placeholder(tf.float32, [None, 784], name="x")
            with tf.variable_creator_scope(constant):
                outputs = program.inference(self._x, config)  # [B, 10]
            if program.predicts_probabilities:
                outputs = tf.nn.softmax(tf.cast(outputs, tf.float64))
            graph.finalize()
            threads = intra_op_threads or available_cpus()
            settings = session_config(RunConfig(intra_op_threads=threads))
            # A chain of ops gains nothing from a thread for each op: 1.3x faster for one image.
            settings.experimental.executor_type = "SINGLE_THREADED_EXECUTOR"
            self._session = tf.Session(config=settings)
            self._outputs = self._session.make_callable(outputs, [self._x])

    def feature_maps(self, images: Any) -> list[npt.NDArray[np.float32]]:
        maps: list[npt.NDArray[np.float32]] = self._session.run(
            list(self.program.feature_maps), {self._x: as_images(images)}
        )
        return maps

    def weights(self) -> dict[str, Array]:
        return dict(self._weights)

    def close(self) -> None:
        self._session.close()

    def _forward(self, images: npt.NDArray[np.float32]) -> Array:
        outputs = np.asarray(self._outputs(images), np.float64)
        return outputs if self.program.predicts_probabilities else nearest_probabilities(outputs)


class _NumpyClassifier(Classifier):
    def __init__(self, program: Program, config: Any, path: Path) -> None:
        self._model = program.module.build(config)
        notes = NumpySession(self._model).restore_weights(path)
        super().__init__(program, config, path, notes)

    def weights(self) -> dict[str, Array]:
        return dict(self._model.weights)

    def _forward(self, images: npt.NDArray[np.float32]) -> Array:
        return np.asarray(np.exp(self._model.log_probabilities(255 * images)))


def load_model(
    name: str, checkpoint: str | None = None, *, intra_op_threads: int | None = None
) -> Classifier:
    """Load a trained model.

    Args:
      name: "softmax", "cnn", "mlp" or "fnn".
      checkpoint: a directory, a prefix or any file of a checkpoint, also one of TensorFlow 1, a
        frozen graph or an .npz file; None for the pretrained weights.
      intra_op_threads: number of threads within an op, of the first session of a process; None for
        one per CPU. One thread is the fastest for single images: threads wait for each other.

    Returns:
      A Classifier.

    Raises:
      DeepMnistError: the model or the checkpoint does not exist, the checkpoint is damaged or of
        another model, or TensorFlow is needed and not installed.

    Example:
      >>> from deep_mnist import load_data, load_model
      >>> digits = load_data("generated").test
      >>> with load_model("cnn") as cnn:
      ...     labels = cnn.predict(digits.images[:5])
      ...     probabilities = cnn.predict_proba(digits.images[:5])
      >>> labels.tolist(), digits.labels[:5].tolist()
      ([3, 6, 9, 9, 7], [3, 6, 9, 9, 7])
      >>> probabilities.shape
      (5, 10)
    """
    if name not in PROGRAMS:
        raise DeepMnistError(f"model: expected one of {', '.join(PROGRAMS)}, found {name!r}")
    program = PROGRAMS[name]
    source = str(pretrained.directory(name)) if checkpoint is None else checkpoint
    path = paths.find(source) if program.has_graph else npz_saver.find(source)
    config = run_directory.with_architecture(program.module.Config(), {}, path)
    try:
        if program.has_graph:
            classifier: Classifier = _GraphClassifier(program, config, path, intra_op_threads)
        else:
            classifier = _NumpyClassifier(program, config, path)
    except ModelMismatchError as error:
        error.hint = error.hint or run_directory.restore_hint(path, name)
        raise
    classifier.notes[:0] = run_directory.assumptions(config, {}, path)
    return classifier


def as_images(images: Any) -> npt.NDArray[np.float32]:
    """Return images in the form that the models expect, [N, 784] float32 in [0, 1].

    Args:
      images: one image or N of them, [784], [28, 28] or [28, 28, 1] each: floats in [0, 1], or
        integers in 0..255, which are divided by 255. 0 is the background.

    Raises:
      DeepMnistError: the shape, type or range is another.

    Example:
      >>> images = as_images(np.full([2, 28, 28], 255, np.uint8))
      >>> images.shape, images.dtype, float(images.max())
      ((2, 784), dtype('float32'), 1.0)
    """
    array = np.asarray(images)
    if array.shape not in IMAGE_SHAPES and array.shape[1:] not in IMAGE_SHAPES:
        raise DeepMnistError(
            "images: expected the shape (784,), (28, 28) or (28, 28, 1), or N of them, "
            f"found {array.shape}"
        )
    rows = array.reshape(-1, 784)
    largest = {"u": 255, "i": 255, "f": 1, "b": 1}.get(rows.dtype.kind)
    if largest is None:
        raise DeepMnistError(f"images: expected numbers, found the dtype {rows.dtype}")
    if rows.dtype == np.uint8:
        return scale(rows)
    if rows.size and not (rows.min() >= 0 and rows.max() <= largest):
        raise DeepMnistError(
            f"images: expected {rows.dtype} values from 0 to {largest}, "
            f"found {rows.min()} to {rows.max()}"
        )
    if rows.dtype.kind in "ui":
        return scale(rows.astype(np.uint8))  # as in training, to the last bit
    return rows.astype(np.float32)


def nearest_probabilities(outputs: Array) -> Array:
    """Return the probabilities that are nearest to a model's outputs in squared error.

    min |p - outputs|^2 subject to p >= 0 and sum(p) = 1 is solved by p = max(outputs - t, 0) for
    the one t with sum(p) = 1. The order of the outputs is kept.

    Args:
      outputs: [N, 10] float.

    Returns:
      [N, 10] float, rows sum to 1.

    Source: Duchi et al., Efficient projections onto the l1-ball, ICML 2008.
    """
    descending = -np.sort(-outputs, axis=1)
    count = np.arange(1, outputs.shape[1] + 1)
    thresholds = (np.cumsum(descending, axis=1) - 1) / count  # t, if `count` of them are positive
    positive = np.sum(descending > thresholds, axis=1)
    t = thresholds[np.arange(len(outputs)), positive - 1]
    return np.asarray(np.maximum(outputs - t[:, None], 0))


class Matches(NamedTuple):
    """Which programs the variables of a file fit, by name."""

    loaded: dict[str, reader.LoadedWeights]
    ambiguous: dict[str, AmbiguousCheckpointError]
    mismatched: dict[str, ModelMismatchError]


def matches(
    file: reader.CheckpointReader, names: Sequence[str], prefer: Sequence[str] = ()
) -> Matches:
    """Try the programs `names`, which have graphs, on an open file of variables."""
    result = Matches({}, {}, {})
    for name in names:
        try:
            shapes = PROGRAMS[name].variable_shapes()
            result.loaded[name] = reader.load_weights(file, shapes, prefer)
        except AmbiguousCheckpointError as error:
            result.ambiguous[name] = error
        except ModelMismatchError as error:
            result.mismatched[name] = error
    return result


def is_numpy_model(file: reader.CheckpointReader) -> bool:
    """Return whether an open file holds exactly the arrays of fnn."""
    found = {name: spec.shape for name, spec in file.specs.items()}
    return any(found == p.variable_shapes() for p in PROGRAMS.values() if not p.has_graph)


def recognize(checkpoint: str) -> str:
    """Return the name of the program whose weights are at a path, by their shapes.

    Raises:
      DeepMnistError: no program fits, or several fit, or every checkpoint is damaged.
    """
    if Path(checkpoint).is_dir() and npz_saver.newest_first(Path(checkpoint)):
        return "fnn"  # the only program that saves .npz files
    file = reader.open_checkpoint(paths.find(checkpoint))
    if is_numpy_model(file):
        return "fnn"
    graphs = [program.name for program in PROGRAMS.values() if program.has_graph]
    loaded, ambiguous, mismatched = matches(file, graphs)
    if len(loaded) == 1 and not ambiguous:
        return next(iter(loaded))
    if loaded:
        names = [*loaded, *ambiguous]
        raise DeepMnistError(
            f"{file.path} holds the weights of {' and '.join(names)}",
            hint="extract one of them with: python -m deep_mnist.legacy checkpoint "
            f"{shlex.quote(str(file.path))} --model {names[0]} --convert OUT",
        )
    if ambiguous:
        raise next(iter(ambiguous.values()))
    nearest = min(mismatched, key=lambda name: mismatched[name].distance)
    raise DeepMnistError(
        f"{mismatched[nearest].message} (the most similar model is {nearest})",
        hint=mismatched[nearest].hint,
    )
