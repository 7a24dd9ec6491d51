"""metrics.jsonl: a line per report, each with a checksum, so that damage costs its lines alone.

What is damaged never stops a run that is resumed; it is told of, and the file kept as it was.
"""

from __future__ import annotations

import itertools
import json
import sys
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from deep_mnist.data.io import open_regular_file
from deep_mnist.errors import DeepMnistError
from deep_mnist.training import run_directory

METRICS = "metrics.jsonl"
CHECKSUM = "crc32"
MAX_BYTES = 1 << 26  # half a million lines; what is beyond counts as damaged


class Metrics(NamedTuple):
    """What a file of reports holds."""

    lines: list[dict[str, Any]]  # finite numbers by name, a whole "step" among them
    damaged: int  # how many other lines; the last one of a killed run, if torn, is none of them


def append(directory: Path, values: Mapping[str, Any]) -> None:
    """Adds a line.

    Raises:
      DeepMnistError: the disk is full or the directory can't be written to.
    """
    path = directory / METRICS
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(_line(values))
    except OSError as error:
        raise DeepMnistError(
            f"{path} can't be written: {error.strerror}; make room, or mend the directory, then "
            "go on with --resume"
        ) from None


def read(directory: Path) -> Metrics:
    """The reports of a run, as far as they are whole; those of an older version have no checksum.

    Raises:
      DeepMnistError: the file is there and can't be read.
    """
    path = directory / METRICS
    try:
        with open_regular_file(path) as file:
            content = file.read(MAX_BYTES)
            beyond = bool(file.read(1))
    except FileNotFoundError:
        return Metrics([], 0)
    except OSError as error:
        raise DeepMnistError(f"{path} can't be read: {error.strerror}") from None
    *whole, torn = content.split(b"\n")
    lines = [_values(line) for line in whole]
    kept = [values for values in (*lines, _values(torn)) if values is not None]
    return Metrics(kept, lines.count(None) + beyond)


def lacks(lines: Sequence[dict[str, Any]], end: int, every: int) -> bool:
    """Whether reports before the step `end`, of which one is due every so many steps, are missing.

    A file that is cut at the end of a line has no damaged one.
    """
    steps = [-every, *sorted(values["step"] for values in lines), end]
    return any(after - before > every for before, after in itertools.pairwise(steps))


def rewind(directory: Path, step: int, every: int | None) -> tuple[float, str]:
    """Drops the lines from `step` on, which a resumed run will report again.

    `every` is the most steps that a run lets pass between two reports; None if it has no such.
    Returns the seconds of training that the kept lines account for, and what was lost, if any.

    Raises:
      DeepMnistError: the file is there and can't be read, or not be written.
    """
    path = directory / METRICS
    lines, damaged = read(directory)
    kept = [values for values in lines if values["step"] < step and values.get("seconds", -1) >= 0]
    lost = ""
    if damaged:
        aside = run_directory.set_aside(path)
        lost = f"passed over: {damaged} damaged lines of {path}, which is kept as {aside}"
    elif step > 0 and every is not None and lacks(kept, step, every):
        lost = f"{path} lacks reports of steps before {step}: they are lost, the training is not"
    if damaged or path.exists():
        run_directory.write(path, "".join(map(_line, kept)))
    return (float(kept[-1]["seconds"]) if kept else 0.0), lost


def _line(values: Mapping[str, Any]) -> str:
    return json.dumps({**values, CHECKSUM: _checksum(values)}) + "\n"


def _values(line: bytes) -> dict[str, Any] | None:
    try:
        values = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict):
        return None
    checksum = values.pop(CHECKSUM, None)
    if type(values.get("step")) is not int or not all(map(_is_finite, values.values())):
        return None
    return values if checksum in (None, _checksum(values)) else None


def _is_finite(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= sys.float_info.max


def _checksum(values: Mapping[str, Any]) -> str:
    return f"{zlib.crc32(json.dumps(values, sort_keys=True).encode()):08x}"
