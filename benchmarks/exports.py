"""What each export weighs, and how many digits a second it reads.

    python benchmarks/exports.py                 needs the extra [export]

softmax, mlp and cnn as they ship, in every format of deep_mnist.export, written and checked by that
command, then loaded into this process, all formats of a model in turns, beside our own session.
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
from deep_mnist.export.trained import Trained

MODELS = ("softmax", "mlp", "cnn")
BATCHES = {1: 200, 1_000: 1}  # images at a time: how many times in a turn
TURNS, WARM_UP = 15, 2
SESSION = "our session"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--turns", type=int, default=TURNS, help="fewer, to try it out")
    turns = parser.parse_args().turns
    lazy_tensorflow.import_quietly()
    images = data.scale(data.load_data("mnist").test.images[: max(BATCHES)])
    values = {name: measure(name, images, turns) for name in MODELS}
    packages = {name: importlib.metadata.version(name) for name in onnx.PACKAGES}
    report.write("exports", {"packages": packages, "turns": turns, "models": values})


def measure(name: str, images: Any, turns: int) -> dict[str, Any]:
    """By format: bytes, what the check found, and digits a second by batch."""
    with tempfile.TemporaryDirectory() as place, inference.load(name) as classifier:
        trained = Trained(name, classifier.config, classifier.session.weights())
        files, records = {}, {}
        for format_name, format_ in FORMATS.items():
            if export.main([name, place, "--format", format_name, "--dataset", "mnist"]) != 0:
                raise SystemExit(f"{name} can't be exported as {format_name}")
            if format_.suffix is None:
                file = Path(place, "1")
                record = file / export.VERSION_RECORD
            else:
                file = Path(place, f"{name}{format_.suffix}")
                record = file.with_name(f"{file.name}.json")
            files[format_name] = file
            records[format_name] = json.loads(record.read_text("utf-8"))
        runners: dict[str, Callable[[Any], Any]] = {
            SESSION: classifier.probabilities,
            "saved-model": saved_model.load(files["saved-model"]),
            "tflite": tflite.load(files["tflite"]),
            "tflite-int8": tflite.load(files["tflite-int8"]),
            "onnx": onnx.load(files["onnx"]),
            "npz": npz.load(files["npz"], trained),
            "frozen": frozen.load(files["frozen"]),
        }
        speeds = in_turns(runners, images, turns)
    kept = ("bytes", "largest_difference", "agreement", "accuracy", "session_accuracy")
    return {
        format_name: {
            **{key: records[format_name][key] for key in kept if format_name in records},
            "digits_per_second": speeds[format_name],
        }
        for format_name in runners
    }


def in_turns(
    runners: dict[str, Callable[[Any], Any]], images: Any, turns: int
) -> dict[str, dict[str, dict[str, float]]]:
    """By runner and batch: the spread of digits a second."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for turn in range(WARM_UP + turns):
        for name, run in runners.items():
            for batch, times in BATCHES.items():
                start = time.perf_counter()
                for number in range(times):
                    run(images[number : number + batch])
                seconds = time.perf_counter() - start
                if turn >= WARM_UP:
                    found[name][str(batch)].append(batch * times / seconds)
    return {
        name: {batch: report.spread(values) for batch, values in by_batch.items()}
        for name, by_batch in found.items()
    }


if __name__ == "__main__":
    main()
