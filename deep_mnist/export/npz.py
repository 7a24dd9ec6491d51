"""Plain NumPy arrays, never pickled, by the names of the variables; `--restore` reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from deep_mnist import inference
from deep_mnist.export import inference_graph
from deep_mnist.export.trained import Answers, Images, Run, Trained
from deep_mnist.lazy_tensorflow import tf


def write(trained: Trained, file: Path, calibration: Images) -> None:
    """Writes the arrays as they are, uncompressed: compression gains a tenth at best."""
    np.savez(file, **trained.weights)  # type: ignore[arg-type]


def load(file: Path, trained: Trained) -> Callable[[Images], Answers]:
    """The model as a function that computes with what numpy.load finds in the file.

    By fnn's operations, or in a graph and a session of its own.
    """
    if trained.name == "fnn":
        fnn = inference.load("fnn", str(file))

        def run(images: Images) -> Answers:
            scores = fnn.probabilities(images)
            return Answers(scores, scores.argmax(axis=1))

        return run
    with np.load(file, allow_pickle=False) as arrays, tf.Graph().as_default() as graph:
        constants = {name: tf.constant(arrays[name]) for name in arrays.files}
        placeholder, *fetches = inference_graph.add(trained.name, trained.config, constants)
    session = tf.Session(graph=graph)
    return lambda images: Answers(*session.run(fetches, {placeholder: images}))


def opened(file: Path, trained: Trained) -> Run:
    """Runs what is in the file."""

    def run(batches: Sequence[Images]) -> list[Answers]:
        call = load(file, trained)
        return [call(batch) for batch in batches]

    return run
