"""Keras-style `mnist.npz`: a zip of the four arrays as .npy files. Nothing is ever unpickled."""

import math
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from deep_mnist.data import io
from deep_mnist.errors import DatasetError

# What zipfile lets through where a file is damaged in a place that it doesn't expect.
ZIP_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    ValueError,
    OverflowError,
)

MAX_BYTES = 1 << 26  # MNIST uncompressed, and some
MAX_MEMBERS = 1000
DIMENSIONS = {"x_train": 3, "y_train": 1, "x_test": 3, "y_test": 1}


def read(path: Path) -> dict[str, npt.NDArray[np.uint8]]:
    """Reads x_train and x_test, uint8 [N, rows, columns], y_train and y_test, uint8 [N].

    A member's size in the zip is held against its own .npy header before its data is read. Raises
    DatasetError for anything but four such arrays.
    """
    try:
        with opened(path) as archive:
            return {name: _read_member(archive, name, path) for name in DIMENSIONS}
    except ZIP_FAULTS as error:
        raise DatasetError(f"{path}: is no intact .npz file ({str(error)[:200]})") from None
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror or error})") from None


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip whose list of members is no larger than one of arrays can be.

    Raises:
      DatasetError: it is larger.
      OSError and what is in ZIP_FAULTS: it can't be read, is damaged or no zip.
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise DatasetError(f"{path}: expected at most {MAX_BYTES} bytes, found {size}")
    with zipfile.ZipFile(path) as archive:
        members = len(archive.infolist())
        if members > MAX_MEMBERS:
            raise DatasetError(f"{path}: expected at most {MAX_MEMBERS} arrays, found {members}")
        yield archive


def _read_member(archive: zipfile.ZipFile, name: str, path: Path) -> npt.NDArray[np.uint8]:
    where = f"{path}: {name}"
    if f"{name}.npy" not in archive.namelist():
        found = ", ".join(sorted(archive.namelist())[:8]) or "nothing"
        raise DatasetError(
            f"{path}: lacks {name}.npy, expected {', '.join(DIMENSIONS)}; holds {found[:200]}"
        )
    with open_member(archive, name, path) as stream:
        shape, fortran_order, dtype = read_header(stream, where)
        if dtype != np.uint8 or fortran_order or len(shape) != DIMENSIONS[name]:
            raise DatasetError(
                f"{where}: expected uint8 in {DIMENSIONS[name]} dimensions in C order, found "
                f"{dtype} of shape {shape}{' in Fortran order' if fortran_order else ''}"
            )
        if math.prod(shape) > MAX_BYTES:
            raise DatasetError(
                f"{where}: expected at most {MAX_BYTES} bytes, found the shape {list(shape)}"
            )
        expected = stream.tell() + math.prod(shape)
        size = archive.getinfo(f"{name}.npy").file_size
        if size > expected:
            raise DatasetError(
                f"{where}: expands beyond its header, expected {expected} bytes, found {size}"
            )
        return io.read_exactly(stream, math.prod(shape), where).reshape(shape)


def open_member(archive: zipfile.ZipFile, name: str, path: Path) -> IO[bytes]:
    """Opens the array `name`, which must be there; DatasetError if NumPy would not write it so."""
    member = archive.getinfo(f"{name}.npy")
    # NumPy writes no other kind, and the other decompressors know no bound.
    if member.flag_bits & 1 or member.compress_type not in (
        zipfile.ZIP_STORED,
        zipfile.ZIP_DEFLATED,
    ):
        raise DatasetError(f"{path}: {name}: is encrypted or not compressed as NumPy does")
    return archive.open(member)


# The header is a Python literal, and NumPy's reader of it lets the parser's errors through.
HEADER_FAULTS = (
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    SyntaxError,
    MemoryError,
    RecursionError,
    tokenize.TokenError,
)


def read_header(stream: IO[bytes], where: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether in Fortran order, and dtype of a .npy file; DatasetError if it is none."""
    try:
        version = np.lib.format.read_magic(stream)
        # NumPy warns of headers written by Python 2; they are read all the same.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if version == (1, 0):
                header = np.lib.format.read_array_header_1_0(stream)
            elif version == (2, 0):
                header = np.lib.format.read_array_header_2_0(stream)
            else:
                raise DatasetError(f"{where}: expected .npy format 1.0 or 2.0, found {version}")
    except HEADER_FAULTS as error:
        raise DatasetError(f"{where}: is no .npy file ({str(error)[:80]!r})") from None
    if header[2].hasobject:
        raise DatasetError(f"{where}: holds pickled Python objects, which are never loaded")
    return header
