"""The files of a run's directory: its configuration, reports and result."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from deep_mnist.data import DATASETS
from deep_mnist.errors import DeepMnistError, shorten
from deep_mnist.inference import PROGRAMS
from deep_mnist.training import checksummed_json, metrics
from deep_mnist.training.run_directory import CONFIG, PROGRAM, RESULT


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 1


def _is_number(value: Any, maximum: float = sys.float_info.max) -> bool:
    return type(value) in (int, float) and 0 <= value <= maximum


COUNT = "an integer of at least 1", _is_count
# The fields of config.json and result.json that are used, and what each must be.
FIELDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    PROGRAM: (f"one of {', '.join(PROGRAMS)}", list(PROGRAMS).__contains__),
    "dataset": (f"one of {', '.join(DATASETS)}", DATASETS.__contains__),
    "seed": ("an integer", lambda value: type(value) is int),
    "batch_size": COUNT,
    "log_every": COUNT,
    "steps": COUNT,
    "test_accuracy": ("a number from 0 to 1", lambda value: _is_number(value, 1)),
    "test_examples": COUNT,
    "seconds": ("a number of at least 0", _is_number),
}


class Report(NamedTuple):
    """A line of metrics.jsonl: the metrics of the batch of `step`, before training on it."""

    step: int
    accuracy: float  # in [0, 1]
    loss: float  # as the program trains on it: a sum over the batch, or its mean


class Run(NamedTuple):
    """A run of one of inference.PROGRAMS, finished or not."""

    directory: Path
    label: str  # short, and different for every run that is shown
    model: str
    config: dict[str, Any]
    reports: list[Report]
    result: dict[str, Any] | None  # None while it is unfinished
    warning: str = ""  # what is missing from its metrics.jsonl

    @property
    def dataset(self) -> str:
        """The dataset that it was trained on."""
        return str(self.config.get("dataset", "mnist"))

    @property
    def kind(self) -> str:
        """Its model, and its dataset if that is not MNIST: runs of one kind are comparable."""
        return self.model if self.dataset == "mnist" else f"{self.model}-{self.dataset}"

    @property
    def digits(self) -> str:
        """What its examples are called."""
        if self.dataset == "generated":
            return "SYNTHETIC digits"
        return "digits" if self.dataset == "mnist" else f"{self.dataset} images"


def read_all(directories: Iterable[str]) -> list[Run]:
    """Read runs, in the order given.

    Raises:
      DeepMnistError: a directory is not a run's, or its files are damaged.
    """
    runs = [_read(Path(directory)) for directory in dict.fromkeys(directories)]
    labels = _labels(runs)
    return [run._replace(label=label) for run, label in zip(runs, labels, strict=True)]


def by_kind(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """Return the runs of each model and dataset, in the order of the first of each."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.kind, []).append(run)
    return groups


def _read(directory: Path) -> Run:
    config = _read_json(directory / CONFIG)
    if config is None:
        raise DeepMnistError(
            f"{directory} is not a run directory: no {CONFIG}",
            hint="without --run-dir, runs are in saved/runs/MODEL/",
        )
    result = _read_json(directory / RESULT)
    program = set() if result is not None else {PROGRAM}  # pretrained weights lack it there
    _check(directory / CONFIG, config, {"steps", "batch_size"} | program)
    if result is not None:
        _check(directory / RESULT, result, {PROGRAM, "steps", "test_accuracy", "test_examples"})
    model = (result or config)[PROGRAM]
    reports, warning = _read_reports(directory, config, result)
    return Run(directory, directory.name, model, config, reports, result, warning)


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        return checksummed_json.read(path)
    except FileNotFoundError:
        return None


def _check(path: Path, values: dict[str, Any], required: set[str]) -> None:
    for key, (expected, is_valid) in FIELDS.items():
        value = values.get(key)
        if (key in values or key in required) and not is_valid(value):
            raise DeepMnistError(
                f"{path}: expected {key} to be {expected}, found {shorten(repr(value))}"
            )


def _read_reports(
    directory: Path, config: dict[str, Any], result: dict[str, Any] | None
) -> tuple[list[Report], str]:
    """Return the reports by step, and a warning, empty if none is missing."""
    path = directory / metrics.METRICS
    lines, damaged = metrics.read(directory)
    complete = [
        line for line in lines if "loss" in line and 0 <= line.get("training_accuracy", -1) <= 1
    ]
    reports = [Report(line["step"], line["training_accuracy"], line["loss"]) for line in complete]
    damaged += len(lines) - len(complete)
    warning = ""
    if damaged:
        warning = f"skipped {damaged} damaged lines of {path}"
    elif result is not None and not path.exists():
        warning = f"{path} not found: no training curves"
    elif result is not None and _has_gaps(complete, config, result):
        warning = f"{path} lacks reports"
    return sorted(reports), warning


def _has_gaps(lines: list[Any], config: dict[str, Any], result: dict[str, Any]) -> bool:
    """Return whether reports are missing; those of a cluster are irregular."""
    if "cluster" in result or "log_every" not in config:
        return False
    return metrics.has_gaps(lines, result["steps"], config["log_every"])


def _labels(runs: list[Run]) -> list[str]:
    """Return the seed of each run if that distinguishes them, else the directory."""
    seeds = [(run.kind, run.config.get("seed")) for run in runs]
    if len(set(seeds)) == len(runs):
        return [f"seed {seed}" for _, seed in seeds]
    names = [run.directory.name for run in runs]
    return names if len(set(names)) == len(runs) else [str(run.directory) for run in runs]
