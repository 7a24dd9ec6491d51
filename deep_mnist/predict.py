"""Classify the digits on your own images: photos, scans, drawings, screenshots.

    python -m deep_mnist.predict five.png              labels, and the three most probable classes
    python -m deep_mnist.predict photos/ --csv         all images of a directory, as a table
    python -m deep_mnist.predict five.png --show       also print the image that the model gets
    cat five.png | python -m deep_mnist.predict - --json

Images are PNG, JPEG, WebP, BMP, TIFF or GIF files, dark on light or light on dark, with one digit
or several, which are classified line by line from left to right. If an image cannot be read, an
error is printed, the other images are classified, and the exit code is 2.
"""

from __future__ import annotations

import argparse
import csv
import glob
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from deep_mnist import inference
from deep_mnist.cli import Parser, exit_code
from deep_mnist.cli.exit_codes import print_error
from deep_mnist.cli.flags import HelpFormatter
from deep_mnist.data.io import check_new_path
from deep_mnist.errors import DeepMnistError, ImageError, printable
from deep_mnist.lazy_tensorflow import import_quietly
from deep_mnist.training import run_directory, show
from deep_mnist.vision import image

SUFFIXES = {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".gif"}
UNSUPPORTED = {".heic", ".heif", ".avif"}  # common on phones: an error, not ignored
# Of the CNN. Below it are 0.6% of MNIST's test digits, and two thirds of those that it
# misclassifies.
MIN_CONFIDENCE = 0.9
# Of a CNN trained with label smoothing (--recipe fast), which lowers probabilities. Below it are
# 2% of MNIST's test digits, and three quarters of those that it misclassifies.
MIN_CONFIDENCE_SMOOTHED = 0.6
TOP = 3  # classes that are printed for each digit
PROGRESS_BAR_FROM = 10  # images
STANDARD_INPUT = "-"
COLUMNS = (
    "file", "model", "digit", "label", "probability", "label_2", "probability_2",
    "label_3", "probability_3", "x", "y", "width", "height", "error",
)  # fmt: skip


class Prediction(NamedTuple):
    """What one model predicts for the digits of an image."""

    model: str
    digits: list[image.Digit]
    probabilities: npt.NDArray[np.float64]  # [digits, 10], rows sum to 1
    min_confidence: float

    def labels(self) -> list[int | None]:
        """Return the predicted label of each digit, None where the confidence is too low."""
        return [
            int(row.argmax()) if row.max() >= self.min_confidence else None
            for row in self.probabilities
        ]

    def top_classes(self) -> list[list[tuple[int, float]]]:
        """Return the most probable classes of each digit, as (label, probability)."""
        order = np.argsort(-self.probabilities, axis=1, kind="stable")[:, :TOP]
        return [
            [(int(label), float(row[label])) for label in labels]
            for row, labels in zip(self.probabilities, order, strict=True)
        ]


# Writes the predictions for a file, or the error if it cannot be read.
Writer = Callable[[str, str | None, list[Prediction]], None]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return exit_code("predict", lambda: _run(argv))


