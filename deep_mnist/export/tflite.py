"""TensorFlow Lite, in float32, or with all operations, inputs and outputs in int8.

In int8 the input has the scale 1/255 and the zero point -128: its value is the gray value, 0 to
255, minus 128.
"""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from deep_mnist.errors import ExportError
from deep_mnist.export import inference_graph, saved_model
from deep_mnist.export.library_output import first_line, hold_back_output
from deep_mnist.export.model import Images, Outputs, Predict, TrainedModel


def write(model: TrainedModel, file: Path, calibration: Images) -> None:
    """Write the model in float32.

    Raises:
      ExportError: the converter fails.
    """
    file.write_bytes(_convert(model, lambda converter: None))


def write_int8(model: TrainedModel, file: Path, calibration: Images) -> None:
    """Write the model in int8; the scales are chosen for the images in `calibration`.

    Raises:
      ExportError: the converter fails.
    """
    tf2 = importlib.import_module("tensorflow")

    def samples() -> Iterator[dict[str, Images]]:
        for image in calibration:
            yield {inference_graph.IMAGES: image[None]}

    def quantize(converter: Any) -> None:
        converter.optimizations = [tf2.lite.Optimize.DEFAULT]
        converter.representative_dataset = samples
        converter.target_spec.supported_ops = [tf2.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf2.int8

    file.write_bytes(_convert(model, quantize))


def _convert(model: TrainedModel, configure: Callable[[Any], None]) -> bytes:
    lite = importlib.import_module("tensorflow").lite
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory, "saved_model")
        saved_model.write(model, source, np.empty((0, 784), np.float32))
        try:
            with hold_back_output():
                converter = lite.TFLiteConverter.from_saved_model(
                    str(source), signature_keys=saved_model.SIGNATURES[:1]
                )
                converter.exclude_conversion_metadata = True  # the JSON record has the versions
                configure(converter)
                return bytes(converter.convert())
        except Exception as error:
            raise ExportError(
                f"TensorFlow Lite's converter failed ({first_line(error)})"
            ) from error


def load(file: Path, model: TrainedModel) -> Predict:
    """Return a function that runs the model in TensorFlow Lite's interpreter.

    It takes float32 images and returns float32 scores; for int8 it converts both.
    """
    interpreter = importlib.import_module("tensorflow").lite.Interpreter(model_path=str(file))
    call = interpreter.get_signature_runner(saved_model.SIGNATURES[0])
    images_details = call.get_input_details()[inference_graph.IMAGES]
    scores_details = call.get_output_details()[inference_graph.SCORES]

    def predict(batch: Images) -> Outputs:
        results = call(images=_quantize(batch, images_details))
        scores = _dequantize(results[inference_graph.SCORES], scores_details)
        return Outputs(scores, results[inference_graph.CLASSES])

    return predict


def _quantize(values: Any, details: Any) -> Any:
    """Return round(values / scale) + zero_point in int8; float32 is returned unchanged."""
    if details["dtype"] != np.int8:
        return values
    scale, zero_point = details["quantization"]
    return np.clip(np.round(values / scale) + zero_point, -128, 127).astype(np.int8)


def _dequantize(values: Any, details: Any) -> Any:
    """Return (values - zero_point) * scale in float32; float32 is returned unchanged."""
    if details["dtype"] != np.int8:
        return values
    scale, zero_point = details["quantization"]
    return (values.astype(np.float32) - zero_point) * np.float32(scale)
