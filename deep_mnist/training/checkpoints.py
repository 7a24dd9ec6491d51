"""Saver checkpoints on disk: written so that a crash can't spoil one, checked before use.

A checkpoint is a pair of files, PREFIX.index and PREFIX.data-00000-of-00001, under a new prefix
model.ckpt-STEP each time. Both reach the disk before the `checkpoint` state file names them, so
whatever is named there is whole. TensorFlow's own Saver would accept a variable of another shape
without an error (tensorflow/tensorflow#52220) and never looks past a damaged newest file: names,
shapes, dtypes and every checksum are therefore compared here, before it is asked to restore.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from deep_mnist.training import run_directory
from deep_mnist.training.errors import UserError
from deep_mnist.training.tensorflow import tf

BASENAME = "model.ckpt"
STATE = "checkpoint"
PARTS = re.compile(r"\.(index|meta|data-\d{5}-of-\d{5})$")

# What an optimizer adds to a checkpoint, beside the model's own variables.
OPTIMIZER = re.compile(r"/(Adam|Adam_1)$|^(beta1_power|beta2_power|global_step)$")


class Spec(NamedTuple):
    """What a variable is like."""

    shape: tuple[int, ...]
    dtype: str

    def __str__(self) -> str:
        return f"{self.dtype}{list(self.shape)}"


class DamagedError(UserError):
    """A checkpoint that is cut short, altered, or lacks one of its files."""


def step_of(prefix: Path) -> int:
    """The step in model.ckpt-STEP; -1 where the name has none."""
    match = re.search(r"-(\d+)$", prefix.name)
    return int(match.group(1)) if match else -1


def newest_first(directory: Path) -> list[Path]:
    """The prefixes of the checkpoints that a run saved in its directory, by step."""
    indexes = directory.glob(f"{BASENAME}-*.index")
    prefixes = [path.with_suffix("") for path in indexes]
    return sorted((p for p in prefixes if step_of(p) >= 0), key=step_of, reverse=True)


def find(path: str) -> Path:
    """The prefix meant by a directory, a prefix, or any file of a checkpoint.

    Of a directory it is the checkpoint of the highest step; of a state file, the one it names
    (or, if that is not beside it, the directory's).

    Raises:
      UserError: there is no checkpoint there.
    """
    place = Path(path)
    try:
        if place.name == STATE and place.is_file():
            named = place.parent / _named_by(place)
            if _file(named, "index").exists():
                return named
            place = place.parent
        if place.is_dir():
            prefixes = [index.with_suffix("") for index in place.glob("*.index")]
            if prefixes:
                return max(prefixes, key=lambda prefix: (step_of(prefix), prefix.name))
            raise UserError(
                f"{path} holds no checkpoint: expected {BASENAME}-STEP.index and "
                f"{BASENAME}-STEP.data-00000-of-00001, found {_listing(place)}"
            )
        prefix = Path(PARTS.sub("", path))
        if not _file(prefix, "index").exists():
            raise UserError(
                f"{path} is no checkpoint: expected the directory, the prefix or a file of one, "
                f"but there is neither such a directory nor {_file(prefix, 'index').name}"
            )
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from None
    return prefix


def check_path(path: str) -> None:
    """Raises UserError for a path that TensorFlow would take for a pattern and never find."""
    found = sorted(set("*?[]").intersection(path))
    if found:
        raise UserError(
            f"{path}: TensorFlow reads {' '.join(found)} in the path of a checkpoint as a "
            "wildcard; take a path without"
        )


def read_specs(prefix: Path) -> dict[str, Spec]:
    """Names, shapes and dtypes of a checkpoint's variables, after reading every byte of them.

    Raises:
      DamagedError: a file is missing or a checksum does not match.
      UserError: a file can't be opened.
    """
    check_path(str(prefix))
    for path in (_file(prefix, "index"), _file(prefix, "data-00000-of-00001")):
        try:
            path.open("rb").close()
        except FileNotFoundError:
            raise DamagedError(
                f"{path} is missing: a checkpoint is a pair of files, copy both"
            ) from None
        except OSError as error:
            raise UserError(f"{path} can't be read: {error.strerror}") from None
    try:
        reader = tf.train.NewCheckpointReader(str(prefix))
        shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
        for name in shapes:
            reader.get_tensor(name)  # reads the checksums
    except (tf.errors.OpError, IndexError, ValueError, RuntimeError) as error:
        raise DamagedError(
            f"checkpoint {prefix} is damaged ({reason(error)}): take another one, or copy it anew"
        ) from None
    return {name: Spec(tuple(shapes[name]), dtypes[name].name) for name in shapes}


def check_fits(prefix: Path, expected: dict[str, Spec], *, exactly: bool) -> None:
    """Raises UserError listing missing, unexpected and differing variables, if there are any.

    Unless `exactly`, what an optimizer adds to a checkpoint may be there.
    """
    found = read_specs(prefix)
    ignored = set() if exactly else {name for name in found if OPTIMIZER.search(name)}
    missing = [f"{name} {expected[name]}" for name in sorted(expected.keys() - found.keys())]
    unexpected = [
        f"{name} {found[name]}" for name in sorted(found.keys() - expected.keys() - ignored)
    ]
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
        raise UserError(f"checkpoint {prefix} is of another model: {'; '.join(faults)}")


def save(saver: Any, sess: Any, directory: Path, step: int, keep: int) -> None:
    """Writes model.ckpt-STEP, names it in the state file, and removes all but the newest `keep`.

    Raises:
      UserError: the disk is full or the directory can't be written to.
    """
    prefix = directory / f"{BASENAME}-{step}"
    try:
        saver.save(sess, str(prefix), write_meta_graph=False, write_state=False)
        for path in (_file(prefix, "data-00000-of-00001"), _file(prefix, "index"), directory):
            _sync(path)
    except (tf.errors.OpError, OSError, ValueError) as error:
        remove_leftovers(directory)
        raise UserError(
            f"step {step} can't be saved in {directory}: {reason(error)}; "
            "make room, or mend the directory, then go on with --resume"
        ) from None
    prefixes = newest_first(directory)
    _write_state(directory, prefixes[:keep])
    for old in prefixes[keep:]:
        # Without its index a checkpoint is not one: a crash in between leaves no half of it.
        _file(old, "index").unlink(missing_ok=True)
        _file(old, "data-00000-of-00001").unlink(missing_ok=True)


def set_aside(prefix: Path) -> None:
    """Renames a damaged checkpoint's files to *.damaged, so that its name is free again."""
    for path in (_file(prefix, "index"), _file(prefix, "data-00000-of-00001")):
        if path.exists():
            path.rename(path.with_name(path.name + ".damaged"))


def remove_leftovers(directory: Path) -> None:
    """Removes what a killed save leaves: temporary files, and data without an index."""
    for path in _leftovers(directory):
        path.unlink(missing_ok=True)


def reason(error: BaseException) -> str:
    """What went wrong, in a line: an op's error says first at length which op and file it was."""
    text = str(error)
    of_an_op = re.search(r"^Node: .*\n(?:.*; )?(.+)", text, re.MULTILINE)
    return of_an_op.group(1) if of_an_op else (text.splitlines() or [type(error).__name__])[0]


def _leftovers(directory: Path) -> Iterator[Path]:
    yield from directory.glob(f"{BASENAME}-*.tempstate*")
    for data in directory.glob(f"{BASENAME}-*.data-*"):
        if PARTS.search(data.name) and not _file(Path(PARTS.sub("", str(data))), "index").exists():
            yield data


def _named_by(state: Path) -> str:
    """The prefix that a state file names first, or the empty string."""
    text = state.read_text("utf-8", errors="replace")
    match = re.search(r'^model_checkpoint_path: "(.+)"$', text, re.MULTILINE)
    return match.group(1) if match else ""


def _write_state(directory: Path, newest: list[Path]) -> None:
    lines = [f'model_checkpoint_path: "{newest[0].name}"']
    lines += [f'all_model_checkpoint_paths: "{prefix.name}"' for prefix in reversed(newest)]
    run_directory.write(directory / STATE, "\n".join(lines) + "\n")


def _file(prefix: Path, part: str) -> Path:
    return prefix.with_name(f"{prefix.name}.{part}")


def _sync(path: Path) -> None:
    is_directory = path.is_dir()
    if os.name == "nt" and is_directory:
        return  # Windows opens no directory, and its renames are journalled
    descriptor = os.open(path, os.O_RDONLY if is_directory else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _listing(directory: Path) -> str:
    names = sorted(path.name for path in directory.iterdir())
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "") if names else "nothing"