def _run(argv: Sequence[str] | None) -> int:
    options = _parse(argv)
    image.check_installed()
    if options.save_input is not None:
        check_new_path(Path(options.save_input), "--save-input", directory=True)
    write = _writer(options)
    classifiers: list[inference.Classifier] = []
    failed = False
    try:
        for number, file in enumerate(_with_progress(list(_find_files(options.images))), 1):
            try:
                digits = image.digits(image.read(_source(file)))
            except ImageError as error:
                failed = True
                print_error("predict", ImageError(f"{file}: {error.message}", hint=error.hint))
                write(file, error.message, [])
                continue
            # Loaded after the first readable image: errors do not wait for TensorFlow.
            classifiers = classifiers or _load_classifiers(_models(options), options.restore)
            write(
                file,
                None,
                [
                    _predict(classifier, digits, options.min_confidence)
                    for classifier in classifiers
                ],
            )
            if options.save_input is not None:
                _save_digits(Path(options.save_input), number, file, digits)
    finally:
        for classifier in classifiers:
            classifier.close()
    return 2 if failed else 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="python -m deep_mnist.predict",
        description=__doc__,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "images",
        metavar="IMAGE",
        nargs="+",
        help="image file, directory, pattern such as 'scans/*.png', or - for standard input",
    )
    parser.add_argument(
        "--model",
        choices=(*inference.PROGRAMS, "all"),
        help="model to predict with, or all four (default: cnn, or that of the checkpoint)",
    )
    parser.add_argument(
        "--restore",
        metavar="CHECKPOINT",
        help="checkpoint of the model: a directory, a prefix or any of its files "
        "(default: the pretrained weights)",
    )
    parser.add_argument(
        "--min-confidence",
        type=_confidence,
        metavar="P",
        help='confidence from 0 to 1 below which "not sure" is printed instead of a label '
        f"(default: {MIN_CONFIDENCE} for cnn, {MIN_CONFIDENCE_SMOOTHED} if it was trained with "
        "label smoothing; 0 for the other models)",
    )
    output = parser.add_mutually_exclusive_group()
    parser.set_defaults(format="text")
    for name, text in (
        ("csv", "print a table, one row for each digit"),
        ("json", "print JSON, one line for each image"),
        ("show", "also print the 28x28 image that the model gets, and all ten probabilities"),
    ):
        output.add_argument(f"--{name}", dest="format", action="store_const", const=name, help=text)
    parser.add_argument(
        "--save-input",
        metavar="DIR",
        help="new directory for the 28x28 images that the model gets, as NUMBER-NAME-DIGIT.png",
    )
    options = parser.parse_args(argv)
    if "" in options.images:  # as in "$IMAGE" where the variable is not set
        raise DeepMnistError("IMAGE: expected a file or a directory, found an empty argument")
    if options.restore is not None and options.model == "all":
        raise DeepMnistError(
            "--restore needs one model, found --model all",
            hint="choose the checkpoint's model with --model NAME",
        )
    return options


