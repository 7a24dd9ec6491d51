"""What a run directory says of a run, finished or not, of this version or an older one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

from deep_mnist import inference
from deep_mnist.errors import DeepMnistError
from deep_mnist.training import checksummed_json, metrics
from deep_mnist.training.config import run_fields
from deep_mnist.training.run_directory import CONFIG, PROGRAM, RESTORED_FROM, RESULT


class Report(NamedTuple):
    """A line of metrics.jsonl: how the model did on the batch of `step`, before training on it."""

    step: int
    accuracy: float  # fraction of the batch that is read right
    loss: float  # as the program trains on it: softmax and cnn sum over the batch


class Run(NamedTuple):
    """A run of a program."""

    directory: Path
    label: str  # short, and another for every run that is shown
    model: str  # one of inference.PROGRAMS
    config: dict[str, Any]  # with the fields of the version that wrote it
    reports: list[Report]
    result: dict[str, Any] | None  # None while it is unfinished
    lost: str = ""  # what its metrics.jsonl lacks

    @property
    def dataset(self) -> str:
        return str(self.config.get("dataset", "mnist"))

    @property
    def kind(self) -> str:
        """Its model, and its data set where that is not MNIST: what it may be compared with."""
        return self.model if self.dataset == "mnist" else f"{self.model}-{self.dataset}"

    @property
    def digits(self) -> str:
        """What its examples are called."""
        if self.dataset == "generated":
            return "SYNTHETIC digits"
        return "digits" if self.dataset == "mnist" else f"{self.dataset} pictures"


def read_all(directories: Iterable[str]) -> list[Run]:
    """Reads runs, in the order given.

    Raises:
      DeepMnistError: a directory is not of a run, or its files can't be read.
    """
    runs = [_read(Path(directory)) for directory in dict.fromkeys(directories)]
    labels = _labels(runs)
    return [run._replace(label=label) for run, label in zip(runs, labels, strict=True)]


def by_kind(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """The runs of each model and data set, in the order in which these first come."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.kind, []).append(run)
    return groups


def _read(directory: Path) -> Run:
    if not directory.is_dir():
        raise DeepMnistError(f"{directory}: expected the directory of a run, found none there")
    config = _read_json(directory / CONFIG)
    result = _read_json(directory / RESULT)
    if config is None:
        raise DeepMnistError(
            f"{directory} is not the directory of a run: {CONFIG} is missing; "
            "runs are in saved/runs/MODEL/ unless --run-dir named another place"
        )
    model = config.get(PROGRAM) or _model_of(config) if result is None else result.get("model")
    if model not in inference.PROGRAMS:
        raise DeepMnistError(
            f"{directory / RESULT}: expected a model of {', '.join(inference.PROGRAMS)}, "
            f"found {model!r}"
        )
    if result is not None:
        _check_result(directory / RESULT, result)
    reports, lost = _reports(directory, config, result)
    return Run(directory, directory.name, model, config, reports, result, lost)


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        return checksummed_json.read(path)
    except FileNotFoundError:
        return None


def _check_result(path: Path, result: dict[str, Any]) -> None:
    for key in ("test_accuracy", "test_examples", "steps"):
        value = result.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise DeepMnistError(f"{path}: expected a number as {key}, found {value!r}")


def _model_of(config: dict[str, Any]) -> str | None:
    """The program that has all of these settings, and the fewest others."""
    known = {
        name: {
            field.name
            for field in (
                *fields(program.module.Config),
                *run_fields(name, numpy_only=not program.has_graph),
            )
        }
        for name, program in inference.PROGRAMS.items()
    }
    able = [n for n in inference.PROGRAMS if config.keys() - {PROGRAM, RESTORED_FROM} <= known[n]]
    return min(able, key=lambda name: len(known[name]), default=None)


def _reports(
    directory: Path, config: dict[str, Any], result: dict[str, Any] | None
) -> tuple[list[Report], str]:
    """The reports, and what was lost of them: a cluster's come when they come."""
    if not (directory / metrics.METRICS).exists():
        lost = "is not there: the training itself is not drawn"
        return [], lost if result is not None else ""
    lines, damaged = metrics.read(directory)
    whole = [line for line in lines if line.keys() >= {"training_accuracy", "loss"}]
    reports = [Report(line["step"], line["training_accuracy"], line["loss"]) for line in whole]
    damaged += len(lines) - len(whole)
    every = config.get("log_every")
    lost = f"{damaged} damaged lines are left out" if damaged else ""
    if not lost and result is not None and "cluster" not in result and isinstance(every, int):
        lost = "reports are missing" if metrics.has_gaps(whole, result["steps"], every) else ""
    return sorted(reports), lost


def _labels(runs: list[Run]) -> list[str]:
    """By seed where that tells the runs of a model apart, else by directory."""
    seeds = [(run.kind, run.config.get("seed")) for run in runs]
    if len(set(seeds)) == len(runs):
        return [f"seed {seed}" for _, seed in seeds]
    names = [run.directory.name for run in runs]
    return names if len(set(names)) == len(runs) else [str(run.directory) for run in runs]
