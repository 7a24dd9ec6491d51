"""Size, accuracy and speed of the exports of the pretrained softmax, mlp and cnn.

    python benchmarks/exports.py                 needs the extra [export]

Every format is written and checked by `deep_mnist.export` and loaded into this process. The
formats of a model and its TensorFlow session classify images in alternating rounds.
Writes results/exports.json.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import report

from deep_mnist import data, inference, lazy_tensorflow
from deep_mnist.export import __main__ as export
from deep_mnist.export import frozen, npz, onnx, saved_model, tflite
from deep_mnist.export.formats import FORMATS
from deep_mnist.export.model import TrainedModel

MODELS = ("softmax", "mlp", "cnn")
BATCHES_PER_ROUND = {1: 200, 1_000: 1}  # by batch size
WARM_UP_ROUNDS = 2
SESSION = "session"  # the model in TensorFlow, not exported


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=15, help="alternating rounds (default: 15)")
    rounds = parser.parse_args().rounds
    lazy_tensorflow.import_quietly()
    images = data.scale(data.load_data("mnist").test.images[: max(BATCHES_PER_ROUND)])
    values = {name: measure(name, images, rounds) for name in MODELS}
    packages = {name: importlib.metadata.version(name) for name in onnx.PACKAGES}
    report.write("exports", {"packages": packages, "rounds": rounds, "models": values})


def measure(name: str, images: Any, rounds: int) -> dict[str, Any]:
    """Return by format: size in bytes, result of the check, and images per second."""
    with tempfile.TemporaryDirectory() as directory, inference.load_model(name) as classifier:
        model = TrainedModel(name, classifier.config, classifier.weights())
        files, records = {}, {}
        for format_name, format_ in FORMATS.items():
            command = [name, directory, "--format", format_name, "--dataset", "mnist"]
            if export.main(command) != 0:
                raise SystemExit(f"{name}: the export as {format_name} failed")
            if format_.suffix is None:
                file = Path(directory, "1")
                record = file / export.VERSION_RECORD
            else:
                file = Path(directory, f"{name}{format_.suffix}")
                record = file.with_name(f"{file.name}.json")
            files[format_name] = file
            records[format_name] = json.loads(record.read_text("utf-8"))
        runners: dict[str, Callable[[Any], Any]] = {
            SESSION: classifier.predict_proba,
            "saved-model": saved_model.load(files["saved-model"]),
            "tflite": tflite.load(files["tflite"], model),
            "tflite-int8": tflite.load(files["tflite-int8"], model),
            "onnx": onnx.load(files["onnx"], model),
            "npz": npz.load(files["npz"], model),
            "frozen": frozen.load(files["frozen"], model),
        }
        speeds = alternate(runners, images, rounds)
    kept = ("bytes", "largest_difference", "agreement", "accuracy", "session_accuracy")
    return {
        format_name: {
            **{key: records[format_name][key] for key in kept if format_name in records},
            "images_per_second": speeds[format_name],
        }
        for format_name in runners
    }


def alternate(
    runners: dict[str, Callable[[Any], Any]], images: Any, rounds: int
) -> dict[str, dict[str, dict[str, float]]]:
    """Return by runner and batch size: median and quartiles of the images per second."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for number in range(WARM_UP_ROUNDS + rounds):
        for name, run in runners.items():
            for batch_size, batches in BATCHES_PER_ROUND.items():
                start = time.perf_counter()
                for first in range(batches):
                    run(images[first : first + batch_size])
                seconds = time.perf_counter() - start
                if number >= WARM_UP_ROUNDS:
                    found[name][str(batch_size)].append(batch_size * batches / seconds)
    return {
        name: {size: report.spread(values) for size, values in by_size.items()}
        for name, by_size in found.items()
    }


if __name__ == "__main__":
    main()
