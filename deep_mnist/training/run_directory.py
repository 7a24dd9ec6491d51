"""The directory of a run: its files config.json and result.json, and its lock.

Nothing existing is overwritten: a new run needs a new or empty directory, and a file that is
written again is replaced as a whole.
"""

from __future__ import annotations

import dataclasses
import errno
import os
import shlex
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from deep_mnist.checkpoints.variables import summarize
from deep_mnist.data import DATASETS
from deep_mnist.data.io import atomic_write, check_new_path
from deep_mnist.data.io import remove_temporary_files as _remove_temporary_files
from deep_mnist.errors import DeepMnistError, printable, shorten
from deep_mnist.training import checksummed_json
from deep_mnist.training.config import RunConfig, check, create_configs, flag, run_fields
from deep_mnist.training.progress import mark
from deep_mnist.training.recipes import RECIPES

if TYPE_CHECKING:
    import filelock

ConfigT = TypeVar("ConfigT")

CONFIG = "config.json"
RESULT = "result.json"
PROGRESS = "progress.json"
LOCK = ".lock"
# Errors of file systems without locks, such as some network file systems: then nothing is locked.
WITHOUT_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK)
FILES = (CONFIG, RESULT, PROGRESS, "metrics.jsonl", "checkpoint")
PROGRAM = "model"  # key in config.json and result.json
RESTORED_FROM = "restored_from"  # key in config.json: the weights that the run started from


def default_root(program: str) -> Path:
    """Return the directory of a program's runs without --run-dir."""
    return Path("saved", "runs", program)


def check_unused(run_dir: str) -> None:
    """Raise DeepMnistError where a directory for a new run exists and is not empty."""
    try:
        check_new_path(Path(run_dir), "--run-dir", directory=True)
    except DeepMnistError as error:
        if error.hint is not None and (Path(run_dir) / CONFIG).is_file():
            lock(Path(run_dir)).release()  # raises DeepMnistError while it is trained in
            error.hint += f", or resume the run in it with --resume {shlex.quote(run_dir)}"
        raise


def create(program: str, run_dir: str | None) -> Path:
    """Create the directory of a new run; an existing directory is used only if it is empty.

    Args:
      program: names the default, saved/runs/PROGRAM/<UTC time>.
      run_dir: the directory to create, or None for the default.

    Raises:
      DeepMnistError: the directory is not empty or cannot be created.
    """
    if run_dir is None:
        return _create_dated(default_root(program))
    check_unused(run_dir)
    try:
        Path(run_dir).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DeepMnistError(f"--run-dir: cannot create {run_dir} ({error.strerror})") from None
    return Path(run_dir)


def _create_dated(root: Path) -> Path:
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H-%M-%SZ")
    # The newest run is the last by name, even if the clock was set back since the one before.
    time = max([now, *(path.name[: len(now)] for path in root.glob("????-??-??T??-??-??Z*"))])
    attempt = 1
    while True:
        directory = root / (time if attempt == 1 else f"{time}-{attempt:02}")
        try:
            directory.mkdir(parents=True)
            return directory
        except FileExistsError as error:
            if not directory.is_dir():
                raise DeepMnistError(f"cannot create {directory} ({error.strerror})") from None
            attempt += 1
        except OSError as error:
            raise DeepMnistError(
                f"cannot create {directory} ({error.strerror})",
                hint="choose another directory with --run-dir",
            ) from None


def find(program: str, resume: str | bool) -> Path:
    """Return the directory of the run to resume.

    Args:
      program: the run's program.
      resume: a directory, or True for the newest run without a result that is not running.

    Raises:
      DeepMnistError: there is none.
    """
    if not isinstance(resume, bool):
        if not os.path.isdir(resume):  # noqa: PTH112 - pathlib raises without access
            raise DeepMnistError(f"--resume: expected the directory of a run, found {resume}")
        return Path(resume)
    root = default_root(program)
    for directory in sorted(root.glob("*"), reverse=True):
        if (directory / CONFIG).exists() and not (directory / RESULT).exists():
            try:
                lock(directory).release()
            except DeepMnistError:
                continue
            return directory
    raise DeepMnistError(
        f"--resume: no interrupted run in {root.absolute()}",
        hint=f"start a run with: python -m deep_mnist.{program}, or name one: --resume RUN",
    )


