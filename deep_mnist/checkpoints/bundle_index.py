"""Check the index of a V2 checkpoint before TensorFlow reads it.

TensorFlow verifies the checksums of the index and then trusts its content: an altered index with
correct checksums aborts the process. The checksums are left to TensorFlow.

Format: tensorflow/core/lib/io/table_format.txt and tensorflow/core/protobuf/tensor_bundle.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deep_mnist import lazy_tensorflow

FOOTER = 48  # bytes: two block handles, padded to 40, and a magic number
TRAILER = 5  # bytes after a block: its compression and its checksum
MAX_RANK = 254
MAX_KEY = 1024
COMPRESSED = 1  # written by TensorFlow 1.0; left to TensorFlow's reader


def check_index(path: Path) -> None:
    """Check the structure of an index file.

    Raises:
      ValueError: TensorFlow's reader would abort the process. The message is the reason.
    """
    lazy_tensorflow.load()
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import tensor_bundle_pb2

    content = path.read_bytes()
    try:
        for key, value in _entries(content):
            if not key:
                tensor_bundle_pb2.BundleHeaderProto().ParseFromString(value)
                continue
            entry = tensor_bundle_pb2.BundleEntryProto()
            entry.ParseFromString(value)
            _check_entry(key.decode("utf-8"), entry)
    except (DecodeError, UnicodeDecodeError):
        raise ValueError("an entry of its index cannot be parsed") from None
    except IndexError:
        raise ValueError("its index is truncated") from None


def _check_entry(name: str, entry: Any) -> None:
    sizes = [dim.size for dim in entry.shape.dim]
    if entry.shape.unknown_rank or len(sizes) > MAX_RANK or min(sizes, default=0) < 0:
        raise ValueError(f"the shape of {name} in its index is invalid")
    if entry.offset < 0 or entry.size < 0:
        raise ValueError(f"the offset of {name} in its index is invalid")
    for part in entry.slices:
        extents = [(extent.start, extent.length) for extent in part.extent]
        # A length of 0 stands for the whole dimension.
        if len(extents) != len(sizes) or any(
            start < 0 or length < 0 or start + length > size
            for (start, length), size in zip(extents, sizes, strict=False)
        ):
            raise ValueError(f"a slice of {name} in its index is outside of its shape")


def _entries(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the key and value of every entry, except those in compressed blocks."""
    footer = len(content) - FOOTER
    _, offset = _varint(content, footer)
    _, offset = _varint(content, offset)
    remaining = len(content)
    for _, handle in _block(content, *_handle(content, offset)):
        start, size = _handle(handle, 0)
        remaining -= size + TRAILER
        if remaining < 0:  # blocks do not overlap
            raise ValueError("its index refers to a block twice")
        yield from _block(content, start, size)


def _handle(content: bytes, offset: int) -> tuple[int, int]:
    """Return the offset and size of a block from its handle."""
    start, offset = _varint(content, offset)
    size, _ = _varint(content, offset)
    return start, size


def _block(content: bytes, start: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    if content[start + size] == COMPRESSED:
        return
    block = content[start : start + size]
    end = size - 4 - 4 * int.from_bytes(block[-4:], "little")
    offset, key = 0, b""
    while offset < end:
        shared, offset = _varint(block, offset)  # bytes in common with the previous key
        unshared, offset = _varint(block, offset)
        length, offset = _varint(block, offset)
        if shared + unshared > MAX_KEY:
            raise ValueError(f"its index has a name of more than {MAX_KEY} bytes")
        key = key[:shared] + block[offset : offset + unshared]
        offset += unshared + length
        if shared > len(key) or offset > end:
            raise IndexError
        yield key, block[offset - length : offset]


def _varint(content: bytes, offset: int) -> tuple[int, int]:
    """Return a number of variable length, and the offset after it."""
    number = 0
    for shift in range(0, 70, 7):
        number |= (content[offset] & 127) << shift
        offset += 1
        if content[offset - 1] < 128:
            return number, offset
    raise IndexError
