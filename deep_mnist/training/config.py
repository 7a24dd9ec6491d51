"""A program's configuration: a frozen dataclass, its limits, and its JSON beside the checkpoint."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any, TypeVar

from deep_mnist.errors import DeepMnistError
from deep_mnist.training import checksummed_json

ConfigT = TypeVar("ConfigT")

RESTORED_FROM = "restored_from"  # beside the fields: the weights that a run began with

KINDS = {"int": "a whole number", "float": "a number", "str": "a word"}


def option(
    default: Any,
    meaning: str,
    *,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    below: str | None = None,
    choices: Collection[str] | None = None,
    evaluation: bool = False,
    architecture: bool = False,
) -> Any:
    """A dataclass field that becomes a flag: `meaning` names its unit, the rest its limits.

    Args:
      below: another field, whose value it must be less than.
      evaluation: whether it matters where weights are only evaluated.
      architecture: whether weights are of use only with the value that they were trained with.
    """
    limits = {"above": above, "at_least": at_least, "at_most": at_most, "choices": choices}
    metadata = {
        "meaning": meaning,
        "evaluation": evaluation or architecture,
        "architecture": architecture,
        "below": below,
        **limits,
    }
    if callable(default):
        return dataclasses.field(default_factory=default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def threads_option(meaning: str) -> Any:
    """An option for a number of threads; the default is the number of CPUs."""
    return option(available_cpus, meaning, at_least=1, at_most=1024, evaluation=True)


def available_cpus() -> int:
    """The number of CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def flag(name: str) -> str:
    """The flag of a field: learning_rate -> --learning-rate."""
    return "--" + name.replace("_", "-")


def check(config: Any) -> None:
    """Raises DeepMnistError, naming the flag, where a value is of the wrong kind or out of range."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if value is None and field.default is None:
            continue
        expected = expectation(field)
        if not _is_kind(value, kind(field)) or not _is_within(value, field.metadata):
            raise DeepMnistError(f"{flag(field.name)}: expected {expected}, found {value!r}")
        below = field.metadata["below"]
        if below is not None and value >= getattr(config, below):
            raise DeepMnistError(
                f"{flag(field.name)}: expected less than {flag(below)}, which is "
                f"{getattr(config, below)}, found {value}: give both"
            )


def kind(field: dataclasses.Field[Any]) -> str:
    """The name of a field's type, which may be optional: int, float or str."""
    name = field.type if isinstance(field.type, str) else field.type.__name__
    return name.removesuffix(" | None")


def expectation(field: dataclasses.Field[Any]) -> str:
    """What a field accepts, in words: 'a number above 0 up to 1'."""
    limits = field.metadata
    if limits["choices"]:
        return "one of " + ", ".join(limits["choices"])
    words = [
        f"{label} {limits[key]}"
        for key, label in (("above", "above"), ("at_least", "from"), ("at_most", "up to"))
        if limits[key] is not None
    ]
    return " ".join([KINDS[kind(field)], *words])


def _is_kind(value: Any, expected: str) -> bool:
    if isinstance(value, bool):
        return False
    if expected == "float":
        return isinstance(value, int | float) and abs(value) <= sys.float_info.max
    return type(value).__name__ == expected


def _is_within(value: Any, limits: Any) -> bool:
    if limits["choices"] and value not in limits["choices"]:
        return False
    return (
        (limits["above"] is None or value > limits["above"])
        and (limits["at_least"] is None or value >= limits["at_least"])
        and (limits["at_most"] is None or value <= limits["at_most"])
    )


def read_json(path: Path, config_class: type[ConfigT]) -> ConfigT:
    """Reads the config.json of a run: the fields by name.

    Raises:
      DeepMnistError: no such file, not JSON, altered, or fields missing, unknown or out of range.
    """
    try:
        values = checksummed_json.read(path)
    except FileNotFoundError:
        raise DeepMnistError(f"{path} is missing: {path.parent} is not a run directory") from None
    values.pop(RESTORED_FROM, None)
    known = {field.name for field in dataclasses.fields(config_class)}  # type: ignore[arg-type]
    if values.keys() != known:
        missing = ", ".join(sorted(known - values.keys())) or "nothing"
        unexpected = ", ".join(sorted(values.keys() - known)) or "nothing"
        raise DeepMnistError(
            f"{path} is not of a run of this program: {missing} missing, {unexpected} unexpected"
        )
    config = config_class(**values)
    try:
        check(config)
    except DeepMnistError as error:
        raise DeepMnistError(f"{path}: {error}") from None
    return config