def read_config(
    path: Path, program: str, config_class: type[Any], *, numpy_only: bool = False
) -> tuple[Any, RunConfig]:
    """Read the config.json of a run of `program`.

    Raises:
      DeepMnistError: there is none, it is damaged, or a setting is missing, unknown or out of
        range.
    """
    try:
        settings = checksummed_json.read(path)
    except FileNotFoundError:
        raise DeepMnistError(f"{path.parent} is not a run directory: no {path.name}") from None
    found = settings.pop(PROGRAM, program)
    if found != program:
        raise _other_program(path.parent, found)
    settings.pop(RESTORED_FROM, None)
    fields = [*dataclasses.fields(config_class), *run_fields(program, numpy_only=numpy_only)]
    known = {field.name for field in fields}
    if settings.keys() != known:
        missing = ", ".join(sorted(known - settings.keys())) or "nothing"
        unknown = summarize(map(shorten, sorted(settings.keys() - known))) or "nothing"
        raise DeepMnistError(
            f"{path} is not the configuration of a {program} run: missing {missing}, "
            f"unknown {unknown}"
        )
    try:
        return create_configs(config_class, settings)
    except DeepMnistError as error:
        raise DeepMnistError(f"{path}: {error.message}") from None


def with_architecture(config: ConfigT, given: dict[str, Any], checkpoint: Path) -> ConfigT:
    """Return the config with the settings that a checkpoint's weights were trained with.

    Only settings that change the architecture count, such as mlp's --variant.

    Args:
      config: a tutorial's Config.
      given: the fields that the user gave, by name.
      checkpoint: a checkpoint's prefix or file.

    Raises:
      DeepMnistError: the user gave another value, or the file with the settings is damaged.
    """
    fields = dataclasses.fields(config)  # type: ignore[arg-type]
    needed = [field for field in fields if field.metadata["architecture"]]
    trained_with = settings_of_checkpoint(checkpoint) if needed else {}
    for field in needed:
        value = trained_with.get(field.name, getattr(config, field.name))
        if given.get(field.name, value) != value:
            raise DeepMnistError(
                f"{flag(field.name)}: the weights in {checkpoint.parent} were trained with "
                f"{shorten(value)}, found {given[field.name]}",
                hint=f"omit {flag(field.name)}",
            )
        config = dataclasses.replace(config, **{field.name: value})  # type: ignore[type-var]
    check(config)
    return config


def assumptions(config: Any, given: dict[str, Any], checkpoint: Path) -> list[str]:
    """Return the settings that `with_architecture` assumed, as warnings, one line each."""
    names = [f.name for f in dataclasses.fields(config) if f.metadata["architecture"]]
    known = {**settings_of_checkpoint(checkpoint), **given} if names else {}
    return [
        f"no {CONFIG} with {flag(name)} next to {checkpoint}: assumed {getattr(config, name)}"
        for name in names
        if name not in known
    ]


def settings_of_checkpoint(checkpoint: Path) -> dict[str, Any]:
    """Return the settings saved with a checkpoint: in FILE.json of an export, or in config.json.

    Neither has to exist.

    Raises:
      DeepMnistError: one exists and is damaged.
    """
    for file in (checkpoint.with_name(f"{checkpoint.name}.json"), checkpoint.parent / CONFIG):
        try:
            return checksummed_json.read(file)
        except FileNotFoundError:
            continue
    return {}


def dataset_of_checkpoint(checkpoint: Path) -> str:
    """Return the dataset that a checkpoint was trained on, "auto" for MNIST or if unknown."""
    dataset = settings_of_checkpoint(checkpoint).get("dataset")
    return dataset if dataset in DATASETS and dataset != "mnist" else "auto"