def _confidence(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, found {text}")
    return value


def _find_files(arguments: Iterable[str]) -> Iterator[str]:
    """Yield the files that the arguments name; directories are searched recursively.

    An argument that matches no file is yielded as it is; `_source` reports it.
    """
    for argument in arguments:
        path = Path(argument)
        if argument != STANDARD_INPUT and path.is_dir():
            files = sorted(str(file) for file in path.rglob("*") if _is_image(file))
            yield from files or [argument]
        elif not path.exists() and glob.has_magic(argument):
            # Most shells expand patterns themselves; that of Windows does not.
            yield from sorted(glob.glob(argument, recursive=True)) or [argument]  # noqa: PTH207
        else:
            yield argument


def _is_image(file: Path) -> bool:
    return (
        file.suffix.lower() in SUFFIXES | UNSUPPORTED
        and not file.name.startswith(".")
        and file.is_file()
    )


def _source(file: str) -> bytes | Path:
    if file == STANDARD_INPUT:
        return sys.stdin.buffer.read(image.MAX_BYTES + 1)
    if Path(file).is_dir():
        raise ImageError(f"no images in this directory ({', '.join(sorted(SUFFIXES))})")
    if glob.has_magic(file) and not Path(file).exists():
        raise ImageError("no file matches this pattern")
    return Path(file)


def _models(options: argparse.Namespace) -> list[str]:
    """Return the names of the models to predict with."""
    if options.model == "all":
        return list(inference.PROGRAMS)
    if options.model is None and options.restore is not None:
        import_quietly()
        return [inference.recognize(options.restore)]
    return [options.model or "cnn"]


def _load_classifiers(names: Sequence[str], checkpoint: str | None) -> list[inference.Classifier]:
    if any(inference.PROGRAMS[name].has_graph for name in names):
        import_quietly()
    classifiers = [inference.load_model(name, checkpoint) for name in names]
    for classifier in classifiers:
        for note in classifier.notes:
            print(f"note: predict: {printable(note)}", file=sys.stderr)
    return classifiers


def _predict(
    classifier: inference.Classifier, digits: list[image.Digit], min_confidence: float | None
) -> Prediction:
    images = np.stack([digit.pixels for digit in digits])  # [digits, 784] in [0, 1]
    if min_confidence is None:
        min_confidence = _default_min_confidence(classifier)
    probabilities = classifier.predict_proba(images)
    return Prediction(classifier.program.name, digits, probabilities, min_confidence)


def _default_min_confidence(classifier: inference.Classifier) -> float:
    if classifier.program.name != "cnn":
        return 0.0
    settings = run_directory.settings_of_checkpoint(classifier.path)
    return MIN_CONFIDENCE_SMOOTHED if settings.get("label_smoothing") else MIN_CONFIDENCE


def _writer(options: argparse.Namespace) -> Writer:
    writers: dict[str, Writer] = {
        "text": _write_text,
        "show": _write_text_and_images,
        "json": _write_json,
        "csv": _csv_writer(),
    }
    return writers[options.format]


def _write_text(file: str, error: str | None, predictions: list[Prediction]) -> None:
    for prediction in predictions:
        print(_line(file, prediction, with_model=len(predictions) > 1), flush=True)


def _write_text_and_images(file: str, error: str | None, predictions: list[Prediction]) -> None:
    for prediction in predictions:
        print(_line(file, prediction, with_model=len(predictions) > 1))
        count = len(prediction.digits)
        labels = prediction.labels()
        for number, digit in enumerate(prediction.digits, 1):
            if count > 1:
                print(f"digit {number} of {count}:")
            probabilities = prediction.probabilities[number - 1]
            is_sure = labels[number - 1] is not None
            text = show.prediction_text(_as_uint8(digit), probabilities, is_sure=is_sure)
            print(text, flush=True)


def _line(file: str, prediction: Prediction, *, with_model: bool) -> str:
    top = prediction.top_classes()
    labels = " ".join("not sure" if label is None else str(label) for label in prediction.labels())
    probabilities = "; ".join(
        ", ".join(f"{label} {probability:.1%}" for label, probability in classes) for classes in top
    )
    model = f"{prediction.model:8}" if with_model else ""
    return f"{printable(file)}: {model}{labels}   ({probabilities})"


def _write_json(file: str, error: str | None, predictions: list[Prediction]) -> None:
    lines: list[dict[str, Any]] = [{"file": file, "error": error}] if error else []
    for prediction in predictions:
        model = {"model": prediction.model} if len(predictions) > 1 else {}
        digits = [
            {
                "label": label,
                "probability": round(top[0][1], 6),
                "top": [[label, round(probability, 6)] for label, probability in top],
                "box": list(digit.box),
            }
            for digit, label, top in zip(
                prediction.digits, prediction.labels(), prediction.top_classes(), strict=True
            )
        ]
        lines.append({"file": file, **model, "digits": digits})
    for line in lines:
        print(json.dumps(line), flush=True)


def _csv_writer() -> Writer:
    table = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    has_header = False

    def write(file: str, error: str | None, predictions: list[Prediction]) -> None:
        nonlocal has_header
        if not has_header:
            table.writeheader()
            has_header = True
        if error:
            table.writerow({"file": printable(file), "error": error})
        for prediction in predictions:
            rows = zip(
                prediction.digits, prediction.labels(), prediction.top_classes(), strict=True
            )
            for number, (digit, label, top) in enumerate(rows):
                others = [value for other, p in top[1:] for value in (other, f"{p:.6f}")]
                classes = (label, f"{top[0][1]:.6f}", *others)  # an empty field for None
                values = (printable(file), prediction.model, number, *classes, *digit.box, "")
                table.writerow(dict(zip(COLUMNS, values, strict=True)))
        sys.stdout.flush()

    return write


def _save_digits(directory: Path, number: int, file: str, digits: list[image.Digit]) -> None:
    """Write NUMBER-NAME-DIGIT.png; the number distinguishes images of the same name."""
    directory.mkdir(parents=True, exist_ok=True)
    stem = "stdin" if file == STANDARD_INPUT else Path(file).stem
    for digit_number, digit in enumerate(digits, 1):
        path = directory / f"{number:03d}-{stem}-{digit_number}.png"
        image.write_png(path, _as_uint8(digit))


def _as_uint8(digit: image.Digit) -> npt.NDArray[np.uint8]:
    return np.round(255 * digit.pixels).astype(np.uint8)  # [784]


def _with_progress(files: list[str]) -> Iterable[str]:
    """Show a progress bar on the terminal if the predictions are printed elsewhere."""
    if len(files) < PROGRESS_BAR_FROM or not sys.stderr.isatty() or sys.stdout.isatty():
        return files
    from tqdm import tqdm

    bar: Iterable[str] = tqdm(files, unit=" images", dynamic_ncols=True)
    return bar


if __name__ == "__main__":
    sys.exit(main())
