"""Plain NumPy arrays, never pickled, by the names of the variables; `--restore` reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from deep_mnist.export import inference_graph
from deep_mnist.export.model import Answers, Images, Run, Trained
from deep_mnist.inference import PROGRAMS, load_model
from deep_mnist.lazy_tensorflow import tf


def write(trained: Trained, file: Path, calibration: Images) -> None:
    """Writes the arrays as they are, uncompressed: compression gains a tenth at best."""
    np.savez(file, **trained.weights)  # type: ignore[arg-type]


def load(file: Path, trained: Trained) -> Callable[[Images], Answers]:
    """The model as a function that computes with what numpy.load finds in the file.

    In a graph and a session of its own, if the program has one.
    """
    if not PROGRAMS[trained.name].has_graph:
        classifier = load_model(trained.name, str(file))

        def run(images: Images) -> Answers:
            scores = classifier.predict_proba(images)
            return Answers(scores, scores.argmax(axis=1))

        return run
    with np.load(file, allow_pickle=False) as arrays, tf.Graph().as_default():
        weights = {name: arrays[name] for name in arrays.files}
        session, handles = inference_graph.open_session(trained._replace(weights=weights))
    placeholder, *fetches = handles
    return lambda images: Answers(*session.run(fetches, {placeholder: images}))


def opened(file: Path, trained: Trained) -> Run:
    """Runs what is in the file."""

    def run(batches: Sequence[Images]) -> list[Answers]:
        call = load(file, trained)
        return [call(batch) for batch in batches]

    return run