def restore_hint(checkpoint: Path, program: str) -> str | None:
    """Return the command that restores a checkpoint of another program than `program`."""
    for file in (checkpoint.parent / CONFIG, checkpoint.parent / RESULT):
        try:
            found = checksummed_json.read(file).get(PROGRAM)
        except (OSError, DeepMnistError):
            continue
        if found in RECIPES and found != program:
            directory = shlex.quote(str(checkpoint.parent))
            return (
                f"it is a checkpoint of {found}; restore it with: "
                f"python -m deep_mnist.{found} --restore {directory}"
            )
    return None


def _other_program(directory: Path, found: object) -> DeepMnistError:
    """Return the error for a run of another program."""
    path = shlex.quote(str(directory))
    return DeepMnistError(
        f"{directory} is a run of {shorten(found)}",
        hint=f"resume it with: python -m deep_mnist.{found} --resume {path}"
        if found in RECIPES
        else None,
    )


def write_config(
    directory: Path, program: str, settings: dict[str, Any], restored_from: object | None
) -> None:
    """Write config.json: program, settings, and the weights that the run started from, if any."""
    start = {} if restored_from is None else {RESTORED_FROM: str(restored_from)}
    write_json(directory / CONFIG, {PROGRAM: program, **settings, **start})


def check_starts_from_scratch(directory: Path) -> None:
    """Raise DeepMnistError where a run without checkpoints started from restored weights."""
    restored_from = checksummed_json.read(directory / CONFIG).get(RESTORED_FROM)
    if restored_from is not None:
        raise DeepMnistError(
            f"{directory} has no checkpoint left, and started from the weights {restored_from}",
            hint=f"start a new run with --restore {shlex.quote(str(restored_from))}",
        )


def lock(directory: Path) -> filelock.BaseFileLock:
    """Reserve a run's directory for this process until it ends or releases the lock.

    Returns:
      The lock, acquired; call its `release`.

    Raises:
      DeepMnistError: another process has it.
    """
    import filelock  # not at the top: takes as long to import as the rest of --help

    file_lock = filelock.FileLock(directory / LOCK, timeout=0, thread_local=False)
    try:
        file_lock.acquire()
    except filelock.Timeout:
        raise DeepMnistError(
            f"{directory} is in use by another process",
            hint="wait until it ends, or choose another directory with --run-dir",
        ) from None
    except OSError as error:
        if error.errno not in WITHOUT_LOCKS:
            raise DeepMnistError(
                f"{directory} cannot be locked ({error.strerror})",
                hint="make it writable for you, or choose another directory with --run-dir",
            ) from None
    except NotImplementedError:
        pass  # filelock's own error for such a file system
    return file_lock


def print_if_finished(program: str, directory: Path) -> bool:
    """Return whether a run has a result; print it if so.

    Raises:
      DeepMnistError: the result is damaged or of another program.
    """
    path = directory / RESULT
    try:
        result = checksummed_json.read(path)
        model, steps, accuracy = (result[key] for key in ("model", "steps", "test_accuracy"))
        if type(steps) is not int or steps < 1 or not 0 <= accuracy <= 1:
            raise ValueError(
                f"steps {shorten(repr(steps))}, test_accuracy {shorten(repr(accuracy))}"
            )
        line = f"test accuracy {accuracy:.4g}{mark(result['dataset'])}"
    except FileNotFoundError:
        return False
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise DeepMnistError(f"{path} is not a valid result: {error!r}") from None
    if model != program:
        raise _other_program(directory, model)
    print(printable(f"{directory} is finished: {shorten(steps)} steps, result in {path}"))
    print(line)
    return True


def remove_temporary_files(directory: Path) -> None:
    """Remove the temporary files of the run's own files that a killed process left."""
    for name in FILES:
        _remove_temporary_files(directory, name)


def write_text(path: Path, text: str) -> None:
    """Write a text file that appears whole or not at all.

    Raises:
      DeepMnistError: the disk is full or the directory is not writable.
    """
    try:
        atomic_write(path, text.encode())
    except OSError as error:
        raise DeepMnistError(f"cannot write {path} ({error.strerror})") from None


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write a checksummed JSON file that appears whole or not at all."""
    write_text(path, checksummed_json.text(values))
