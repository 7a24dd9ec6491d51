"""Random corruptions of a file's bytes."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path


def flip_a_bit(content: bytearray, rng: random.Random) -> None:
    content[random_position(content, rng)] ^= 1 << rng.randrange(8)


def flip_bits(content: bytearray, rng: random.Random) -> None:
    for _ in range(rng.randint(2, 30)):
        flip_a_bit(content, rng)


def zero_a_block(content: bytearray, rng: random.Random) -> None:
    block = random_block(content, rng)
    content[block] = bytes(block.stop - block.start)


def overwrite_a_block(content: bytearray, rng: random.Random) -> None:
    block = random_block(content, rng)
    content[block] = rng.randbytes(block.stop - block.start)


def truncate(content: bytearray, rng: random.Random) -> None:
    del content[random_position(content, rng) :]


def remove_a_block(content: bytearray, rng: random.Random) -> None:
    del content[random_block(content, rng)]


def append(content: bytearray, rng: random.Random) -> None:
    content += rng.randbytes(rng.randint(1, 5000))


def swap_two_blocks(content: bytearray, rng: random.Random) -> None:
    size = max(1, min(len(content) // 3, rng.choice((1, 16, 512, 4096))))
    first, second = rng.randrange(len(content)), rng.randrange(len(content))
    first_block, second_block = content[first : first + size], content[second : second + size]
    length = min(len(first_block), len(second_block), abs(first - second))
    content[first : first + length] = second_block[:length]
    content[second : second + length] = first_block[:length]


def empty(content: bytearray, rng: random.Random) -> None:
    content.clear()


DELETE = "delete"  # the file
CORRUPTIONS: dict[str, Callable[[bytearray, random.Random], None]] = {
    "flip a bit": flip_a_bit,
    "flip bits": flip_bits,
    "zero a block": zero_a_block,
    "overwrite a block": overwrite_a_block,
    "truncate": truncate,
    "remove a block": remove_a_block,
    "append": append,
    "swap two blocks": swap_two_blocks,
    "empty": empty,
}
# Single flipped bits are the hardest to detect, so they are tried most often.
CHOICES = (*["flip a bit"] * 4, *CORRUPTIONS, DELETE)


def random_position(content: bytearray, rng: random.Random) -> int:
    """Return a random position; every second one is among the first or last hundred bytes.

    Headers and directories of files are there.
    """
    edge = min(100, len(content))
    return rng.choice(
        (
            rng.randrange(len(content)),
            rng.randrange(len(content)),
            rng.randrange(edge),
            len(content) - 1 - rng.randrange(edge),
        )
    )


def random_block(content: bytearray, rng: random.Random) -> slice:
    """Return a block of random position and size."""
    start = random_position(content, rng)
    return slice(start, min(len(content), start + rng.choice((1, 4, 16, 128, 512, 4096))))


def corrupt(path: Path, corruption: str, rng: random.Random) -> None:
    """Corrupt a file; the target of a link stays as it is, the link is replaced."""
    original = path.read_bytes()
    path.unlink()
    if corruption == DELETE:
        return
    content = bytearray(original)
    while content == original:
        content = bytearray(original)
        CORRUPTIONS[corruption](content, rng)
    path.write_bytes(content)
