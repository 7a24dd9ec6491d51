"""The index of a V2 checkpoint, looked through before TensorFlow sees it.

Its reader takes it for granted that whoever gave a block the right checksum also wrote what belongs
in it, and aborts the process where that is not so. Checksums are left to it: they come first there.

Format: LevelDB's table, as in tensorflow/core/lib/io/table_format.txt; protos, tensor_bundle.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deep_mnist import lazy_tensorflow

FOOTER = 48  # bytes: two handles, padded to 40, and a magic number
TRAILER = 5  # bytes after a block: whether it is compressed, and its checksum
MAX_RANK = 254
MAX_KEY = 1024
COMPRESSED = 1  # as TensorFlow 1.0 wrote it; left to TensorFlow's reader


def check_index(path: Path) -> None:
    """Raises ValueError, with the reason, where an index is none that TensorFlow can read."""
    lazy_tensorflow.load()
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import tensor_bundle_pb2

    content = path.read_bytes()
    try:
        for key, value in _entries(content):
            proto = tensor_bundle_pb2.BundleEntryProto() if key else None
            if proto is None:
                tensor_bundle_pb2.BundleHeaderProto().ParseFromString(value)
                continue
            proto.ParseFromString(value)
            _check_entry(key.decode("utf-8"), proto)
    except (DecodeError, UnicodeDecodeError):
        raise ValueError("an entry of its index can't be parsed") from None
    except IndexError:
        raise ValueError("its index ends in the middle of an entry") from None


def _check_entry(name: str, proto: Any) -> None:
    sides = [dim.size for dim in proto.shape.dim]
    if proto.shape.unknown_rank or len(sides) > MAX_RANK or min(sides, default=0) < 0:
        raise ValueError(f"its index gives {name} no shape")
    if proto.offset < 0 or proto.size < 0:
        raise ValueError(f"its index gives {name} no place in the data")
    for part in proto.slices:
        extents = [(extent.start, extent.length) for extent in part.extent]
        # A length of zero is written as none, and means the whole side.
        if len(extents) != len(sides) or any(
            start < 0 or length < 0 or start + length > side
            for (start, length), side in zip(extents, sides, strict=False)
        ):
            raise ValueError(f"its index gives {name} a part outside of its shape")


def _entries(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of every entry; of compressed blocks none."""
    footer = len(content) - FOOTER
    _, place = _varint(content, footer)
    _, place = _varint(content, place)
    left = len(content)
    for _, handle in _block(content, *_handle(content, place)):
        start, size = _handle(handle, 0)
        left -= size + TRAILER
        if left < 0:  # blocks of a sound table lie apart
            raise ValueError("its index names a block twice")
        yield from _block(content, start, size)


def _handle(content: bytes, place: int) -> tuple[int, int]:
    start, place = _varint(content, place)
    size, _ = _varint(content, place)
    return start, size


def _block(content: bytes, start: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    if content[start + size] == COMPRESSED:
        return
    block = content[start : start + size]
    end = size - 4 - 4 * int.from_bytes(block[-4:], "little")
    place, key = 0, b""
    while place < end:
        shared, place = _varint(block, place)
        own, place = _varint(block, place)
        length, place = _varint(block, place)
        if shared + own > MAX_KEY:
            raise ValueError("its index has a name that is far too long")
        key = key[:shared] + block[place : place + own]
        place += own + length
        if shared > len(key) or place > end:
            raise IndexError
        yield key, block[place - length : place]


def _varint(content: bytes, place: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        number |= (content[place] & 127) << shift
        place += 1
        if content[place - 1] < 128:
            return number, place
    raise IndexError
