"""The formats by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from deep_mnist.export import frozen, npz, onnx, saved_model, tflite
from deep_mnist.export.check import FLOAT, INT8, Limits
from deep_mnist.export.model import Images, Run, Trained


class Format(NamedTuple):
    """A kind of export."""

    suffix: str | None  # of MODEL in the folder; None: numbered folders, one a version
    write: Callable[[Trained, Path, Images], None]  # to a place that is not there yet
    opened: Callable[[Path, Trained], Run]
    runtime: str  # that it is opened in, for people to read
    limits: Limits


FORMATS = {
    "saved-model": Format(
        None, saved_model.write, saved_model.opened, "a fresh eager process", FLOAT
    ),
    "tflite": Format(".tflite", tflite.write, tflite.opened, "TensorFlow Lite", FLOAT),
    "tflite-int8": Format(
        "-int8.tflite", tflite.write_int8, tflite.opened, "TensorFlow Lite", INT8
    ),
    "onnx": Format(".onnx", onnx.write, onnx.opened, "onnxruntime", FLOAT),
    "npz": Format(".npz", npz.write, npz.opened, "numpy.load", FLOAT),
    "frozen": Format(".pb", frozen.write, frozen.opened, "an imported graph", FLOAT),
}
