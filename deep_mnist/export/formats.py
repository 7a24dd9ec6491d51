"""The registry of formats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from deep_mnist.export import frozen, npz, onnx, saved_model, tflite
from deep_mnist.export.check import FLOAT, INT8, Tolerance
from deep_mnist.export.library_output import hold_back_output
from deep_mnist.export.model import Images, Outputs, Predict, TrainedModel

Run = Callable[[Path, TrainedModel, Sequence[Images]], list[Outputs]]


class Format(NamedTuple):
    """A format of exports."""

    suffix: str | None  # of the file, MODEL<suffix>; None for a directory, DIR/<version>
    write: Callable[[TrainedModel, Path, Images], None]  # the images calibrate int8
    run: Run  # loads an export and runs it on batches of images
    runtime: str  # in which `run` does so
    tolerance: Tolerance


def in_this_process(load: Callable[[Path, TrainedModel], Predict]) -> Run:
    """Return a Run that loads an export once."""

    def run(path: Path, model: TrainedModel, batches: Sequence[Images]) -> list[Outputs]:
        with hold_back_output():
            predict = load(path, model)
            return [predict(batch) for batch in batches]

    return run


FORMATS = {
    "saved-model": Format(
        None, saved_model.write, saved_model.run, "TensorFlow in a new process", FLOAT
    ),
    "tflite": Format(
        ".tflite", tflite.write, in_this_process(tflite.load), "TensorFlow Lite", FLOAT
    ),
    "tflite-int8": Format(
        "-int8.tflite", tflite.write_int8, in_this_process(tflite.load), "TensorFlow Lite", INT8
    ),
    "onnx": Format(".onnx", onnx.write, in_this_process(onnx.load), "onnxruntime", FLOAT),
    "npz": Format(".npz", npz.write, in_this_process(npz.load), "a restored model", FLOAT),
    "frozen": Format(".pb", frozen.write, in_this_process(frozen.load), "an imported graph", FLOAT),
}
