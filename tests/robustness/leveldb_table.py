"""Reader and writer of LevelDB tables, which checkpoints of both formats of TensorFlow 1 contain.

Format: tensorflow/core/lib/io/table_format.txt.
"""

from __future__ import annotations

import struct
from pathlib import Path

Entries = list[tuple[bytes, bytes]]


MAGIC = bytes.fromhex("57fb808b247547db")
FOOTER_SIZE = 48


def pack(entries: Entries) -> bytes:
    """Return keys and values as bytes that a fuzzer can change."""
    return b"".join(struct.pack("<HH", len(k), len(v)) + k + v for k, v in entries)


def unpack(content: bytes) -> Entries:
    """Return the entries of `pack`, sorted by key; every content has some meaning."""
    entries, position = {}, 0
    while position + 4 <= len(content):
        key_size, value_size = struct.unpack_from("<HH", content, position)
        start = position + 4
        position = start + key_size + value_size
        entries[content[start : start + key_size]] = content[start + key_size : position]
    return sorted(entries.items())


def varint(number: int) -> bytes:
    """Return a number in the format of protocol buffers."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def read_varint(content: bytes, position: int) -> tuple[int, int]:
    """Return the number at a position, and the position after it."""
    number = shift = 0
    while True:
        number |= (content[position] & 127) << shift
        position, shift = position + 1, shift + 7
        if content[position - 1] < 128:
            return number, position


def block_entries(block: bytes) -> Entries:
    """Return the entries of a block; each key omits the prefix it shares with the one before."""
    end = len(block) - 4 - 4 * int.from_bytes(block[-4:], "little")
    entries: Entries = []
    position, key = 0, b""
    while position < end:
        shared, position = read_varint(block, position)
        own, position = read_varint(block, position)
        size, position = read_varint(block, position)
        key = key[:shared] + block[position : position + own]
        position += own
        entries.append((key, block[position : position + size]))
        position += size
    return entries


def read(path: Path) -> Entries:
    """Return the entries of a table."""
    content = path.read_bytes()

    def block(handle: bytes) -> Entries:
        offset, position = read_varint(handle, 0)
        size, _ = read_varint(handle, position)
        return block_entries(content[offset : offset + size])

    footer = content[-FOOTER_SIZE:]
    _, position = read_varint(footer, 0)
    _, position = read_varint(footer, position)
    return [entry for _, handle in block(footer[position:]) for entry in block(handle)]


def write(entries: Entries) -> bytes:
    """Return a table with one block of entries."""

    def block(entries: Entries) -> bytes:
        rows = [varint(0) + varint(len(k)) + varint(len(v)) + k + v for k, v in entries]
        # Restart points: one, at 0. Compression: none.
        content = b"".join(rows) + struct.pack("<II", 0, 1) + b"\0"
        return content + struct.pack("<I", masked_crc32c(content))

    def handle(start: int, content: bytes) -> bytes:
        return varint(start) + varint(len(content) - 5)

    data, meta = block(entries), block([])
    last_key = entries[-1][0] if entries else b""
    index = block([(last_key, handle(0, data))])
    footer = handle(len(data), meta) + handle(len(data) + len(meta), index)
    padding = FOOTER_SIZE - len(MAGIC)
    return data + meta + index + footer.ljust(padding, b"\0") + MAGIC


def _crc_table() -> list[int]:
    table = []
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)
        table.append(number)
    return table


CRC_TABLE = _crc_table()


def masked_crc32c(content: bytes) -> int:
    """Return the CRC-32C as LevelDB stores it."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = CRC_TABLE[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
