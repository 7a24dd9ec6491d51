"""Save a session's variables so that a crash leaves no damaged checkpoint, and verify them.

A checkpoint is a pair of files, PREFIX.index and PREFIX.data-00000-of-00001, with a new prefix
model.ckpt-STEP each time. Both are on the disk before the `checkpoint` state file names them.
TensorFlow's Saver restores without comparing shapes and dtypes, and expands wildcards in paths:
`read` compares them, verifies every checksum, and takes a path as it is.

Runs call this module and npz_saver, which is the same for NumPy arrays, by the functions that both
have: newest_first, step_of, prune, rename_damaged and remove_incomplete.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from deep_mnist.checkpoints import reader
from deep_mnist.checkpoints.paths import PART, STATE_FILE, data_file, index_file
from deep_mnist.checkpoints.paths import step_of as step_of
from deep_mnist.checkpoints.variables import Spec, spec_mismatch
from deep_mnist.data import io
from deep_mnist.errors import CheckpointError, ModelMismatchError
from deep_mnist.lazy_tensorflow import tf

BASENAME = "model.ckpt"


def newest_first(directory: Path) -> list[Path]:
    """Return the prefixes of the checkpoints that a run saved in its directory."""
    prefixes = [path.with_suffix("") for path in directory.glob(f"{BASENAME}-*.index")]
    return sorted((p for p in prefixes if step_of(p) >= 0), key=step_of, reverse=True)


def read(prefix: Path, expected: dict[str, Spec]) -> dict[str, Any]:
    """Return the values of all variables of a checkpoint, by name.

    Args:
      prefix: the checkpoint.
      expected: shapes and dtypes of its variables by name.

    Raises:
      DamagedCheckpointError: a file is missing or a checksum differs.
      ModelMismatchError: variables are missing, unexpected, or of another shape or dtype.
      CheckpointError: a file cannot be read.
    """
    checkpoint = reader.open_checkpoint(prefix)
    values = {name: checkpoint.read(name) for name in checkpoint.specs}
    mismatch = spec_mismatch(expected, checkpoint.specs)
    if mismatch is not None:
        raise ModelMismatchError(f"checkpoint {prefix} {mismatch}", distance=1.0)
    return values


def save(saver: Any, sess: Any, directory: Path, step: int, keep: int) -> None:
    """Save model.ckpt-STEP, and remove all checkpoints of the run but the newest `keep`.

    Args:
      saver: a tf.train.Saver.
      sess: the tf.Session.
      directory: the run directory.
      step: the global step, for the name.
      keep: number of checkpoints to keep.

    Raises:
      CheckpointError: the disk is full or the directory cannot be written to.
    """
    prefix = directory / f"{BASENAME}-{step}"
    try:
        saver.save(sess, str(prefix), write_meta_graph=False, write_state=False)
        for path in (data_file(prefix), index_file(prefix), directory):
            _sync(path)
    except (tf.errors.UnavailableError, tf.errors.AbortedError):
        remove_incomplete(directory)
        raise  # a process that has variables was lost, which is not an error of the disk
    except (tf.errors.OpError, OSError, ValueError) as error:
        remove_incomplete(directory)
        raise not_saved(directory, step, reader.short_message(error)) from None
    prune(directory, keep)


def not_saved(directory: Path, step: int, reason: str) -> CheckpointError:
    """Return the error for a checkpoint that could not be written."""
    return CheckpointError(
        f"cannot save step {step} in {directory}: {reason}",
        hint="free disk space or fix the directory, then continue with --resume",
    )


def prune(directory: Path, keep: int) -> None:
    """Name the newest `keep` checkpoints of the run in the state file, and remove the others."""
    prefixes = newest_first(directory)
    _write_state_file(directory, prefixes[:keep])
    for old in prefixes[keep:]:
        # Without its index it is not a checkpoint: a crash in between leaves no damaged one.
        index_file(old).unlink(missing_ok=True)
        data_file(old).unlink(missing_ok=True)


def rename_damaged(prefix: Path) -> None:
    """Rename the files of a damaged checkpoint to *.damaged."""
    for path in (index_file(prefix), data_file(prefix)):
        if path.exists():
            io.rename_damaged(path)


def remove_incomplete(directory: Path) -> None:
    """Remove the files of a save that was killed: temporary files, and data without an index."""
    incomplete = list(directory.glob(f"{BASENAME}-*.tempstate*"))
    incomplete += [
        path
        for path in directory.glob(f"{BASENAME}-*.data-*")
        if PART.search(path.name) and not index_file(path.with_suffix("")).exists()
    ]
    for path in incomplete:
        path.unlink(missing_ok=True)


def _write_state_file(directory: Path, newest: list[Path]) -> None:
    if not newest:
        return
    lines = [f'model_checkpoint_path: "{newest[0].name}"']
    lines += [f'all_model_checkpoint_paths: "{prefix.name}"' for prefix in reversed(newest)]
    path = directory / STATE_FILE
    try:
        io.atomic_write(path, ("\n".join(lines) + "\n").encode())
    except OSError as error:
        raise CheckpointError(f"cannot write {path}: {error.strerror}") from None


def _sync(path: Path) -> None:
    """Flush a file or a directory to the disk."""
    is_directory = path.is_dir()
    if os.name == "nt" and is_directory:
        return  # Windows cannot open directories, and its renames are journalled
    descriptor = os.open(path, os.O_RDONLY if is_directory else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
