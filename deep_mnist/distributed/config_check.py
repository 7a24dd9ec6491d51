"""Compare the configuration of a task with the chief's, and with that of an existing run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deep_mnist.distributed.task import Task
from deep_mnist.errors import DeepMnistError
from deep_mnist.training import run_directory
from deep_mnist.training.config import THREADS, RunConfig, flag, settings_of

# Settings that may differ between tasks: used by the chief alone, or properties of the machine.
PER_TASK_SETTINGS = {"seed", "precision", "log_every", "save_every", "keep", *THREADS}


def shared_settings(task: Task, config: Any, run_config: RunConfig) -> dict[str, Any]:
    """Return what all tasks of a run must agree on: program, mode and settings."""
    settings = settings_of(task.program, config, run_config)
    shared = {name: value for name, value in settings.items() if name not in PER_TASK_SETTINGS}
    return {"program": task.program, "mode": task.mode, **shared}


def check_task(name: str, own: dict[str, Any], chiefs: dict[str, Any]) -> None:
    """Raise DeepMnistError where the shared settings of the task `name` differ from the chief's."""
    differing = [key for key in {**own, **chiefs} if own.get(key) != chiefs.get(key)]
    if "program" in differing:
        differing = ["program"]  # whose settings differ as well
    if differing:
        labels = [key if key in ("program", "mode") else flag(key) for key in differing]
        values = [f"{own.get(key)} instead of {chiefs.get(key)}" for key in differing]
        found = ", ".join(f"{label} {value}" for label, value in zip(labels, values, strict=True))
        raise DeepMnistError(
            f"{name} differs from the chief: {found}",
            hint="start all tasks with the same program, flags and cluster, on the same dataset",
        )


def check_run(task: Task, config: Any, run_config: RunConfig, directory: Path) -> None:
    """Raise DeepMnistError where the run in a directory has other settings than this command."""
    path = directory / run_directory.CONFIG
    saved = settings_of(task.program, *run_directory.read_config(path, task.program, type(config)))
    given = settings_of(task.program, config, run_config)
    if given["dataset"] == "auto":
        given["dataset"] = saved["dataset"]  # the one that "auto" was, when the run started
    differing = [
        f"{flag(name)} {saved[name]} instead of {value}"
        for name, value in given.items()
        if saved[name] != value and name not in THREADS
    ]
    if differing:
        raise DeepMnistError(
            f"{directory} has a run with other settings: {', '.join(differing)}",
            hint="continue it with the same settings, or name a new --run-dir",
        )
