"""A folder that exports are put into: never over anything, and whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from deep_mnist.errors import DeepMnistError
from deep_mnist.training import interrupts

LARGEST_VERSION = 2**63 - 1  # TensorFlow Serving's are int64


@contextmanager
def aside(directory: Path) -> Iterator[Path]:
    """A new hidden folder in `directory`, on the same disk; removed in the end.

    `directory` is made where it isn't there, and is gone again where the body fails.

    Raises:
      DeepMnistError: it can't be made or written to.
    """
    made = [path for path in (directory, *directory.parents) if not path.exists()]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".export-", dir=directory))
    except (FileExistsError, NotADirectoryError):
        raise DeepMnistError(
            f"{directory}: expected a folder, new or not, found a file there"
        ) from None
    except OSError as error:
        _remove_empty(made)
        raise DeepMnistError(f"{directory} can't be written to: {error.strerror}") from None
    try:
        yield scratch
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        _remove_empty(made)
        raise
    shutil.rmtree(scratch, ignore_errors=True)


def check_free(file: Path) -> None:
    """Raises DeepMnistError if there is anything under that name."""
    if os.path.lexists(file):
        raise DeepMnistError(
            f"{file} exists, and is left as it is: name another folder, or move it"
        )


def publish_files(sources: Sequence[Path], directory: Path) -> None:
    """Gives files their names in a directory, all of them or none.

    Raises:
      DeepMnistError: one of the names is taken.
    """
    published: list[Path] = []
    with interrupts.deferred():  # for the milliseconds that it takes
        try:
            for source in sources:
                _sync(source)
                _move(source, directory / source.name)
                published.append(directory / source.name)
        except BaseException:
            for file in published:
                file.unlink(missing_ok=True)
            raise


def publish_version(source: Path, directory: Path) -> Path:
    """Renames a folder to the next number in a directory, and returns where it is.

    A number that another process takes meanwhile is passed over: nothing is renamed onto a folder
    that holds anything.
    """
    for path in source.rglob("*"):
        if path.is_file():
            _sync(path)
    while True:
        number = 1 + max(_versions(directory), default=0)
        if number > LARGEST_VERSION:
            raise DeepMnistError(
                f"{directory} has no number left after {number - 1}: name another folder"
            )
        target = directory / str(number)
        try:
            source.rename(target)
            return target
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise


def _versions(directory: Path) -> list[int]:
    names = [path.name for path in directory.iterdir()]
    numbers = [int(name) for name in names if name.isascii() and name.isdigit()]
    return [number for number in numbers if number <= LARGEST_VERSION]


def _move(source: Path, target: Path) -> None:
    """Renames a file unless the name is taken, which rename alone would not look at."""
    try:
        os.link(source, target)
    except FileExistsError:
        check_free(target)
    except OSError:  # a file system without a second name for a file
        check_free(target)
        source.rename(target)


def _remove_empty(folders: Sequence[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def _sync(file: Path) -> None:
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())
