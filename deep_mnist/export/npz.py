"""NumPy arrays by variable name, never pickled. `--restore` reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deep_mnist.export import inference_graph
from deep_mnist.export.model import Images, Outputs, Predict, TrainedModel
from deep_mnist.inference import PROGRAMS, load_model
from deep_mnist.lazy_tensorflow import tf


def write(model: TrainedModel, file: Path, calibration: Images) -> None:
    """Write the arrays uncompressed: compression would save less than a tenth."""
    np.savez(file, **model.weights)  # type: ignore[arg-type]


def load(file: Path, model: TrainedModel) -> Predict:
    """Return a function that runs the model with the arrays of the file as weights."""
    if not PROGRAMS[model.name].has_graph:
        classifier = load_model(model.name, str(file))

        def predict(batch: Images) -> Outputs:
            scores = classifier.predict_proba(batch)
            return Outputs(scores, scores.argmax(axis=1))

        return predict
    with np.load(file, allow_pickle=False) as arrays, tf.Graph().as_default() as graph:
        weights = {name: tf.constant(arrays[name], name=name) for name in arrays.files}
        images, *outputs = inference_graph.add_graph(model, weights)
    session = tf.Session(graph=graph)
    return lambda batch: Outputs(*session.run(outputs, {images: batch}))
