"""Reading and writing files safely, for every package of the project.

Opening never blocks on a pipe, reading is limited to the expected number of bytes, and writing
leaves either the whole file or none.
"""

from __future__ import annotations

import errno
import itertools
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
import numpy.typing as npt

from deep_mnist.errors import DatasetError, DeepMnistError

__all__ = [
    "atomic_write",
    "check_directory",
    "check_new_path",
    "open_regular_file",
    "read_exactly",
    "remove_temporary_files",
    "rename_damaged",
]

CHUNK = 1 << 20  # bytes read at a time
TEMPORARY_SUFFIX = f".{'[0-9a-f]' * 16}.tmp"  # as a glob pattern


class Stream(Protocol):
    """A raw file, a gzip stream or a member of a zip."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, b"" at the end."""
        ...


def open_regular_file(path: Path) -> BinaryIO:
    """Open a regular file for reading bytes.

    Raises:
      OSError: it cannot be opened, or is a pipe, a socket, a device or a directory.
    """
    descriptor = os.open(
        path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    )
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def read_exactly(stream: Stream, size: int, name: str) -> npt.NDArray[np.uint8]:
    """Read a stream of a known length to its end.

    `size` is allocated at once, so check it first. At the end of a gzip or zip stream the last read
    also verifies the checksum of the stream.

    Args:
      stream: an open binary file, a gzip stream or a member of a zip.
      size: number of bytes that are expected up to the end.
      name: the start of an error message, such as the path.

    Returns:
      [size] uint8, writable.

    Raises:
      DatasetError: there are fewer or more bytes.
    """
    data = np.empty(size, np.uint8)
    done = 0
    while done < size:
        chunk = stream.read(min(CHUNK, size - done))
        if not chunk:
            raise DatasetError(f"{name}: truncated, expected {size} bytes of data, found {done}")
        data.data[done : done + len(chunk)] = chunk
        done += len(chunk)
    if stream.read(1):
        raise DatasetError(f"{name}: expected {size} bytes of data, found more")
    return data


def atomic_write(path: Path, content: bytes | Callable[[BinaryIO], object]) -> None:
    """Write a file that appears whole or not at all, even after a power failure.

    The content goes to a temporary file `NAME.XXXXXXXXXXXXXXXX.tmp` in the same directory, which
    is flushed to the disk and renamed to `path`. An existing file is replaced.

    Args:
      path: the file to write.
      content: the bytes, or a function that writes them to an open binary file, as in
        `lambda file: np.savez(file, **arrays)`.

    Raises:
      OSError: the file cannot be written. The temporary file is removed.
    """
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            if callable(content):
                content(file)
            else:
                file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_temporary_files(directory: Path, name: str = "*") -> None:
    """Remove the temporary files of `atomic_write` that a killed process left.

    Args:
      directory: the directory that was written to.
      name: a glob pattern of the names of the files that were written.
    """
    for path in directory.glob(name + TEMPORARY_SUFFIX):
        path.unlink(missing_ok=True)


def check_new_path(path: Path, flag: str, *, directory: bool = False) -> None:
    """Check that nothing would be overwritten.

    Args:
      path: where a file or a directory will be written.
      flag: the flag or argument that names it, for the message.
      directory: whether it is a directory, which may exist if it is empty. Hidden files, such as
        the lock of a run, and temporary files of `atomic_write` do not count.

    Raises:
      DeepMnistError: the path exists, or is below a file.
    """
    if not os.path.lexists(path):
        check_directory(path.parent, flag)
        return
    if not directory:
        raise DeepMnistError(f"{flag}: {path} already exists", hint="choose a new name")
    try:
        empty = all(
            file.name.startswith(".") or file.match("*" + TEMPORARY_SUFFIX)
            for file in path.iterdir()
        )
    except NotADirectoryError:
        raise DeepMnistError(f"{flag}: {path} is a file", hint="choose a new directory") from None
    except OSError as error:
        raise DeepMnistError(f"{flag}: cannot read {path} ({error.strerror})") from None
    if not empty:
        raise DeepMnistError(f"{flag}: {path} is not empty", hint="choose a new directory")


def check_directory(path: Path, flag: str) -> None:
    """Raise DeepMnistError where a path, or the part of it that exists, is not a directory."""
    existing = next((p for p in (path, *path.parents) if os.path.lexists(p)), None)
    if existing is not None and not existing.is_dir():
        raise DeepMnistError(f"{flag}: expected a directory, found the file {existing}")


def rename_damaged(path: Path) -> Path:
    """Rename a damaged file to NAME.damaged, so that its name is free again; nothing is lost.

    Returns:
      The new path, NAME.damaged-2 and so on if the first is taken.
    """
    candidates = (path.with_name(f"{path.name}.damaged-{n}") for n in itertools.count(2))
    target = path.with_name(f"{path.name}.damaged")
    while target.exists():
        target = next(candidates)
    return path.rename(target)
