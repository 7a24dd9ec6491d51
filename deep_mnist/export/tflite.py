"""TensorFlow Lite: in float32, or with every operation, input and output in int8.

int8 at both ends, because whatever runs int8 inside has bytes outside: MNIST's range [0, 1] gets
the scale 1/255 and the zero point -128, so that the input is the grey value less 128, exactly.
"""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deep_mnist.errors import ExportError
from deep_mnist.export import inference_graph, saved_model
from deep_mnist.export.library_output import quietly, reason
from deep_mnist.export.model import Answers, Images, Run, Trained


def write(trained: Trained, file: Path, calibration: Images) -> None:
    """Writes the model with float32 in, inside and out."""
    file.write_bytes(_convert(trained, lambda converter: None))


def write_int8(trained: Trained, file: Path, calibration: Images) -> None:
    """Writes the model in int8 alone; what it sees in `calibration` decides the scales."""
    tf2 = importlib.import_module("tensorflow")

    def samples() -> Iterator[dict[str, Images]]:
        for image in calibration:
            yield {inference_graph.IMAGES: image[None]}

    def quantize(converter: Any) -> None:
        converter.optimizations = [tf2.lite.Optimize.DEFAULT]
        converter.representative_dataset = samples
        converter.target_spec.supported_ops = [tf2.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf2.int8

    file.write_bytes(_convert(trained, quantize))


def _convert(trained: Trained, configure: Callable[[Any], None]) -> bytes:
    lite = importlib.import_module("tensorflow").lite
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory, "saved_model")
        saved_model.write(trained, source, np.empty((0, 784), np.float32))
        try:
            with quietly():
                converter = lite.TFLiteConverter.from_saved_model(
                    str(source), signature_keys=saved_model.SIGNATURES[:1]
                )
                configure(converter)
                return bytes(converter.convert())
        except Exception as error:
            raise ExportError(f"TensorFlow Lite's converter fails ({reason(error)})") from error


def load(file: Path) -> Callable[[Images], Answers]:
    """The model as a function of float32 images, which are quantized where it takes int8."""
    with quietly():
        interpreter = importlib.import_module("tensorflow").lite.Interpreter(model_path=str(file))
        call = interpreter.get_signature_runner(saved_model.SIGNATURES[0])
    images_of = call.get_input_details()[inference_graph.IMAGES]
    scores_of = call.get_output_details()[inference_graph.SCORES]

    def run(images: Images) -> Answers:
        results = call(images=_quantized(images, images_of))
        return Answers(
            _real(results[inference_graph.SCORES], scores_of), results[inference_graph.CLASSES]
        )

    return run


def opened(file: Path, trained: Trained) -> Run:
    """Runs it in the interpreter."""

    def run(batches: Sequence[Images]) -> list[Answers]:
        with quietly():
            call = load(file)
            return [call(batch) for batch in batches]

    return run


def _quantized(values: Any, details: Any) -> Any:
    """q = round(value / scale) + zero point, within int8; float32 stays as it is."""
    scale, zero_point = details["quantization"]
    if details["dtype"] != np.int8:
        return values
    return np.clip(np.round(values / scale) + zero_point, -128, 127).astype(np.int8)


def _real(values: Any, details: Any) -> Any:
    """value = (q - zero point) * scale."""
    scale, zero_point = details["quantization"]
    if details["dtype"] != np.int8:
        return values
    return (values.astype(np.float32) - zero_point) * np.float32(scale)
