"""A run's directory, and its files config.json and result.json.

Nothing existing is overwritten: a new run wants a new directory, a file that is written again
(metrics of a resumed run) is replaced as a whole, never in place, and a damaged one is kept.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import re
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from deep_mnist.errors import DeepMnistError, printable
from deep_mnist.training import checksummed_json
from deep_mnist.training.config import RESTORED_FROM, ConfigT, check, flag
from deep_mnist.training.progress import mark

if sys.platform != "win32":
    import fcntl

CONFIG = "config.json"
RESULT = "result.json"
ASIDE = re.compile(r"(config\.json|metrics\.jsonl|result\.json|checkpoint)\.\d+\.tmp")


def default_root(name: str) -> Path:
    """Where the runs of a program go when no --run-dir is given."""
    return Path("saved", "runs", name)


def check_unused(run_dir: str) -> None:
    """Raises DeepMnistError if a directory for a new run holds something already, or can't be used."""
    try:
        used = any(not ASIDE.fullmatch(path.name) for path in Path(run_dir).iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise DeepMnistError(f"--run-dir {run_dir} can't be used: {error.strerror}") from None
    if used:
        raise DeepMnistError(
            f"--run-dir {run_dir} exists and is not empty: name a new directory, "
            f"or go on with the run in it by --resume {run_dir}"
        )


def create(name: str, run_dir: str | None) -> Path:
    """Makes the directory of a new run; an existing one is taken only if it is empty.

    Raises:
      DeepMnistError: the directory holds something, or can't be made.
    """
    if run_dir is None:
        return _create_dated(default_root(name))
    check_unused(run_dir)
    try:
        Path(run_dir).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DeepMnistError(f"--run-dir {run_dir} can't be made: {error.strerror}") from None
    return Path(run_dir)


def _create_dated(root: Path) -> Path:
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H-%M-%SZ")
    # The newest run is the last by name, also where the clock was set back since the one before.
    time = max([now, *(path.name[: len(now)] for path in root.glob("????-??-??T??-??-??Z*"))])
    attempt = 1
    while True:
        directory = root / (time if attempt == 1 else f"{time}-{attempt:02}")
        try:
            directory.mkdir(parents=True)
            return directory
        except FileExistsError as error:
            if not directory.is_dir():
                raise DeepMnistError(f"{directory} can't be made: {error.strerror}") from None
            attempt += 1
        except OSError as error:
            raise DeepMnistError(
                f"{directory} can't be made: {error.strerror}; name another place by --run-dir"
            ) from None


def find(name: str, resume: str | bool) -> Path:
    """The run that --resume names; True is the newest one that has no result and is not running.

    Raises:
      DeepMnistError: there is none.
    """
    if not isinstance(resume, bool):
        if not os.path.isdir(resume):  # noqa: PTH112 - pathlib's raises where access is denied
            raise DeepMnistError(
                f"--resume {resume}: expected the directory of a run, found none there"
            )
        return Path(resume)
    root = default_root(name)
    for directory in sorted(root.glob("*"), reverse=True):
        if (directory / CONFIG).exists() and not (directory / RESULT).exists():
            try:
                Lock(directory).release()
            except DeepMnistError:
                continue
            return directory
    raise DeepMnistError(
        f"--resume: there is no interrupted run in {root.absolute()}; name its directory"
    )


def with_architecture(config: ConfigT, given: dict[str, Any], place: Path) -> ConfigT:
    """The config with the settings that the weights in a file can't be used without.

    Args:
      config: a program's Config.
      given: its fields that the user gave, by name.
      place: a checkpoint's prefix or a file; `settings_beside` it are those that it was made with.

    Raises:
      DeepMnistError: the user gave another value than the weights were trained with, or that can't be
        told because the file that says so is damaged.
    """
    fields = dataclasses.fields(config)  # type: ignore[arg-type]
    needed = [field for field in fields if field.metadata["architecture"]]
    trained_with = settings_beside(place) if needed else {}
    for field in needed:
        value = trained_with.get(field.name, getattr(config, field.name))
        if given.get(field.name, value) != value:
            raise DeepMnistError(
                f"{flag(field.name)}: the weights in {place.parent} were trained with {value}, "
                f"found {given[field.name]}: leave the flag out"
            )
        config = dataclasses.replace(config, **{field.name: value})  # type: ignore[type-var]
    check(config)
    return config


def assumptions(config: Any, given: dict[str, Any], place: Path) -> list[str]:
    """What `with_architecture` takes for granted: neither a flag nor a file says it."""
    names = [f.name for f in dataclasses.fields(config) if f.metadata["architecture"]]
    known = {**settings_beside(place), **given} if names else {}
    return [
        f"no {CONFIG} is beside {place}: taken for trained with {flag(name)} "
        f"{getattr(config, name)}"
        for name in names
        if name not in known
    ]


def settings_beside(place: Path) -> dict[str, Any]:
    """What is known of the weights in a file, by an export's own FILE.json, or by config.json.

    Neither has to be there, or to be ours.

    Raises:
      DeepMnistError: one is there, and is damaged.
    """
    for file in (place.with_name(f"{place.name}.json"), place.parent / CONFIG):
        try:
            return checksummed_json.read(file)
        except FileNotFoundError:
            continue
        except DeepMnistError as error:
            raise DeepMnistError(
                f"the settings of the weights in {place} can't be told: {error}"
            ) from None
    return {}


def write_config(directory: Path, config: Any, restored_from: object | None) -> None:
    """Writes config.json: the fields of a Config, and the weights that the run begins with."""
    begins_with = {} if restored_from is None else {RESTORED_FROM: str(restored_from)}
    write_json(directory / CONFIG, {**dataclasses.asdict(config), **begins_with})


def check_begins_anew(directory: Path) -> None:
    """Raises DeepMnistError where a run without a checkpoint would start from other weights."""
    begun_with = checksummed_json.read(directory / CONFIG).get(RESTORED_FROM)
    if begun_with is not None:
        raise DeepMnistError(
            f"{directory} has no checkpoint any more, and began with the weights of {begun_with}: "
            f"start a new run by --restore {begun_with}"
        )


class Lock:
    """Keeps a run's directory for one process, as long as that lives or until released.

    Raises:
      DeepMnistError: another process is at work in the directory.
    """

    def __init__(self, directory: Path) -> None:
        self._descriptor: int | None = None
        if sys.platform == "win32":
            return  # has no flock; two processes on one run are not told from each other
        self._descriptor = os.open(directory, os.O_RDONLY)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(self._descriptor)
            self.release()
            raise DeepMnistError(f"{directory} is in use: {holder} trains there") from None
        except OSError:
            pass  # a file system without locks, as some network ones are

    def release(self) -> None:
        """Lets others have the directory."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _holder(descriptor: int) -> str:
    """The process that has the lock of an open directory, where the system tells, as Linux does."""
    status = os.fstat(descriptor)
    major, minor = os.major(status.st_dev), os.minor(status.st_dev)
    with contextlib.suppress(OSError):
        for line in Path("/proc/locks").read_text("utf-8").splitlines():
            _, kind, _, _, process, inode, *_ = line.split()
            if (kind, inode) == ("FLOCK", f"{major:02x}:{minor:02x}:{status.st_ino}"):
                return f"process {process}"
    return "another process"


def is_finished(name: str, directory: Path) -> bool:
    """Whether a run has its result already; prints it if so.

    Raises:
      DeepMnistError: the result can't be read, or is another program's.
    """
    try:
        result = checksummed_json.read(directory / RESULT)
        model, steps, accuracy = (result[key] for key in ("model", "steps", "test_accuracy"))
        if type(steps) is not int or steps < 1 or not 0 <= accuracy <= 1:
            raise ValueError(f"step {steps!r}, test accuracy {accuracy!r}")
        line = f"test accuracy {accuracy:.4g}{mark(result['dataset'])}"
    except FileNotFoundError:
        return False
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise DeepMnistError(f"{directory / RESULT} can't be read as a result: {error!r}") from None
    if model != name:
        raise DeepMnistError(
            f"{directory} is a run of {model}: python -m deep_mnist.{model} --resume"
        )
    print(printable(f"{directory} is finished: step {steps}, result in {directory / RESULT}"))
    print(line)
    return True


def write(path: Path, text: str) -> None:
    """Writes a file that is there whole or not at all, even after a power cut.

    Raises:
      DeepMnistError: the disk is full or the directory can't be written to.
    """
    aside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        try:
            with aside.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise DeepMnistError(f"{path} can't be written: {error.strerror}") from None


def remove_leftovers(directory: Path) -> None:
    """Removes what a killed `write` of a run's files leaves."""
    for path in directory.glob("*.tmp"):
        if ASIDE.fullmatch(path.name):
            path.unlink(missing_ok=True)


def write_json(path: Path, values: dict[str, Any]) -> None:
    """`write` of an indented JSON object that tells when it is altered."""
    write(path, checksummed_json.text(values))


def set_aside(path: Path) -> Path:
    """Renames a damaged file to *.damaged, so that its name is free again; returns the new one."""
    places = (path.with_name(f"{path.name}.damaged-{n}") for n in itertools.count(2))
    aside = path.with_name(f"{path.name}.damaged")
    while aside.exists():
        aside = next(places)
    return path.rename(aside)
