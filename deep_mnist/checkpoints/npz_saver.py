"""Checkpoints of NumPy arrays: model-STEP.npz, written whole or not at all, never unpickled."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from deep_mnist.checkpoints import npz_reader
from deep_mnist.errors import DeepMnistError
from deep_mnist.data.io import atomic_write, rename_damaged

Arrays = dict[str, np.ndarray]

BASENAME = "model"
NAME = re.compile(rf"{BASENAME}-(\d+)\.npz")


def step_of(path: Path) -> int:
    """The step in model-STEP.npz; -1 where the name has none."""
    match = NAME.fullmatch(path.name)
    return int(match.group(1)) if match else -1


def newest_first(directory: Path) -> list[Path]:
    """The checkpoints that a run saved in its directory, by step."""
    paths = [path for path in directory.glob("*.npz") if step_of(path) >= 0]
    return sorted(paths, key=step_of, reverse=True)


def find(path: str) -> Path:
    """The .npz file meant by a directory (the highest step in it), a file, or it without .npz.

    Raises:
      DeepMnistError: there is no checkpoint there.
    """
    place = Path(path)
    if place.is_dir():
        found = newest_first(place)
        if not found:
            raise DeepMnistError(f"{path} holds no checkpoint: expected {BASENAME}-STEP.npz in it")
        return found[0]
    for file in (place, place.with_name(f"{place.name}.npz")):
        if file.is_file():
            return file
    raise DeepMnistError(
        f"{path} is no checkpoint: expected a directory with {BASENAME}-STEP.npz, or such a file"
    )


def save(weights: Arrays, directory: Path, step: int, keep: int) -> None:
    """Writes model-STEP.npz, and prunes.

    Raises:
      DeepMnistError: the disk is full or the directory can't be written to.
    """
    path = directory / f"{BASENAME}-{step}.npz"
    aside = directory / f"{path.name}.tmp"
    try:
        try:
            with aside.open("wb") as file:
                np.savez(file, **weights)  # type: ignore[arg-type]
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise DeepMnistError(
            f"step {step} can't be saved in {directory}: {error.strerror}; "
            "make room, or mend the directory, then go on with --resume"
        ) from None
    prune(directory, keep)


def prune(directory: Path, keep: int) -> None:
    """Removes all checkpoints but the newest `keep`."""
    for old in newest_first(directory)[keep:]:
        old.unlink(missing_ok=True)


def read(path: Path, like: Arrays) -> Arrays:
    """The arrays of a checkpoint, which must have the names and shapes of `like`, as floats.

    Their headers are compared before anything of their size is read.

    Raises:
      DamagedCheckpointError: the file is cut short or altered.
      DeepMnistError: it can't be opened, or is of another model.
    """
    found = npz_reader.read_specs(path)
    if found.keys() != like.keys():
        raise DeepMnistError(
            f"checkpoint {path} is of another model: expected the arrays "
            f"{', '.join(sorted(like))}, found {', '.join(sorted(found)) or 'none'}"
        )
    for name, spec in found.items():
        if spec.shape != like[name].shape or spec.dtype not in ("float32", "float64"):
            raise DeepMnistError(
                f"checkpoint {path} is of another model: {name} is {spec.dtype}{list(spec.shape)} "
                f"instead of {like[name].dtype}{list(like[name].shape)}"
            )
    return {name: npz_reader.read(path, name) for name in like}


def set_aside(path: Path) -> None:
    """Renames a damaged checkpoint to *.damaged, so that its name is free again."""
    rename_damaged(path)


def remove_leftovers(directory: Path) -> None:
    """Removes what a killed save leaves."""
    for path in directory.glob(f"{BASENAME}-*.npz.tmp"):
        path.unlink(missing_ok=True)
