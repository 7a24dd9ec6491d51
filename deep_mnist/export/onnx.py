"""ONNX, converted by tf2onnx."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from deep_mnist.errors import DeepMnistError, ExportError
from deep_mnist.export import frozen, inference_graph
from deep_mnist.export.library_output import first_line, hold_back_output
from deep_mnist.export.model import Images, Outputs, Predict, TrainedModel

PACKAGES = ("tf2onnx", "onnx", "onnxruntime")
OPSET = 17  # of 2022: supported by most runtimes, and has every operation that is needed


def check_installed() -> None:
    """Raise DeepMnistError unless all packages are installed."""
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise DeepMnistError(
            f"--format onnx needs {' and '.join(missing)}",
            hint='install the extra with: pip install "deep_mnist[export]"',
        )


def write(model: TrainedModel, file: Path, calibration: Images) -> None:
    """Write a model with input `images` and outputs `scores` and `classes`, of any batch size.

    Raises:
      ExportError: the converter fails.
    """
    graph_def = frozen.graph_def(model)
    names = {f"{name}:0": name for name in inference_graph.Tensors._fields}
    images, *outputs = names
    try:
        with hold_back_output():
            import onnx
            import tf2onnx.convert

            converted, _ = tf2onnx.convert.from_graph_def(
                graph_def,
                name=f"deep_mnist {model.name}",
                input_names=[images],
                output_names=outputs,
                opset=OPSET,
                tensors_to_rename=names,
            )
            for value in (*converted.graph.input, *converted.graph.output):
                value.type.tensor_type.shape.dim[0].dim_param = "N"
            onnx.checker.check_model(converted, full_check=True)
    except Exception as error:
        raise ExportError(f"tf2onnx failed ({first_line(error)})") from error
    file.write_bytes(converted.SerializeToString())


def load(file: Path, model: TrainedModel) -> Predict:
    """Return a function that runs the model in onnxruntime, on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    outputs = [inference_graph.SCORES, inference_graph.CLASSES]
    return lambda batch: Outputs(*session.run(outputs, {inference_graph.IMAGES: batch}))
