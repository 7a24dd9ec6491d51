"""What all tasks of a run must agree on."""

from __future__ import annotations

import dataclasses
from typing import Any

from deep_mnist.distributed.task import Task
from deep_mnist.errors import DeepMnistError
from deep_mnist.training import config as configs

# A task may have its own seed, and what the chief alone acts on, or the machine decides.
OWN = {"seed", "precision", "log_every", "save_every", "keep"}
OWN |= {"intra_op_threads", "inter_op_threads"}


def of(config: Any, dataset: str, task: Task) -> dict[str, Any]:
    """A task's program and settings, the data set that it found, and how it takes part."""
    settings = dataclasses.asdict(config)
    kept = {name: value for name, value in settings.items() if name not in OWN}
    return {**kept, "program": task.program, "dataset": dataset, "manner": task.manner}


def check(name: str, own: dict[str, Any], chiefs: dict[str, Any]) -> None:
    """Raises DeepMnistError where the terms of the task `name` are not the chief's."""
    if own["program"] != chiefs["program"]:
        raise DeepMnistError(
            f"{name} runs {own['program']}, and the chief {chiefs['program']}: "
            "give all tasks the same command"
        )
    if own["dataset"] != chiefs["dataset"]:
        raise DeepMnistError(
            f"{name} found {own['dataset']}, and the chief trains on {chiefs['dataset']}: "
            "put the same files where both look, or say which by --dataset"
        )
    if own["manner"] != chiefs["manner"]:
        raise DeepMnistError(
            f"{name} would train {own['manner']}, the chief trains {chiefs['manner']}: "
            "give all tasks the same flags and the same cluster"
        )
    differing = [
        f"{configs.flag(key)} {own.get(key)} instead of {chiefs.get(key)}"
        for key in {**own, **chiefs}
        if own.get(key) != chiefs.get(key)
    ]
    if differing:
        raise DeepMnistError(
            f"{name} has other settings than the chief: {', '.join(differing)}: "
            "give all tasks the same flags"
        )
