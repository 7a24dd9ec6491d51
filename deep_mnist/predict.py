"""Reads the digits on your own pictures: photos, scans, drawings, screenshots.

    python -m deep_mnist.predict five.png              what it is, and the three likeliest
    python -m deep_mnist.predict photos/ --csv         a folder, as a table
    python -m deep_mnist.predict five.png --show       with the 28x28 that the network sees
    cat five.png | python -m deep_mnist.predict - --json

PNG, JPEG, WebP, BMP, TIFF and GIF; dark on light or light on dark; one digit or several, which are
read line by line from left to right. A picture that can't be read has a line on standard error, the
others are read all the same, and the exit code is 2. What a probability is worth differs by model:
see deep_mnist.inference.
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

from deep_mnist import data, inference
from deep_mnist.cli.exit_codes import exit_code
from deep_mnist.cli.flags import Parser
from deep_mnist.errors import DeepMnistError, ImageError, printable
from deep_mnist.lazy_tensorflow import import_quietly
from deep_mnist.vision import image

SUFFIXES = {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".gif"}
UNREADABLE = {".heic", ".heif", ".avif"}  # a telephone's: told of, not passed over
TOP = 3
MANY = 10  # pictures, for a progress bar
STANDARD_INPUT = "-"
COLUMNS = (
    "file", "model", "digit", "label", "probability", "label_2", "probability_2",
    "label_3", "probability_3", "x", "y", "width", "height", "error",
)  # fmt: skip


class Reading(NamedTuple):
    """What a model makes of the digits on a picture."""

    model: str
    digits: list[image.Digit]
    top: list[list[tuple[int, float]]]  # per digit: the likeliest labels, with probabilities


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return exit_code("predict", lambda: _run(argv))


def _run(argv: Sequence[str] | None) -> int:
    options = _parse(argv)
    image.check_installed()
    if options.save_input is not None:
        _check_unused(Path(options.save_input))
    names = list(inference.PROGRAMS) if options.model == "all" else [options.model]
    write = {"csv": _write_csv(), "json": _write_json}.get(options.format, _write_text)
    shelf: list[inference.Classifier] = []
    failed = False
    try:
        for position, file in enumerate(_with_progress(list(_files(options.pictures))), 1):
            try:
                digits = image.digits(image.read(_source(file)))
            except ImageError as error:
                failed = True
                print(f"predict: {printable(file)}: {error}", file=sys.stderr)
                if options.format != "text":
                    write(file, str(error), [])
                continue
            # Only now: a broken file is told of without a wait for TensorFlow.
            shelf = shelf or _load(names, options.restore)
            write(file, None, [_read(model, digits) for model in shelf])
            if options.show:
                for number, digit in enumerate(digits, 1):
                    if len(digits) > 1:
                        print(f"digit {number} of {len(digits)}:")
                    print(data.ascii_art(_grey(digit)))
            if options.save_input is not None:
                _save(Path(options.save_input), position, file, digits)
    finally:
        for model in shelf:
            model.close()
    return 2 if failed else 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="python -m deep_mnist.predict",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "pictures",
        metavar="PICTURE",
        nargs="+",
        help="a file, a folder, a pattern as in 'scans/*.png', or - for standard input",
    )
    parser.add_argument(
        "--model",
        choices=(*inference.PROGRAMS, "all"),
        default="cnn",
        help="which network reads; all: each of them (default: cnn)",
    )
    parser.add_argument(
        "--restore",
        metavar="CHECKPOINT",
        help="weights of your own for that model: a directory, a prefix or any file of a "
        "checkpoint (default: the shipped ones)",
    )
    output = parser.add_mutually_exclusive_group()
    parser.set_defaults(format="text")
    for name, meaning in (
        ("csv", "a table: a line for each digit"),
        ("json", "an object a line, for each picture"),
    ):
        output.add_argument(
            f"--{name}", dest="format", action="store_const", const=name, help=meaning
        )
    output.add_argument("--show", action="store_true", help="print the 28x28 that the network sees")
    parser.add_argument(
        "--save-input",
        metavar="DIR",
        help="a new folder for the 28x28 that the network sees, white on black, as "
        "POSITION-NAME-DIGIT.png",
    )
    options = parser.parse_args(argv)
    if "" in options.pictures:  # as of "$PICTURE" where the shell has no such variable
        raise DeepMnistError("PICTURE: expected a file or a folder, found an empty word")
    if options.restore is not None and options.model == "all":
        raise DeepMnistError("--restore is of one model: name it by --model")
    return options


def _check_unused(directory: Path) -> None:
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise DeepMnistError(f"--save-input {directory} exists and is not empty: name a new folder")


def _files(places: Iterable[str]) -> Iterator[str]:
    """The files that are meant: of a folder, all pictures in it and in those within, by name."""
    for place in places:
        path = Path(place)
        if place != STANDARD_INPUT and path.is_dir():
            yield from sorted(str(file) for file in path.rglob("*") if _is_picture(file)) or [place]
        elif not path.exists() and glob.has_magic(place):
            # A shell has done this already; that of Windows has not, nor one told not to.
            yield from sorted(glob.glob(place, recursive=True)) or [place]  # noqa: PTH207
        else:
            yield place


def _is_picture(file: Path) -> bool:
    return (
        file.suffix.lower() in SUFFIXES | UNREADABLE
        and not file.name.startswith(".")
        and file.is_file()
    )


def _source(file: str) -> bytes | Path:
    if file == STANDARD_INPUT:
        return sys.stdin.buffer.read(image.MAX_BYTES + 1)
    if Path(file).is_dir():
        kinds = ", ".join(sorted(SUFFIXES))
        raise ImageError(f"expected pictures in this folder ({kinds}), found none")
    if glob.has_magic(file) and not Path(file).exists():
        raise ImageError("expected a pattern that fits some file, found none")
    return Path(file)


def _load(names: Sequence[str], checkpoint: str | None) -> list[inference.Classifier]:
    if any(inference.PROGRAMS[name].has_graph for name in names):
        import_quietly()
    shelf = [inference.load_model(name, checkpoint) for name in names]
    for model in shelf:
        for note in model.notes:
            print(f"predict: {printable(note)}", file=sys.stderr)
    return shelf


def _read(model: inference.Classifier, digits: list[image.Digit]) -> Reading:
    probabilities = model.predict_proba(np.stack([digit.pixels for digit in digits]))
    likeliest = np.argsort(-probabilities, axis=1, kind="stable")[:, :TOP]
    top = [
        [(int(label), float(row[label])) for label in labels]
        for row, labels in zip(probabilities, likeliest, strict=True)
    ]
    return Reading(model.program.name, digits, top)


def _write_text(file: str, error: str | None, readings: list[Reading]) -> None:
    for reading in readings:
        labels = " ".join(str(top[0][0]) for top in reading.top)
        likely = "; ".join(
            ", ".join(f"{label} {100 * share:.1f} %" for label, share in top) for top in reading.top
        )
        model = f"{reading.model:8}" if len(readings) > 1 else ""
        print(f"{printable(file)}: {model}{labels}   ({likely})", flush=True)


def _write_json(file: str, error: str | None, readings: list[Reading]) -> None:
    lines: list[dict[str, Any]] = [{"file": file, "error": error}] if error else []
    for reading in readings:
        model = {"model": reading.model} if len(readings) > 1 else {}
        digits = [
            {
                "label": top[0][0],
                "probability": round(top[0][1], 6),
                "top": [[label, round(share, 6)] for label, share in top],
                "box": list(digit.box),
            }
            for digit, top in zip(reading.digits, reading.top, strict=True)
        ]
        lines.append({"file": file, **model, "digits": digits})
    for line in lines:
        print(json.dumps(line), flush=True)


def _write_csv() -> Callable[[str, str | None, list[Reading]], None]:
    table = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    begun = False

    def write(file: str, error: str | None, readings: list[Reading]) -> None:
        nonlocal begun
        if not begun:
            table.writeheader()
            begun = True
        if error:
            table.writerow({"file": printable(file), "error": error})
        for reading in readings:
            for number, (digit, top) in enumerate(zip(reading.digits, reading.top, strict=True)):
                likely = [value for label, share in top for value in (label, f"{share:.6f}")]
                values = (printable(file), reading.model, number, *likely, *digit.box, "")
                table.writerow(dict(zip(COLUMNS, values, strict=True)))
        sys.stdout.flush()

    return write


def _save(directory: Path, position: int, file: str, digits: list[image.Digit]) -> None:
    """Writes POSITION-NAME-DIGIT.png, so that pictures of one name are told from each other."""
    directory.mkdir(parents=True, exist_ok=True)
    stem = "stdin" if file == STANDARD_INPUT else Path(file).stem
    for number, digit in enumerate(digits, 1):
        image.write_png(directory / f"{position:03d}-{stem}-{number}.png", _grey(digit))


def _grey(digit: image.Digit) -> Any:
    return np.round(255 * digit.pixels).astype(np.uint8)


def _with_progress(files: list[str]) -> Iterable[str]:
    """A bar on the terminal, where the answers go elsewhere."""
    if len(files) < MANY or not sys.stderr.isatty() or sys.stdout.isatty():
        return files
    try:
        from tqdm import tqdm
    except ImportError:  # an installation of NumPy alone
        return files
    bar: Iterable[str] = tqdm(files, unit=" pictures", dynamic_ncols=True)
    return bar


if __name__ == "__main__":
    sys.exit(main())
