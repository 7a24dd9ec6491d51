"""IDX files, the format in which MNIST is published: a big-endian header, then bytes.

The header is a magic number (2049 for labels, 2051 for images), then one 32-bit size per
dimension.

Source: The MNIST database of handwritten digits, http://yann.lecun.com/exdb/mnist/, file formats.
"""

import gzip
import hashlib
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from deep_mnist.data import io
from deep_mnist.errors import DatasetError, IdxTypeError

__all__ = ["IMAGES", "LABELS", "payload_sha256", "read", "read_stream", "write"]

LABELS = 2049
IMAGES = 2051
CONTENTS = {LABELS: "labels", IMAGES: "images"}
DIMENSIONS = {LABELS: 1, IMAGES: 3}
GZIP_MAGIC = b"\x1f\x8b"
MAX_BYTES = 1 << 28  # uncompressed; five times the training images of MNIST


def read(path: Path, expected_magic: int | None = None) -> npt.NDArray[np.uint8]:
    """Read an IDX file, raw or gzip.

    Compression is detected by the content, not by the name.

    Args:
      path: the file.
      expected_magic: LABELS or IMAGES, or None for either.

    Returns:
      Labels [N] or images [N, rows, columns], uint8 in 0..255.

    Raises:
      IdxTypeError: the magic number is not the expected one.
      DatasetError: the file cannot be read, is damaged or is not an IDX file.
    """
    try:
        with path.open("rb") as file:
            return read_stream(file, str(path), expected_magic)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror or error})") from None


def read_stream(
    file: BinaryIO, name: str, expected_magic: int | None = None
) -> npt.NDArray[np.uint8]:
    """Read an IDX file as `read` does, from an open file, which stays open.

    Args:
      file: a binary file at its start, raw or gzip.
      name: the name of the file in error messages.
      expected_magic: LABELS or IMAGES, or None for either.

    Returns:
      Labels [N] or images [N, rows, columns], uint8 in 0..255.

    Raises:
      IdxTypeError: the magic number is not the expected one.
      DatasetError: the file is damaged or is not an IDX file.
    """
    try:
        start = file.read(len(GZIP_MAGIC))
        file.seek(0)
        if start != GZIP_MAGIC:
            return _read(file, name, expected_magic)
        with gzip.GzipFile(fileobj=file) as stream:
            return _read(stream, name, expected_magic)
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DatasetError(f"{name}: damaged gzip data ({error})") from None
    except EOFError:
        raise DatasetError(f"{name}: truncated gzip data") from None


def write(path: Path, array: npt.NDArray[np.uint8]) -> None:
    """Write an IDX file, gzip if the name ends in .gz.

    The same array gives the same bytes. The file appears whole or not at all.

    Args:
      path: the file; an existing one is replaced.
      array: labels [N] or images [N, rows, columns], uint8.

    Raises:
      ValueError: the array has another dtype or rank.
      OSError: the file cannot be written.
    """
    if array.dtype != np.uint8:
        raise ValueError(f"expected a uint8 array, found {array.dtype}")
    start = header(array)

    def write_payload(file: BinaryIO | gzip.GzipFile) -> None:
        file.write(start)
        file.write(array.reshape(-1).data)

    def write_gzip(file: BinaryIO) -> None:
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as stream:
            write_payload(stream)

    io.atomic_write(path, write_gzip if path.suffix == ".gz" else write_payload)


def header(array: npt.NDArray[np.uint8]) -> bytes:
    """Return the IDX header of labels [N] or images [N, rows, columns].

    Raises:
      ValueError: the array has another rank.
    """
    for magic, dimensions in DIMENSIONS.items():
        if array.ndim == dimensions:
            return struct.pack(f">{1 + dimensions}I", magic, *array.shape)
    raise ValueError(f"expected 1 (labels) or 3 (images) dimensions, found {array.ndim}")


def payload_sha256(array: npt.NDArray[np.uint8]) -> str:
    """Return the SHA-256, in hex, of the uncompressed IDX file that holds an array.

    Args:
      array: labels [N] or images [N, rows, columns], uint8.
    """
    digest = hashlib.sha256(header(array))
    digest.update(array.reshape(-1).data)
    return digest.hexdigest()


def _read(stream: io.Stream, name: str, expected_magic: int | None) -> npt.NDArray[np.uint8]:
    start = stream.read(4)
    magic = int.from_bytes(start, "big")
    if len(start) < 4 or magic not in CONTENTS:
        found = _describe(start + stream.read(60))
        if found is not None:
            raise DatasetError(f"{name}: expected an IDX file, found {found}")
        raise IdxTypeError(f"{name}: expected an IDX file, found the magic number {magic}", magic)
    if expected_magic is not None and magic != expected_magic:
        raise IdxTypeError(
            f"{name}: expected {CONTENTS[expected_magic]} (magic number {expected_magic}), "
            f"found {CONTENTS[magic]} (magic number {magic})",
            magic,
        )
    sizes = stream.read(4 * DIMENSIONS[magic])
    if len(sizes) < 4 * DIMENSIONS[magic]:
        raise DatasetError(f"{name}: expected an IDX file, found a truncated header")
    shape = struct.unpack(f">{DIMENSIONS[magic]}I", sizes)
    if max(shape) > MAX_BYTES or math.prod(shape) > MAX_BYTES:
        raise DatasetError(
            f"{name}: expected at most {MAX_BYTES} bytes of data, found the shape {list(shape)}"
        )
    return io.read_exactly(stream, math.prod(shape), name).reshape(shape)


def _describe(start: bytes) -> str | None:
    """Name what the first 64 bytes of a file without IDX header look like, or return None."""
    if not start:
        return "an empty file"
    if start.lstrip().startswith(b"<"):
        return "a web page"
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in start):
        return "a text file"
    if len(start) < 4:
        return "a truncated header"
    return None
