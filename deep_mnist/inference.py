"""The shelf: a model by its name, with trained weights in it, ready to read pictures.

    with inference.load("cnn") as cnn:
        cnn.probabilities(images)  # [N, 784] in [0, 1] -> [N, 10]

Programs are imported when they are asked for, TensorFlow when a model that needs it is loaded.
"""

from __future__ import annotations

import importlib
import shlex
import threading
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from deep_mnist import training
from deep_mnist.checkpoints import npz_saver, paths, pretrained, reader, variables
from deep_mnist.data import input_checks
from deep_mnist.errors import AmbiguousCheckpointError, DeepMnistError, ModelMismatchError
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import run_directory

NAMES = ("softmax", "mlp", "cnn", "fnn")
GRAPHS = ("softmax", "cnn", "mlp")  # fnn is none
BATCH = 1_000  # images at a time: bounds the memory of the CNN's feature maps
SHAPES = ((784,), (28, 28), (28, 28, 1))  # of one image

Array = npt.NDArray[Any]


class Classifier:
    """A model with its weights; `close` it, or use it in a `with`.

    Each has a graph of its own, so any number can be open. Any thread may call it at any time.

    Attributes:
      name: one of NAMES.
      model: the program's Model, its handles for `session.run`.
      session: its training.Session, or NumpySession.
      config: the program's Config that the weights are used with.
      path: where the weights are from.
      notes: what the user should know of the weights, a line each: how an old checkpoint was read.
    """

    def __init__(
        self,
        name: str,
        model: Any,
        session: Any,
        config: Any,
        path: Path,
        notes: list[str],
        forward: Callable[[Array], Array],
    ) -> None:
        self.name = name
        self.model = model
        self.session = session
        self.config = config
        self.path = path
        self.notes = notes
        self._forward = forward

    def __enter__(self) -> Classifier:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def probabilities(self, images: Any) -> npt.NDArray[np.float64]:
        """What the model holds of each digit: images as `as_images` takes them -> [N, 10].

        Rows sum to 1, and their largest is the model's answer. softmax, cnn and fnn were trained
        to give probabilities (fnn, hardly trained, is far surer than it is right). mlp was not: its
        ten outputs are fitted to the one-hot label by squared error, may be negative, and their
        sum is near 1 at best. Shown are the probabilities nearest to them in that same squared
        error, `nearest_probabilities`; they are no measure of how often it is right.

        Warns of images whose ink and paper look exchanged, or that were scaled once too often.

        Raises:
          DeepMnistError: the images are of another shape, or out of [0, 1].
        """
        rows = as_images(images)
        doubt = input_checks.doubt(rows)
        if doubt is not None:
            warnings.warn(f"images: {doubt}", stacklevel=2)
        parts = [self._forward(rows[i : i + BATCH]) for i in range(0, len(rows), BATCH)]
        return np.concatenate([np.empty((0, 10)), *parts])

    def close(self) -> None:
        """Frees the session. The classifier is of no use afterwards."""
        self.session.__exit__(None, None, None)


def load(name: str, checkpoint: str | None = None) -> Classifier:
    """Builds a model in a graph of its own and puts trained weights into it.

    Args:
      name: one of NAMES.
      checkpoint: a directory, a prefix or any file of a checkpoint, ours or an old one (see
        `training.locate`; for fnn a .npz file); None is the one that ships. Settings that the
        weights can't be used without are read from the config.json beside it.

    Raises:
      DeepMnistError: no such model, no such checkpoint, or one that is damaged or of another model;
        TensorFlow is needed and not installed.
    """
    if name not in NAMES:
        raise DeepMnistError(f"model: expected one of {', '.join(NAMES)}, found {name!r}")
    place = str(pretrained.directory(name)) if checkpoint is None else checkpoint
    found = npz_saver.find(place) if name == "fnn" else paths.find(place)
    config = run_directory.with_architecture(program(name).Config(), {}, found)
    if name == "fnn":
        return _load_numpy(name, config, found)
    return _load_graph(name, config, found)


class Fits(NamedTuple):
    """Which models the variables of a file are, by name."""

    loaded: dict[str, reader.Loaded]
    undecided: dict[str, AmbiguousCheckpointError]
    others: dict[str, ModelMismatchError]


def fits(file: reader.WeightFile, names: Sequence[str], take: Sequence[str] = ()) -> Fits:
    """Tries the models `names`, of GRAPHS, on an open file; `take` is that of `weights.load`."""
    result = Fits({}, {}, {})
    for name in names:
        try:
            result.loaded[name] = reader.load_from(file, _variable_shapes(name), take)
        except AmbiguousCheckpointError as error:
            result.undecided[name] = error
        except ModelMismatchError as error:
            result.others[name] = error
    return result


