"""LevelDB's tables, as both formats of TF1 checkpoints have: taken apart, and put together.

Format: tensorflow/core/lib/io/table_format.txt.
"""

from __future__ import annotations

import struct
from pathlib import Path

Entries = list[tuple[bytes, bytes]]


def pack(entries: Entries) -> bytes:
    return b"".join(struct.pack("<HH", len(k), len(v)) + k + v for k, v in entries)


def unpack(content: bytes) -> Entries:
    entries, place = {}, 0
    while place + 4 <= len(content):
        key, value = struct.unpack_from("<HH", content, place)
        place += 4 + key + value
        start = place - key - value
        entries[content[start : start + key]] = content[start + key : place]
    return sorted(entries.items())


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def read_varint(content: bytes, place: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        number |= (content[place] & 127) << shift
        place, shift = place + 1, shift + 7
        if content[place - 1] < 128:
            return number, place


def block_entries(block: bytes) -> Entries:
    end = len(block) - 4 - 4 * int.from_bytes(block[-4:], "little")
    entries: Entries = []
    place, key = 0, b""
    while place < end:
        shared, place = read_varint(block, place)
        own, place = read_varint(block, place)
        size, place = read_varint(block, place)
        key = key[:shared] + block[place : place + own]
        entries.append((key, block[place + own : place + own + size]))
        place += own + size
    return entries


def read(path: Path) -> Entries:
    """The entries of a table (LevelDB's format, which both kinds of checkpoint have)."""
    content = path.read_bytes()

    def block(handle: bytes) -> Entries:
        offset, place = read_varint(handle, 0)
        size, _ = read_varint(handle, place)
        return block_entries(content[offset : offset + size])

    footer = content[-48:]
    _, place = read_varint(footer, 0)
    _, place = read_varint(footer, place)
    return [entry for _, handle in block(footer[place:]) for entry in block(handle)]


def write(entries: Entries) -> bytes:
    """A table of one block."""

    def block(entries: Entries) -> bytes:
        rows = [varint(0) + varint(len(k)) + varint(len(v)) + k + v for k, v in entries]
        content = b"".join(rows) + struct.pack("<II", 0, 1) + b"\0"  # a restart; not compressed
        return content + struct.pack("<I", masked_crc32c(content))

    def handle(start: int, content: bytes) -> bytes:
        return varint(start) + varint(len(content) - 5)

    data, meta = block(entries), block([])
    listing = block([((entries or [(b"", b"")])[-1][0], handle(0, data))])
    footer = handle(len(data), meta) + handle(len(data) + len(meta), listing)
    return data + meta + listing + footer.ljust(40, b"\0") + bytes.fromhex("57fb808b247547db")


def _crc_table() -> list[int]:
    table = []
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)
        table.append(number)
    return table


CRC_TABLE = _crc_table()


def masked_crc32c(content: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in content:
        crc = CRC_TABLE[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
