"""The run that a task belongs to which was started again by the same command."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from deep_mnist.errors import DeepMnistError
from deep_mnist.training import config as configs
from deep_mnist.training import run_directory


def is_begun(run_dir: str | None) -> bool:
    """Whether --run-dir holds a run already, as it does where the chief is started again."""
    return run_dir is not None and (Path(run_dir) / run_directory.CONFIG).exists()


def check_same(config: Any, directory: Path) -> None:
    """Raises DeepMnistError unless the run in a directory has these settings."""
    begun = configs.read_json(directory / run_directory.CONFIG, type(config))
    # The number of threads is of the machine, and "auto" has become what there is.
    differing = [
        f"{configs.flag(field.name)} {there} instead of {here}"
        for field in dataclasses.fields(config)
        if (there := getattr(begun, field.name)) != (here := getattr(config, field.name))
        and not field.name.endswith("_threads")
        and here != "auto"
    ]
    if differing:
        raise DeepMnistError(
            f"{directory} holds a run with other settings: {', '.join(differing)}; "
            "take the same ones to go on with it, or name a new --run-dir"
        )
