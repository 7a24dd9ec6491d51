"""NumPy .npz files (a zip of .npy files), read safely: limited memory and no unpickling.

`read_mnist` reads the file `mnist.npz` that Keras distributes.
"""

import math
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from deep_mnist.data import io
from deep_mnist.errors import DatasetError

__all__ = ["Header", "array_names", "open_zip", "read_array", "read_header", "read_mnist", "verify"]

MAX_FILE_BYTES = 1 << 26  # of the file itself, which bounds the list of its members
MAX_MEMBERS = 1000
MAX_BYTES = 1 << 28  # uncompressed; five times MNIST

MNIST_DIMENSIONS = {"x_train": 3, "y_train": 1, "x_test": 3, "y_test": 1}

# What zipfile raises for damaged files.
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    KeyError,
    NotImplementedError,
    ValueError,
    OverflowError,
)
# What NumPy's reader of a header, a Python literal, raises for damaged ones.
HEADER_ERRORS = (
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    SyntaxError,
    MemoryError,
    RecursionError,
    tokenize.TokenError,
)


class Header(NamedTuple):
    """The header of a .npy file."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype[Any]


@contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip of limited size, for the other functions of this module.

    Raises:
      DatasetError: the file is too large or has too many members.
      OSError: it cannot be read.
      ZIP_ERRORS: it is damaged or not a zip. Reading from it may raise them too.
    """
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise DatasetError(f"{path}: expected at most {MAX_FILE_BYTES} bytes, found {size}")
    with zipfile.ZipFile(path) as archive:
        members = len(archive.infolist())
        if members > MAX_MEMBERS:
            raise DatasetError(f"{path}: expected at most {MAX_MEMBERS} arrays, found {members}")
        yield archive


def array_names(archive: zipfile.ZipFile) -> list[str]:
    """Return the names of the arrays, in the order of the file."""
    return [name.removesuffix(".npy") for name in archive.namelist()]


def verify(archive: zipfile.ZipFile) -> None:
    """Verify the checksum of every array.

    Raises:
      DatasetError: the arrays are too large or have a compression that NumPy does not write.
      ZIP_ERRORS: a checksum differs.
    """
    size = sum(member.file_size for member in archive.infolist())
    if size > MAX_BYTES:
        raise DatasetError(
            f"{archive.filename}: expected at most {MAX_BYTES} bytes of arrays, found {size}"
        )
    for name in array_names(archive):
        with _open_member(archive, name) as stream:
            while stream.read(io.CHUNK):  # zipfile verifies the CRC-32 at the end
                pass


def read_header(archive: zipfile.ZipFile, name: str) -> Header:
    """Return the shape, order and dtype of an array, which is not read.

    Raises:
      DatasetError: it is not a .npy file, or one with Python objects.
      ZIP_ERRORS: the zip is damaged.
    """
    with _open_member(archive, name) as stream:
        return _read_header(stream, f"{archive.filename}: {name}")


def read_array(archive: zipfile.ZipFile, name: str) -> npt.NDArray[Any]:
    """Return an array, whose size is checked before it is allocated.

    Raises:
      DatasetError: it is not a .npy file, has Python objects, or is larger or smaller than its
        header says.
      ZIP_ERRORS: the zip is damaged.
    """
    where = f"{archive.filename}: {name}"
    with _open_member(archive, name) as stream:
        shape, fortran_order, dtype = _read_header(stream, where)
        size = math.prod(shape) * dtype.itemsize
        if min(shape, default=0) < 0 or size > MAX_BYTES:
            raise DatasetError(
                f"{where}: expected at most {MAX_BYTES} bytes, found {dtype} of shape {list(shape)}"
            )
        found = archive.getinfo(f"{name}.npy").file_size - stream.tell()
        if found != size:
            raise DatasetError(f"{where}: expected {size} bytes of data, found {found}")
        data = io.read_exactly(stream, size, where)
    return data.view(dtype).reshape(shape, order="F" if fortran_order else "C")


def read_mnist(path: Path) -> dict[str, npt.NDArray[np.uint8]]:
    """Read Keras's `mnist.npz`.

    Returns:
      x_train and x_test, [N, rows, columns], and y_train and y_test, [N], uint8.

    Raises:
      DatasetError: the file cannot be read, is damaged or lacks one of these arrays.
    """
    arrays = {}
    try:
        with open_zip(path) as archive:
            names = array_names(archive)
            for name, dimensions in MNIST_DIMENSIONS.items():
                if name not in names:
                    raise DatasetError(
                        f"{path}: expected the arrays {', '.join(MNIST_DIMENSIONS)}, "
                        f"found {', '.join(sorted(names)[:8])[:200] or 'none'}"
                    )
                array = read_array(archive, name)
                if array.dtype != np.uint8 or array.ndim != dimensions:
                    raise DatasetError(
                        f"{path}: {name}: expected uint8 in {dimensions} dimensions, "
                        f"found {array.dtype} of shape {list(array.shape)}"
                    )
                arrays[name] = np.ascontiguousarray(array)
    except ZIP_ERRORS as error:
        raise DatasetError(f"{path}: damaged .npz file ({str(error)[:200]})") from None
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror or error})") from None
    return arrays


def _open_member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    member = archive.getinfo(f"{name}.npy")
    # NumPy writes no other kind, and the other decompressors allocate without limit.
    if member.flag_bits & 1 or member.compress_type not in (
        zipfile.ZIP_STORED,
        zipfile.ZIP_DEFLATED,
    ):
        raise DatasetError(f"{archive.filename}: {name}: expected the compression of NumPy")
    return archive.open(member)


def _read_header(stream: IO[bytes], where: str) -> Header:
    try:
        version = np.lib.format.read_magic(stream)
        # NumPy warns of headers written by Python 2, and reads them correctly.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if version == (1, 0):
                header = Header(*np.lib.format.read_array_header_1_0(stream))
            elif version == (2, 0):
                header = Header(*np.lib.format.read_array_header_2_0(stream))
            else:
                raise DatasetError(f"{where}: expected .npy format 1.0 or 2.0, found {version}")
    except HEADER_ERRORS as error:
        raise DatasetError(f"{where}: not a .npy file ({str(error)[:80]!r})") from None
    if header.dtype.hasobject:
        raise DatasetError(f"{where}: contains Python objects (pickle), which are never loaded")
    return header
