"""metrics.jsonl: one line per report, each with a checksum, so that damage costs single lines.

progress.json has the seconds of training up to the newest checkpoint, which may be later than the
last report. It is removed when the run is finished.
"""

from __future__ import annotations

import itertools
import json
import sys
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from deep_mnist.data.io import open_regular_file, rename_damaged
from deep_mnist.errors import DeepMnistError
from deep_mnist.training import checksummed_json, run_directory

METRICS = "metrics.jsonl"
CHECKSUM = "crc32"
MAX_BYTES = 1 << 26  # half a million lines; what follows counts as damaged


class Metrics(NamedTuple):
    """The contents of a file of reports."""

    lines: list[dict[str, Any]]  # finite numbers by name, an integer "step" among them
    damaged: int  # number of damaged lines, without an incomplete last one


def append(directory: Path, values: Mapping[str, Any]) -> None:
    """Append a line.

    Raises:
      DeepMnistError: the disk is full or the directory is not writable.
    """
    path = directory / METRICS
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(_line(values))
    except OSError as error:
        raise DeepMnistError(
            f"cannot write {path} ({error.strerror})",
            hint="free disk space or fix the permissions, then continue with --resume",
        ) from None


def read(directory: Path) -> Metrics:
    """Return the undamaged reports of a run; checksums are optional.

    Raises:
      DeepMnistError: the file cannot be read.
    """
    path = directory / METRICS
    try:
        with open_regular_file(path) as file:
            content = file.read(MAX_BYTES)
            truncated = bool(file.read(1))
    except FileNotFoundError:
        return Metrics([], 0)
    except OSError as error:
        raise DeepMnistError(f"cannot read {path} ({error.strerror})") from None
    *complete, incomplete = content.split(b"\n")
    lines = [_values(line) for line in complete]
    kept = [values for values in (*lines, _values(incomplete)) if values is not None]
    return Metrics(kept, lines.count(None) + truncated)


def write_progress(directory: Path, step: int, seconds: float) -> None:
    """Record the seconds of training up to a checkpoint.

    Raises:
      DeepMnistError: the disk is full or the directory is not writable.
    """
    path = directory / run_directory.PROGRESS
    run_directory.write_json(path, {"step": step, "seconds": round(seconds, 3)})


def has_gaps(lines: Sequence[dict[str, Any]], end: int, every: int) -> bool:
    """Return whether reports before the step `end` are missing, one being due every few steps."""
    steps = [-every, *sorted(values["step"] for values in lines), end]
    return any(after - before > every for before, after in itertools.pairwise(steps))


def rewind(directory: Path, step: int, every: int | None) -> tuple[float, str]:
    """Drop the reports from `step` on, which a resumed run repeats.

    Args:
      directory: the run's.
      step: the first step of the resumed run.
      every: steps between reports; None if they are irregular.

    Returns:
      The seconds of training before `step`, and a warning, empty if nothing is damaged.

    Raises:
      DeepMnistError: the file cannot be read or written.
    """
    path = directory / METRICS
    lines, damaged = read(directory)
    kept = [values for values in lines if values["step"] < step and values.get("seconds", -1) >= 0]
    warning = ""
    if damaged:
        warning = f"skipped {damaged} damaged lines of {path}, kept as {rename_damaged(path)}"
    elif step > 0 and every is not None and has_gaps(kept, step, every):
        warning = f"{path} lacks reports of steps before {step}; the training is not affected"
    if damaged or path.exists():
        run_directory.write_text(path, "".join(map(_line, kept)))
    reported = float(kept[-1]["seconds"]) if kept else 0.0
    return max(reported, _seconds_up_to(directory, step)), warning


def _seconds_up_to(directory: Path, step: int) -> float:
    """Return the seconds in progress.json, 0 if they are unknown or of a later step."""
    try:
        values = checksummed_json.read(directory / run_directory.PROGRESS)
    except (FileNotFoundError, DeepMnistError):
        return 0.0
    known = all(_is_finite(values.get(name)) for name in ("step", "seconds"))
    return float(values["seconds"]) if known and values["step"] <= step else 0.0


def _line(values: Mapping[str, Any]) -> str:
    return json.dumps({**values, CHECKSUM: _checksum(values)}) + "\n"


def _values(line: bytes) -> dict[str, Any] | None:
    """Return the values of a line, None if it is damaged."""
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
