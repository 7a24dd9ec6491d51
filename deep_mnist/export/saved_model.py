"""A SavedModel, for TensorFlow Serving, saved_model_cli and tf.saved_model.load.

Its signatures are `serving_default` and `predict_images`, the one that the MNIST client of
TensorFlow Serving requests. Both map `images` to `scores` and `classes`.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deep_mnist.checkpoints import reader
from deep_mnist.errors import DeepMnistError, ExportError
from deep_mnist.export import inference_graph
from deep_mnist.export.library_output import hold_back_output
from deep_mnist.export.model import Images, Outputs, Predict, TrainedModel
from deep_mnist.lazy_tensorflow import tf

SIGNATURES = ("serving_default", "predict_images")
TIMEOUT = 300.0  # seconds; loading and running takes a few


def write(model: TrainedModel, directory: Path, calibration: Images) -> None:
    """Write the files of the SavedModel to a new directory.

    Raises:
      DeepMnistError: the disk is full, or the directory cannot be written to.
    """
    with tf.Graph().as_default(), tf.Session() as session, hold_back_output():
        values, variables = {}, {}
        for name, weight in model.weights.items():
            initial_value = tf.placeholder(weight.dtype, weight.shape)
            values[initial_value] = weight
            variables[name] = tf.get_variable(name, initializer=initial_value, trainable=False)
        tensors = inference_graph.add_graph(model, variables)
        session.run(tf.global_variables_initializer(), values)
        try:
            _save(session, tensors, directory)
        except tf.errors.OpError as error:
            reason = reader.short_message(error)
            raise DeepMnistError(f"cannot write {directory} ({reason})") from None


def _save(session: Any, tensors: inference_graph.Tensors, directory: Path) -> None:
    signature = tf.saved_model.signature_def_utils.predict_signature_def(
        {inference_graph.IMAGES: tensors.images},
        {inference_graph.SCORES: tensors.scores, inference_graph.CLASSES: tensors.classes},
    )
    builder = tf.saved_model.Builder(str(directory))
    builder.add_meta_graph_and_variables(
        session,
        [tf.saved_model.tag_constants.SERVING],
        dict.fromkeys(SIGNATURES, signature),
        strip_default_attrs=True,  # older versions of TensorFlow know all other attributes
    )
    builder.save()


def load(directory: Path, signature: str = SIGNATURES[0]) -> Predict:
    """Return a function that calls a signature in this process, which must run eagerly."""
    tf2 = importlib.import_module("tensorflow")
    loaded = tf2.saved_model.load(str(directory))
    call = loaded.signatures[signature]

    def predict(batch: Images) -> Outputs:
        results = call(images=tf2.constant(batch))
        return Outputs(
            results[inference_graph.SCORES].numpy(), results[inference_graph.CLASSES].numpy()
        )

    predict.loaded = loaded  # type: ignore[attr-defined]  # its variables live as long as it does
    return predict


def run(directory: Path, model: TrainedModel, batches: Sequence[Images]) -> list[Outputs]:
    """Run the SavedModel in a new process, which has no other information about the model.

    Raises:
      ExportError: the process fails, or takes longer than TIMEOUT.
    """
    with tempfile.TemporaryDirectory() as temporary:
        images, outputs = Path(temporary, "images.npz"), Path(temporary, "outputs.npz")
        np.savez(images, *batches)
        module = "deep_mnist.export.run_saved_model"
        try:
            done = subprocess.run(
                [sys.executable, "-m", module, str(directory), str(images), str(outputs)],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                capture_output=True,
                text=True,
                check=False,
                timeout=TIMEOUT,
            )
        except subprocess.TimeoutExpired:
            raise ExportError(f"a new process did not load and run it in {TIMEOUT:g} s") from None
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise ExportError(f"a new process cannot load and run it ({lines[-1]})")
        with np.load(outputs) as arrays:
            return [
                Outputs(arrays[f"scores_{i}"], arrays[f"classes_{i}"]) for i in range(len(batches))
            ]
