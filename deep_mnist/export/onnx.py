"""ONNX, through tf2onnx; checked in onnxruntime."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path

from deep_mnist.errors import DeepMnistError, ExportError
from deep_mnist.export import frozen, inference_graph
from deep_mnist.export.library_output import quietly, reason
from deep_mnist.export.model import Answers, Images, Run, Trained

PACKAGES = ("tf2onnx", "onnx", "onnxruntime")
OPSET = 17  # of 2022: old enough for most runtimes, new enough for every operation here


def check_installed() -> None:
    """Raises DeepMnistError, with the command that installs them, unless all packages are there."""
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise DeepMnistError(
            f'{" and ".join(missing)} not installed: pip install "deep_mnist[export]"'
        )


def write(trained: Trained, file: Path, calibration: Images) -> None:
    """Writes a model with input `images` and outputs `scores`, `classes`, of any batch size N."""
    graph_def = frozen.graph_def(trained)
    names = {f"{name}:0": name for name in inference_graph.Handles._fields}
    source, *results = names
    try:
        with quietly():
            import onnx
            import tf2onnx.convert

            model, _ = tf2onnx.convert.from_graph_def(
                graph_def,
                name=f"deep_mnist {trained.name}",
                input_names=[source],
                output_names=results,
                opset=OPSET,
                tensors_to_rename=names,
            )
            for end in (*model.graph.input, *model.graph.output):
                end.type.tensor_type.shape.dim[0].dim_param = "N"
            onnx.checker.check_model(model, full_check=True)
    except Exception as error:
        raise ExportError(f"tf2onnx fails ({reason(error)})") from error
    file.write_bytes(model.SerializeToString())


def load(file: Path) -> Callable[[Images], Answers]:
    """The model as a function, on the CPU."""
    with quietly():
        import onnxruntime

        session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    outputs = [inference_graph.SCORES, inference_graph.CLASSES]
    return lambda images: Answers(*session.run(outputs, {inference_graph.IMAGES: images}))


def opened(file: Path, trained: Trained) -> Run:
    """Runs it in onnxruntime."""

    def run(batches: Sequence[Images]) -> list[Answers]:
        with quietly():
            call = load(file)
            return [call(batch) for batch in batches]

    return run
