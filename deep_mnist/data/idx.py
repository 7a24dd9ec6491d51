"""IDX files, the format MNIST is published in: a big-endian header, then bytes.

The header is a magic number (2049 labels, 2051 images), then one 32-bit size per dimension.
Source: The MNIST database of handwritten digits, http://yann.lecun.com/exdb/mnist/, file formats.
"""

import gzip
import hashlib
import os
import secrets
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from deep_mnist.data import bounded
from deep_mnist.errors import DatasetError, IdxTypeError

LABELS = 2049
IMAGES = 2051
KINDS = {LABELS: "labels", IMAGES: "images"}
DIMENSIONS = {LABELS: 1, IMAGES: 3}
GZIP_START = b"\x1f\x8b"


def read(path: Path, expected_magic: int | None = None) -> npt.NDArray[np.uint8]:
    """Reads an IDX file, raw or gzip as its content says, whatever its name.

    Returns labels [N] or images [N, rows, columns], uint8 in 0..255. With `expected_magic` (LABELS
    or IMAGES) the other kind is refused. Raises DatasetError for anything but one whole IDX file, of
    which IdxTypeError for one of the wrong kind.
    """
    try:
        with path.open("rb") as file:
            return read_open(file, str(path), expected_magic)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror or error})") from None


def read_open(
    file: BinaryIO, where: str, expected_magic: int | None = None
) -> npt.NDArray[np.uint8]:
    """Reads an IDX file as `read` does, from a file open at its start; it is left open.

    `where` opens the error messages.
    """
    try:
        start = file.read(len(GZIP_START))
        file.seek(0)
        if start != GZIP_START:
            return _read_stream(file, where, expected_magic)
        with gzip.GzipFile(fileobj=file) as stream:
            return _read_stream(stream, where, expected_magic)
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DatasetError(f"{where}: is corrupt gzip data ({error})") from None
    except EOFError:
        raise DatasetError(f"{where}: is cut short, its gzip data has no end") from None


def write(path: Path, array: npt.NDArray[np.uint8]) -> None:
    """Writes labels [N] or images [N, rows, columns], uint8, gzipped if the name ends in .gz.

    The same array gives the same bytes. The file appears whole or not at all. Raises ValueError
    for another dtype or rank.
    """
    if array.dtype != np.uint8:
        raise ValueError(f"expected a uint8 array, found {array.dtype}")
    start = header(array)
    part = path.with_name(f"{path.name}.{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            if path.suffix == ".gz":
                with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as stream:
                    stream.write(start)
                    stream.write(array.reshape(-1).data)
            else:
                file.write(start)
                file.write(array.reshape(-1).data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def header(array: npt.NDArray[np.uint8]) -> bytes:
    """The IDX header of labels [N] or images [N, rows, columns]; ValueError for another rank."""
    for magic, dimensions in DIMENSIONS.items():
        if array.ndim == dimensions:
            return struct.pack(f">{1 + dimensions}I", magic, *array.shape)
    raise ValueError(f"expected 1 (labels) or 3 (images) dimensions, found {array.ndim}")


def payload_sha256(array: npt.NDArray[np.uint8]) -> str:
    """SHA-256, in hex, of the uncompressed IDX file that holds this array."""
    digest = hashlib.sha256(header(array))
    digest.update(array.reshape(-1).data)
    return digest.hexdigest()


def _read_stream(
    stream: bounded.Stream, where: str, expected_magic: int | None
) -> npt.NDArray[np.uint8]:
    start = stream.read(4)
    magic = int.from_bytes(start, "big")
    if len(start) < 4 or magic not in KINDS:
        seen = _describe(start + stream.read(60))
        if seen is not None:
            raise DatasetError(f"{where}: {seen}, expected an IDX file")
        raise IdxTypeError(
            f"{where}: has the unknown magic number {magic}, expected an IDX file", magic
        )
    if expected_magic is not None and magic != expected_magic:
        raise IdxTypeError(
            f"{where}: holds {KINDS[magic]} (magic {magic}), "
            f"expected {KINDS[expected_magic]} (magic {expected_magic})",
            magic,
        )
    sizes = stream.read(4 * DIMENSIONS[magic])
    if len(sizes) < 4 * DIMENSIONS[magic]:
        raise DatasetError(f"{where}: is cut short within its header, expected an IDX file")
    shape = struct.unpack(f">{DIMENSIONS[magic]}I", sizes)
    return bounded.read_array(stream, shape, where)


def _describe(start: bytes) -> str | None:
    """What a file that is no IDX file looks like, from its first 64 bytes; None if like nothing."""
    if not start:
        return "is empty"
    if start.lstrip().startswith(b"<"):
        return "is a web page"
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in start):
        return "is text"
    if len(start) < 4:
        return "is cut short within its header"
    return None
