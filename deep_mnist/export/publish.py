"""Move a finished export to its name; nothing is overwritten, and no incomplete file is left."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from deep_mnist.data.io import check_new_path
from deep_mnist.training import interrupts

LARGEST_VERSION = 2**63 - 1  # TensorFlow Serving reads versions as int64


@contextmanager
def temporary_directory(directory: Path) -> Iterator[Path]:
    """Yield a hidden new directory in `directory`, on the same disk, and remove it at the end.

    `directory` is created if it does not exist, and removed again if the body raises.

    Raises:
      OSError: `directory` cannot be created or written to.
    """
    created = [path for path in (directory, *directory.parents) if not path.exists()]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".export-", dir=directory) as temporary:
            yield Path(temporary)
    except BaseException:
        for path in created:
            with suppress(OSError):  # not empty: another process uses it
                path.rmdir()
        raise


def publish_files(sources: Sequence[Path], directory: Path) -> None:
    """Move files to a directory, all of them or none.

    Raises:
      DeepMnistError: the directory has a file of the same name.
    """
    published: list[Path] = []
    with interrupts.deferred():
        try:
            for source in sources:
                _flush(source)
                _move(source, directory / source.name)
                published.append(directory / source.name)
        except BaseException:
            for file in published:
                file.unlink(missing_ok=True)
            raise


def publish_version(source: Path, directory: Path) -> Path:
    """Move a directory to `directory`/N, where N is the next version, and return its path."""
    for path in source.rglob("*"):
        if path.is_file():
            _flush(path)
    while True:
        target = directory / str(1 + max(_versions(directory), default=0))
        try:
            return source.rename(target)
        except OSError as error:  # another process was quicker: the next number
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise


def _versions(directory: Path) -> list[int]:
    names = [path.name for path in directory.iterdir()]
    numbers = [int(name) for name in names if name.isascii() and name.isdigit()]
    return [number for number in numbers if number < LARGEST_VERSION]


def _move(source: Path, target: Path) -> None:
    """Rename a file, but do not replace an existing one as Path.rename does."""
    try:
        os.link(source, target)
    except FileExistsError:
        check_new_path(target, "DIR")
    except OSError:  # the file system has no hard links
        check_new_path(target, "DIR")
        source.rename(target)


def _flush(file: Path) -> None:
    """Write a file's content to the disk."""
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())
