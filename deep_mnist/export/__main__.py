"""Export trained weights to TensorFlow Serving, TensorFlow Lite, ONNX, NumPy and frozen graphs.

    python -m deep_mnist.export cnn exports                          a SavedModel, exports/1/
    python -m deep_mnist.export cnn exports --format tflite-int8     exports/cnn-int8.tflite
    python -m deep_mnist.export old/model.ckpt exports --format onnx

An export takes images, float32 [N, 784] in [0, 1], and returns scores [N, 10], the probabilities,
and classes [N], the predicted labels. It has no dropout and no optimizer. Before it gets its name,
it is run on 1,000 test images in its own runtime; if its outputs differ from the model's, it is
deleted, and the exit code is 1. The results are saved next to it as JSON. Nothing is overwritten.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deep_mnist import data
from deep_mnist.checkpoints import reader
from deep_mnist.cli import Parser, exit_code
from deep_mnist.cli.exit_codes import print_error
from deep_mnist.cli.flags import HelpFormatter
from deep_mnist.data.io import check_directory, check_new_path
from deep_mnist.errors import DeepMnistError, ExportError, printable
from deep_mnist.export import check, onnx, publish
from deep_mnist.export.formats import FORMATS, Format
from deep_mnist.export.model import TrainedModel
from deep_mnist.inference import PROGRAMS, Classifier, architecture, load_model, recognize
from deep_mnist.lazy_tensorflow import import_quietly
from deep_mnist.training import environment, run_directory
from deep_mnist.training.evaluation import weights_sha256
from deep_mnist.training.progress import mark

CALIBRATION_EXAMPLES = 200
VERSION_RECORD = "export.json"  # in the directory of a SavedModel; for files it is FILE.json


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return exit_code("export", lambda: _run(argv), stopped="stopped; nothing was exported")


def _run(argv: Sequence[str] | None) -> int:
    options = _parse(argv)
    try:
        _export(options)
    except ExportError as error:
        message = f"{options.format} was not exported: {error.message}"
        print_error("export", ExportError(message, hint=error.hint))
        return 1
    return 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="python -m deep_mnist.export",
        description=__doc__,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "source",
        metavar="CHECKPOINT_OR_MODEL",
        help=f"{', '.join(PROGRAMS)} for the pretrained weights, or a checkpoint as for --restore, "
        "whose model is detected (./cnn for a directory of that name)",
    )
    parser.add_argument("directory", metavar="DIR", help="directory for exports, new or existing")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="saved-model",
        help="format of the export (default: saved-model)",
    )
    parser.add_argument(
        "--dataset",
        choices=("auto", *data.DATASETS),
        help="dataset for the comparison and for the calibration of int8 (default: the one that "
        "the weights were trained on, if it is known, or auto: MNIST or synthetic digits)",
    )
    parser.add_argument("--data-dir", metavar="DIR", help="directory with the dataset's files")
    options = parser.parse_args(argv)
    if not options.source or not options.directory:
        raise DeepMnistError("expected CHECKPOINT_OR_MODEL and DIR, found an empty argument")
    return options


def _export(options: argparse.Namespace) -> None:
    format_, directory = FORMATS[options.format], Path(options.directory)
    check_directory(directory, "DIR")
    if options.format == "saved-model":
        reader.check_path(str(directory))
        if "[" in str(directory):
            raise DeepMnistError(
                f"DIR: TensorFlow cannot load a SavedModel from a path with [, found {directory}",
                hint="export to another DIR",
            )
    if options.format == "onnx":
        onnx.check_installed()
    is_pretrained = options.source in PROGRAMS
    if not is_pretrained or PROGRAMS[options.source].has_graph:
        import_quietly()
    name = options.source if is_pretrained else recognize(options.source)
    if not PROGRAMS[name].has_graph and options.format != "npz":
        raise DeepMnistError(f"{name} is a NumPy model without a graph", hint="use --format npz")
    file_name = None if format_.suffix is None else f"{name}{format_.suffix}"
    if file_name is not None:
        check_new_path(directory / file_name, "DIR")
        check_new_path(directory / f"{file_name}.json", "DIR")

    with load_model(name, None if is_pretrained else options.source) as classifier:
        for note in classifier.notes:
            print(f"note: export: {printable(note)}", file=sys.stderr)
        model = TrainedModel(name, classifier.config, _finite_weights(classifier))
        name_of_dataset = options.dataset or run_directory.dataset_of_checkpoint(classifier.path)
        dataset = data.load_data_or_synthetic(name_of_dataset, options.data_dir)
        images = data.scale(dataset.test.images[: check.EXAMPLES])
        labels = dataset.test.labels[: check.EXAMPLES]
        expected = classifier.predict_proba(images)

    with publish.temporary_directory(directory) as temporary:
        path = temporary / (file_name or "saved_model")
        format_.write(model, path, data.scale(dataset.validation.images[:CALIBRATION_EXAMPLES]))
        comparison = check.check(
            lambda batches: format_.run(path, model, batches),
            images,
            labels,
            expected,
            format_.tolerance,
        )
        size = _bytes(path)
        record = {
            "model": name,
            "format": options.format,
            "bytes": size,
            "weights": str(classifier.path),
            "weights_sha256": weights_sha256(model.weights),
            **architecture(model.config),
            "checked_in": format_.runtime,
            "dataset": dataset.name,
            "batch_sizes": sorted(check.BATCH_SIZES),
            **comparison._asdict(),
            "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
            "versions": _versions(options.format),
        }
        if options.format == "tflite-int8":
            record["calibrated_on"] = f"{CALIBRATION_EXAMPLES} validation images"
        if file_name is None:
            _write_json(path / VERSION_RECORD, record)
            published = publish.publish_version(path, directory)
        else:
            record_file = temporary / f"{file_name}.json"
            _write_json(record_file, record)
            publish.publish_files([record_file, path], directory)
            published = directory / file_name
    print(f"{published}: {size:,} bytes, from {classifier.path}")
    print(f"{_describe(comparison, format_)}{mark(dataset.name)}")


def _describe(comparison: check.Comparison, format_: Format) -> str:
    count = comparison.test_examples
    return (
        f"checked in {format_.runtime}: {round(comparison.accuracy * count):,} of {count:,} test "
        f"images classified correctly, {round(comparison.session_accuracy * count):,} by the "
        f"model; largest difference of a probability {comparison.largest_difference:.1e}"
    )


def _finite_weights(classifier: Classifier) -> dict[str, Any]:
    weights = classifier.weights()
    if not all(np.isfinite(weight).all() for weight in weights.values()):
        raise DeepMnistError(
            f"{classifier.path} has non-finite weights", hint="export another checkpoint"
        )
    return weights


def _versions(format_name: str) -> dict[str, str]:
    packages = onnx.PACKAGES if format_name == "onnx" else ()
    return environment.versions() | {name: importlib.metadata.version(name) for name in packages}


def _bytes(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)


def _write_json(file: Path, values: dict[str, Any]) -> None:
    file.write_text(json.dumps(values, indent=2, allow_nan=False) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
