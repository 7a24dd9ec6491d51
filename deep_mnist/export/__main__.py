"""Trained weights for other runtimes: TensorFlow Serving, TensorFlow Lite, onnxruntime, NumPy.

    python -m deep_mnist.export cnn exports                          SavedModel: exports/1/
    python -m deep_mnist.export old/model.ckpt exports --format onnx
    python -m deep_mnist.export cnn exports --format tflite-int8     exports/cnn-int8.tflite

From images [N, 784] in [0, 1] to scores [N, 10], the probabilities, and classes [N]; for any N, and
with nothing of the training left. Before an export is announced it is loaded in its own runtime and
reads 1,000 test digits; what it answers there is written beside it, as JSON. One that answers
anything else than the weights is not kept. Nothing existing is overwritten.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deep_mnist import data
from deep_mnist.checkpoints import reader
from deep_mnist.cli.exit_codes import exit_code
from deep_mnist.cli.flags import Parser
from deep_mnist.errors import DeepMnistError, ExportError, Interrupted, printable
from deep_mnist.export import check, onnx, publish
from deep_mnist.export.formats import FORMATS
from deep_mnist.export.model import Trained
from deep_mnist.inference import PROGRAMS, Classifier, architecture, load_model, recognize
from deep_mnist.lazy_tensorflow import import_quietly
from deep_mnist.training import environment, run_directory
from deep_mnist.training.evaluation import weights_sha256
from deep_mnist.training.progress import mark

CALIBRATION_EXAMPLES = 200
VERSION_RECORD = "export.json"  # in a version's folder; elsewhere FILE.json beside FILE


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return exit_code("export", lambda: _run(argv))


def _run(argv: Sequence[str] | None) -> int:
    options = _parse(argv)
    try:
        _export(options)
    except ExportError as error:
        print(f"export: {options.format} is not kept: {printable(str(error))}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, Interrupted) as error:
        number = error.signal_number if isinstance(error, Interrupted) else signal.SIGINT
        raise Interrupted(number, "stopped; nothing was exported") from None
    return 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="python -m deep_mnist.export",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "source",
        metavar="CHECKPOINT_OR_MODEL",
        help=f"{', '.join(PROGRAMS)}: the weights that ship; or what --restore takes, also of "
        "TensorFlow 1 (which model it is, its shapes tell); ./cnn for a folder of such a name",
    )
    parser.add_argument("directory", metavar="DIR", help="the folder for exports, new or not")
    parser.add_argument(
        "--format", choices=FORMATS, default="saved-model", help="(default: saved-model)"
    )
    parser.add_argument(
        "--dataset",
        choices=("auto", *data.DATASETS),
        help="of the digits that it is checked on, and int8 calibrated (default: the set that the "
        "weights were trained on, where that is known, else auto: MNIST or generated)",
    )
    parser.add_argument("--data-dir", metavar="DIR", help="the only place to look for the data")
    options = parser.parse_args(argv)
    if not options.source or not options.directory:
        raise DeepMnistError("expected CHECKPOINT_OR_MODEL and DIR, found an empty word")
    return options


def _export(options: argparse.Namespace) -> None:
    format_, directory = FORMATS[options.format], Path(options.directory)
    if options.format == "saved-model":
        reader.check_path(str(directory))
    if options.format == "onnx":
        onnx.check_installed()
    if options.source not in PROGRAMS or PROGRAMS[options.source].has_graph:
        import_quietly()
    ships = options.source in PROGRAMS
    name = options.source if ships else recognize(options.source)
    if not PROGRAMS[name].has_graph and options.format != "npz":
        raise DeepMnistError(f"{name} is a NumPy model without a graph", hint="use --format npz")
    file_name = None if format_.suffix is None else f"{name}{format_.suffix}"
    if file_name is not None:
        publish.check_free(directory / file_name)
        publish.check_free(directory / f"{file_name}.json")

    with load_model(name, None if ships else options.source) as classifier:
        trained = Trained(name, classifier.config, _weights(classifier))
        for note in classifier.notes:
            print(f"export: {printable(note)}", file=sys.stderr)
        digits = data.load_data_or_synthetic(_dataset(options, classifier.path), options.data_dir)
        images = data.scale(digits.test.images[: check.EXAMPLES])
        labels = digits.test.labels[: check.EXAMPLES]
        expected = classifier.predict_proba(images)

    with publish.aside(directory) as scratch:
        made = scratch / (file_name or "saved_model")
        format_.write(trained, made, data.scale(digits.validation.images[:CALIBRATION_EXAMPLES]))
        figures = check.check(
            format_.opened(made, trained), images, labels, expected, format_.limits
        )
        size = _bytes(made)
        record = {
            "model": name,
            "format": options.format,
            "bytes": size,
            "weights": str(classifier.path),
            "weights_sha256": weights_sha256(trained.weights),
            **architecture(trained.config),
            "checked_in": format_.runtime,
            "dataset": digits.name,
            "batch_sizes": sorted(check.BATCHES),
            **figures._asdict(),
            "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
            "versions": _versions(options.format),
        }
        if options.format == "tflite-int8":
            record["calibrated_on"] = f"{CALIBRATION_EXAMPLES} validation digits"
        if file_name is None:
            _write_json(made / VERSION_RECORD, record)
            published = publish.publish_version(made, directory)
        else:
            beside = made.with_name(f"{file_name}.json")
            _write_json(beside, record)
            publish.publish_files([beside, made], directory)
            published = directory / file_name
    print(f"{published}: {size:,} bytes, from {classifier.path}")
    right, ours = (
        round(accuracy * figures.test_examples)
        for accuracy in (figures.accuracy, figures.session_accuracy)
    )
    print(
        f"{figures.test_examples} test digits: {right} read right in {format_.runtime}, {ours} in "
        f"our session; largest difference {figures.largest_difference:.1e}{mark(digits.name)}"
    )


def _weights(classifier: Classifier) -> dict[str, Any]:
    values = classifier.weights()
    if not all(np.isfinite(value).all() for value in values.values()):
        raise DeepMnistError(
            f"{classifier.path} holds weights that are no finite numbers: its training failed, "
            "take another checkpoint"
        )
    return values


def _dataset(options: argparse.Namespace, checkpoint: Path) -> str:
    """The data set to check on. MNIST may be stood in for by generated digits, others not."""
    trained_on = run_directory.settings_of_checkpoint(checkpoint).get("dataset")
    known = trained_on in data.DATASETS and trained_on != "mnist"
    return str(options.dataset or (trained_on if known else "auto"))


def _versions(format_name: str) -> dict[str, str]:
    packages = onnx.PACKAGES if format_name == "onnx" else ()
    return environment.versions() | {name: importlib.metadata.version(name) for name in packages}


def _bytes(made: Path) -> int:
    files = [made] if made.is_file() else [path for path in made.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files)


def _write_json(file: Path, values: dict[str, Any]) -> None:
    file.write_text(json.dumps(values, indent=2, allow_nan=False) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