def recognize(checkpoint: str) -> str:
    """Which of NAMES the weights at a path are of, by their shapes.

    Raises:
      DeepMnistError: none, or several; there is no checkpoint, or a damaged one.
    """
    if Path(checkpoint).is_dir() and npz_saver.newest_first(Path(checkpoint)):
        return "fnn"  # no other program saves such
    file = reader.open_file(paths.find(checkpoint))
    if is_of_fnn(file):
        return "fnn"
    loaded, undecided, others = fits(file, GRAPHS)
    if len(loaded) == 1 and not undecided:
        return next(iter(loaded))
    if loaded:
        names = [*loaded, *undecided]
        raise DeepMnistError(
            f"{file.path} holds {' and '.join(names)}: choose by python -m deep_mnist.legacy "
            f"checkpoint {shlex.quote(str(file.path))} --model {names[0]} --convert OUT, and take "
            "OUT"
        )
    if undecided:
        raise next(iter(undecided.values()))
    nearest = min(others, key=lambda name: others[name].distance)
    raise DeepMnistError(f"the nearest model is {nearest}: {others[nearest]}")


def is_of_fnn(file: reader.WeightFile) -> bool:
    """Whether an open file holds fnn's weights, which no graph is for."""
    found = {name: spec.shape for name, spec in file.specs.items()}
    return found == {name: w.shape for name, w in _fnn_weights().items()}


def program(name: str) -> Any:
    """The module of a program in NAMES."""
    return importlib.import_module(f"deep_mnist.{name}")


def as_images(images: Any) -> npt.NDArray[np.float32]:
    """Images in any of the usual forms -> [N, 784] float32 in [0, 1].

    Args:
      images: one image or N of them, [784], [28, 28] or [28, 28, 1] each: floats in [0, 1], or
        integers 0..255, which are divided by 255; 0 is the background.

    Raises:
      DeepMnistError: another shape, kind of number or range.
    """
    array = np.asarray(images)
    if array.shape not in SHAPES and array.shape[1:] not in SHAPES:
        raise DeepMnistError(
            "images: expected the shape (784,), (28, 28) or (28, 28, 1), or N of them, "
            f"found {array.shape}"
        )
    rows = array.reshape(-1, 784)
    largest = {"u": 255, "i": 255, "f": 1, "b": 1}.get(rows.dtype.kind)
    if largest is None:
        raise DeepMnistError(f"images: expected numbers, found the type {rows.dtype}")
    if rows.size and not (rows.min() >= 0 and rows.max() <= largest):
        raise DeepMnistError(
            f"images: expected {rows.dtype} values from 0 to {largest}, "
            f"found {rows.min()} to {rows.max()}"
        )
    return rows.astype(np.float32) / np.float32(largest)


def nearest_probabilities(outputs: Array) -> Array:
    """The point of the probability simplex that is nearest to each row: [N, 10] -> [N, 10].

    min |p - outputs|^2 with p >= 0 and sum(p) = 1 is p = max(outputs - t, 0) for the one t that
    makes the sum right. The order of the outputs is kept (Duchi et al., ICML 2008).
    """
    falling = -np.sort(-outputs, axis=1)
    count = np.arange(1, outputs.shape[1] + 1)
    thresholds = (np.cumsum(falling, axis=1) - 1) / count  # t, were `count` of them positive
    positive = np.sum(falling > thresholds, axis=1)
    t = thresholds[np.arange(len(outputs)), positive - 1]
    return np.asarray(np.maximum(outputs - t[:, None], 0))


def _variable_shapes(name: str) -> dict[str, variables.Shape]:
    """A program's trainable variables, in the order in which it makes them."""
    with tf.Graph().as_default():
        program(name).build(program(name).Config())
        return {v.op.name: tuple(v.shape.as_list()) for v in tf.trainable_variables()}


def _fnn_weights() -> dict[str, Array]:
    reader: dict[str, Array] = program("fnn").build(program("fnn").Config()).weights
    return reader


def _load_graph(name: str, config: Any, place: Path) -> Classifier:
    with tf.Graph().as_default():
        model = program(name).build(config)
        probabilities = tf.nn.softmax(tf.cast(model.logits, tf.float64))
        session = training.Session(model, config)
    try:
        session.initialize()  # the step counter too, which the seed of the dropout mask reads
        notes = [*run_directory.assumptions(config, {}, place), *session.restore_weights(place)]
    except BaseException:
        session.__exit__(None, None, None)
        raise

    def forward(images: Array) -> Array:
        if name == "mlp":
            outputs = session.run(model.logits, {model.x: images})
            return nearest_probabilities(outputs.astype(np.float64))
        return np.asarray(session.run(probabilities, {model.x: images}))

    return Classifier(name, model, session, config, place, notes, forward)


def _load_numpy(name: str, config: Any, place: Path) -> Classifier:
    model = program(name).build(config)
    session = training.NumpySession(model)
    notes = session.restore_weights(place)
    one_at_a_time = threading.Lock()  # its operations keep what they computed

    def forward(images: Array) -> Array:
        with one_at_a_time:
            return np.asarray(np.exp(model.log_probabilities(255 * images)))

    return Classifier(name, model, session, config, place, notes, forward)
