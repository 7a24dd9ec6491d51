"""A SavedModel: what TensorFlow Serving, saved_model_cli and tf.saved_model.load take.

Both signatures, `serving_default` and `predict_images` (the one that Serving's MNIST client asks
for), lead from `images` to `scores` and `classes`.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deep_mnist.checkpoints import reader
from deep_mnist.errors import DeepMnistError, ExportError
from deep_mnist.export import inference_graph
from deep_mnist.export.library_output import quietly
from deep_mnist.export.model import Answers, Images, Run, Trained
from deep_mnist.lazy_tensorflow import tf

SIGNATURES = ("serving_default", "predict_images")
SECONDS = 300.0  # that a fresh process may take: a hundred times what the models here do


def write(trained: Trained, directory: Path, calibration: Images) -> None:
    """Writes the SavedModel's files into a directory that is not there yet.

    Raises:
      DeepMnistError: the disk is full or the directory can't be written to.
    """
    with tf.Graph().as_default():
        sess, handles = inference_graph.open_session(trained)
        with sess, quietly():
            try:
                _save(sess, handles, directory)
            except tf.errors.OpError as error:
                raise DeepMnistError(
                    f"{directory} can't be written: {reader.short_message(error)}"
                ) from None


def _save(sess: Any, handles: inference_graph.Handles, directory: Path) -> None:
    signature = tf.saved_model.signature_def_utils.predict_signature_def(
        {inference_graph.IMAGES: handles.images},
        {inference_graph.SCORES: handles.scores, inference_graph.CLASSES: handles.classes},
    )
    builder = tf.saved_model.Builder(str(directory))
    builder.add_meta_graph_and_variables(
        sess,
        [tf.saved_model.tag_constants.SERVING],
        dict.fromkeys(SIGNATURES, signature),
        strip_default_attrs=True,  # so that an older Serving knows every attribute
    )
    builder.save()


def load(directory: Path, signature: str = SIGNATURES[0]) -> Callable[[Images], Answers]:
    """One of its signatures as a function, in this process, which must run eagerly."""
    tf2 = importlib.import_module("tensorflow")
    loaded = tf2.saved_model.load(str(directory))
    call = loaded.signatures[signature]

    def run(images: Images) -> Answers:
        results = call(images=tf2.constant(images))
        return Answers(
            results[inference_graph.SCORES].numpy(), results[inference_graph.CLASSES].numpy()
        )

    run.loaded = loaded  # type: ignore[attr-defined]  # its variables live as long as it does
    return run


def opened(directory: Path, trained: Trained) -> Run:
    """Runs it in a fresh process, which knows nothing of the graph that it was made from."""

    def run(batches: Sequence[Images]) -> list[Answers]:
        with tempfile.TemporaryDirectory() as exchange:
            asked, answered = Path(exchange, "asked.npz"), Path(exchange, "answered.npz")
            np.savez(asked, *batches)
            module = "deep_mnist.export.run_saved_model"
            try:
                done = subprocess.run(
                    [sys.executable, "-m", module, str(directory), str(asked), str(answered)],
                    env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                    capture_output=True,
                    text=True,
                    check=False,
                    timeout=SECONDS,
                )
            except subprocess.TimeoutExpired:
                raise ExportError(
                    f"a fresh process did not load and run it in {SECONDS:g} s"
                ) from None
            if done.returncode != 0:
                said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
                raise ExportError(f"a fresh process can't load it: {said[-1]}")
            with np.load(answered) as arrays:
                return [
                    Answers(arrays[f"scores_{i}"], arrays[f"classes_{i}"])
                    for i in range(len(batches))
                ]

    return run
