"""Save the weights of a NumPy model as model-STEP.npz, with the functions of `saver`."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from deep_mnist.checkpoints import npz_reader
from deep_mnist.checkpoints.saver import not_saved
from deep_mnist.checkpoints.variables import Spec, spec_mismatch
from deep_mnist.data import io
from deep_mnist.data.io import rename_damaged as rename_damaged
from deep_mnist.errors import CheckpointError, ModelMismatchError

Arrays = dict[str, np.ndarray]

BASENAME = "model"
NAME = re.compile(rf"{BASENAME}-(\d+)\.npz")


def step_of(path: Path) -> int:
    """Return the step in the name model-STEP.npz, -1 if it has none."""
    match = NAME.fullmatch(path.name)
    return int(match.group(1)) if match else -1


def newest_first(directory: Path) -> list[Path]:
    """Return the checkpoints that a run saved in its directory."""
    paths = [path for path in directory.glob("*.npz") if step_of(path) >= 0]
    return sorted(paths, key=step_of, reverse=True)


def find(path: str) -> Path:
    """Return the .npz file that a path names.

    Args:
      path: a directory, which stands for the newest model-STEP.npz in it, or a file, also without
        its suffix .npz.

    Raises:
      CheckpointError: there is none.
    """
    location = Path(path)
    if location.is_dir():
        found = newest_first(location)
        if not found:
            raise CheckpointError(f"{path} has no checkpoint: expected {BASENAME}-STEP.npz in it")
        return found[0]
    for file in (location, location.with_name(f"{location.name}.npz")):
        if file.is_file():
            return file
    raise CheckpointError(
        f"{path} is not a checkpoint: expected a directory with {BASENAME}-STEP.npz, or a file"
    )


def save(weights: Arrays, directory: Path, step: int, keep: int) -> None:
    """Save model-STEP.npz, and remove all checkpoints of the run but the newest `keep`.

    Raises:
      CheckpointError: the disk is full or the directory cannot be written to.
    """
    path = directory / f"{BASENAME}-{step}.npz"
    try:
        io.atomic_write(path, lambda file: np.savez(file, **weights))  # type: ignore[arg-type]
    except OSError as error:
        raise not_saved(directory, step, str(error.strerror)) from None
    prune(directory, keep)


def prune(directory: Path, keep: int) -> None:
    """Remove all checkpoints of the run but the newest `keep`."""
    for old in newest_first(directory)[keep:]:
        old.unlink(missing_ok=True)


def read(path: Path, like: Arrays) -> Arrays:
    """Read a checkpoint with the names and shapes of `like`, in float32 or float64.

    Raises:
      DamagedCheckpointError: the file is truncated or altered.
      ModelMismatchError: it is of another model. This is checked before the arrays are read.
      CheckpointError: it cannot be read.
    """
    found = npz_reader.read_specs(path)
    expected = {
        name: Spec(array.shape, found[name].dtype if _is_float(found.get(name)) else "float64")
        for name, array in like.items()
    }
    mismatch = spec_mismatch(expected, found)
    if mismatch is not None:
        raise ModelMismatchError(f"checkpoint {path} {mismatch}", distance=1.0)
    return {name: npz_reader.read(path, name) for name in like}


def _is_float(spec: Spec | None) -> bool:
    return spec is not None and spec.dtype in ("float32", "float64")


def remove_incomplete(directory: Path) -> None:
    """Remove the temporary files of a save that was killed."""
    io.remove_temporary_files(directory, f"{BASENAME}-*.npz")
