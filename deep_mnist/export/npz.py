"""Plain NumPy arrays, never pickled, by the names of the variables; `--restore` reads them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deep_mnist import models
from deep_mnist.export import inference
from deep_mnist.export.trained import Answers, Images, Run, Trained
from deep_mnist.training import tf


def write(trained: Trained, file: Path, calibration: Images) -> None:
    """Writes the arrays as they are, uncompressed: compression gains a tenth at best."""
    np.savez(file, **trained.weights)  # type: ignore[arg-type]


def opened(file: Path, trained: Trained) -> Run:
    """Loads them with numpy.load and computes with them, by fnn's operations or in a new graph."""

    def run(batches: Sequence[Images]) -> list[Answers]:
        if trained.name == "fnn":
            with models.load("fnn", str(file)) as fnn:
                scores = [fnn.probabilities(batch) for batch in batches]
            return [Answers(batch, batch.argmax(axis=1)) for batch in scores]
        with np.load(file, allow_pickle=False) as arrays, tf.Graph().as_default():
            constants = {name: tf.constant(arrays[name]) for name in arrays.files}
            images, *fetches = inference.add(trained.name, trained.config, constants)
            with tf.Session() as sess:
                return [Answers(*sess.run(fetches, {images: batch})) for batch in batches]

    return run
