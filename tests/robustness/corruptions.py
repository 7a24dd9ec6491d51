"""Ways in which the bytes of a file come to harm, each at a place that is drawn by chance."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path


def flip_a_bit(content: bytearray, chance: random.Random) -> None:
    content[place(content, chance)] ^= 1 << chance.randrange(8)


def flip_bits(content: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randint(2, 30)):
        flip_a_bit(content, chance)


def zero_a_block(content: bytearray, chance: random.Random) -> None:
    block = some_block(content, chance)
    content[block] = bytes(block.stop - block.start)


def overwrite_a_block(content: bytearray, chance: random.Random) -> None:
    block = some_block(content, chance)
    content[block] = chance.randbytes(block.stop - block.start)


def cut_the_end(content: bytearray, chance: random.Random) -> None:
    del content[place(content, chance) :]


def cut_a_block(content: bytearray, chance: random.Random) -> None:
    del content[some_block(content, chance)]


def append(content: bytearray, chance: random.Random) -> None:
    content += chance.randbytes(chance.randint(1, 5000))


def swap_two_blocks(content: bytearray, chance: random.Random) -> None:
    size = max(1, min(len(content) // 3, chance.choice((1, 16, 512, 4096))))
    first, second = chance.randrange(len(content)), chance.randrange(len(content))
    one, other = content[first : first + size], content[second : second + size]
    length = min(len(one), len(other), abs(first - second))
    content[first : first + length] = other[:length]
    content[second : second + length] = one[:length]


def empty(content: bytearray, chance: random.Random) -> None:
    content.clear()


MANNERS: dict[str, Callable[[bytearray, random.Random], None]] = {
    "flip a bit": flip_a_bit,
    "flip bits": flip_bits,
    "zero a block": zero_a_block,
    "overwrite a block": overwrite_a_block,
    "cut the end": cut_the_end,
    "cut a block": cut_a_block,
    "append": append,
    "swap two blocks": swap_two_blocks,
    "empty": empty,
}
ALL = (*["flip a bit"] * 4, *MANNERS, "delete")


def place(content: bytearray, chance: random.Random) -> int:
    """Any byte, but one of the first or last hundred as often: headers and directories."""
    edge = min(100, len(content))
    return chance.choice(
        (
            chance.randrange(len(content)),
            chance.randrange(len(content)),
            chance.randrange(edge),
            len(content) - 1 - chance.randrange(edge),
        )
    )


def some_block(content: bytearray, chance: random.Random) -> slice:
    start = place(content, chance)
    return slice(start, min(len(content), start + chance.choice((1, 4, 16, 128, 512, 4096))))


def damage(path: Path, manner: str, chance: random.Random) -> None:
    """Damages a file; a link to another is replaced, never written through."""
    whole = path.read_bytes()
    path.unlink()
    if manner == "delete":
        return
    content = bytearray(whole)
    while content == whole:
        content = bytearray(whole)
        MANNERS[manner](content, chance)
    path.write_bytes(content)
