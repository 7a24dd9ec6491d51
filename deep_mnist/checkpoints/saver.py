"""Saver checkpoints on disk: written so that a crash can't spoil one, checked before use.

A checkpoint is a pair of files, PREFIX.index and PREFIX.data-00000-of-00001, under a new prefix
model.ckpt-STEP each time. Both reach the disk before the `checkpoint` state file names them, so
whatever is named there is whole. TensorFlow's own Saver never looks past a damaged newest file, nor
at shapes: names, shapes, dtypes and every checksum are compared here, before it restores a run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deep_mnist.checkpoints import reader
from deep_mnist.checkpoints.paths import PARTS, STATE, part
from deep_mnist.checkpoints.paths import find as find
from deep_mnist.checkpoints.paths import step_of as step_of
from deep_mnist.checkpoints.variables import Spec
from deep_mnist.errors import DeepMnistError
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.data.io import atomic_write, rename_damaged

BASENAME = "model.ckpt"


def newest_first(directory: Path) -> list[Path]:
    """The prefixes of the checkpoints that a run saved in its directory, by step."""
    indexes = directory.glob(f"{BASENAME}-*.index")
    prefixes = [path.with_suffix("") for path in indexes]
    return sorted((p for p in prefixes if step_of(p) >= 0), key=step_of, reverse=True)


def read_specs(prefix: Path) -> dict[str, Spec]:
    """Names, shapes and dtypes of a checkpoint's variables, after reading every byte of them.

    Raises:
      DamagedCheckpointError: a file is missing or a checksum does not match.
      DeepMnistError: a file can't be opened.
    """
    file = reader.open_file(prefix)
    for name in file.specs:
        file.read(name)  # reads the checksums
    return file.specs


def check_fits(prefix: Path, expected: dict[str, Spec]) -> None:
    """Raises DeepMnistError listing missing, unexpected and differing variables, if there are any."""
    found = read_specs(prefix)
    missing = [f"{name} {expected[name]}" for name in sorted(expected.keys() - found.keys())]
    unexpected = [f"{name} {found[name]}" for name in sorted(found.keys() - expected.keys())]
    differing = [
        f"{name} is {found[name]} instead of {expected[name]}"
        for name in sorted(expected.keys() & found.keys())
        if found[name] != expected[name]
    ]
    faults = [
        f"{label} {', '.join(names)}"
        for label, names in (
            ("missing", missing),
            ("unexpected", unexpected),
            ("differing", differing),
        )
        if names
    ]
    if faults:
        raise DeepMnistError(f"checkpoint {prefix} is of another model: {'; '.join(faults)}")


def save(saver: Any, sess: Any, directory: Path, step: int, keep: int) -> None:
    """Writes model.ckpt-STEP, and prunes.

    Raises:
      DeepMnistError: the disk is full or the directory can't be written to.
    """
    prefix = directory / f"{BASENAME}-{step}"
    try:
        saver.save(sess, str(prefix), write_meta_graph=False, write_state=False)
        for path in (part(prefix, "data-00000-of-00001"), part(prefix, "index"), directory):
            _sync(path)
    except (tf.errors.UnavailableError, tf.errors.AbortedError):
        remove_leftovers(directory)
        raise  # a process that has variables was lost, which is not the disk's fault
    except (tf.errors.OpError, OSError, ValueError) as error:
        remove_leftovers(directory)
        raise DeepMnistError(
            f"step {step} can't be saved in {directory}: {reader.reason(error)}; "
            "make room, or mend the directory, then go on with --resume"
        ) from None
    prune(directory, keep)


def prune(directory: Path, keep: int) -> None:
    """Names the newest `keep` checkpoints in the state file, and removes the others."""
    prefixes = newest_first(directory)
    _write_state(directory, prefixes[:keep])
    for old in prefixes[keep:]:
        # Without its index a checkpoint is not one: a crash in between leaves no half of it.
        part(old, "index").unlink(missing_ok=True)
        part(old, "data-00000-of-00001").unlink(missing_ok=True)


def set_aside(prefix: Path) -> None:
    """Renames a damaged checkpoint's files to *.damaged, so that its name is free again."""
    for path in (part(prefix, "index"), part(prefix, "data-00000-of-00001")):
        if path.exists():
            rename_damaged(path)


def remove_leftovers(directory: Path) -> None:
    """Removes what a killed save leaves: temporary files, and data without an index."""
    for path in _leftovers(directory):
        path.unlink(missing_ok=True)


def _leftovers(directory: Path) -> Iterator[Path]:
    yield from directory.glob(f"{BASENAME}-*.tempstate*")
    for data in directory.glob(f"{BASENAME}-*.data-*"):
        if PARTS.search(data.name) and not part(Path(PARTS.sub("", str(data))), "index").exists():
            yield data


def _write_state(directory: Path, newest: list[Path]) -> None:
    if not newest:
        return
    lines = [f'model_checkpoint_path: "{newest[0].name}"']
    lines += [f'all_model_checkpoint_paths: "{prefix.name}"' for prefix in reversed(newest)]
    atomic_write(directory / STATE, ("\n".join(lines) + "\n").encode())


def _sync(path: Path) -> None:
    is_directory = path.is_dir()
    if os.name == "nt" and is_directory:
        return  # Windows opens no directory, and its renames are journalled
    descriptor = os.open(path, os.O_RDONLY if is_directory else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
