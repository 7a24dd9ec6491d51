"""Reading exactly as many bytes as a header announces: no file can make memory grow past it."""

import math
from typing import Protocol

import numpy as np
import numpy.typing as npt

from deep_mnist.errors import DatasetError

MAX_EXAMPLES = 10_000_000
MAX_SIDE = 1024  # pixels
MAX_BYTES = 1 << 28  # five times the training images of MNIST
CHUNK = 1 << 20  # bytes decompressed at a time


class Stream(Protocol):
    """What is read from: a raw file, a gzip stream, a member of a zip."""

    def read(self, size: int, /) -> bytes: ...


def read_array(stream: Stream, shape: tuple[int, ...], where: str) -> npt.NDArray[np.uint8]:
    """Reads a uint8 array of `shape` ([N] labels or [N, rows, columns] images) to the stream's end.

    `where` opens the error messages. Raises DatasetError if the shape is absurdly large (before
    anything is allocated), or if the stream holds fewer or more bytes than the shape needs.
    """
    size = math.prod(shape)
    if (
        min(shape) < 0
        or shape[0] > MAX_EXAMPLES
        or max(shape[1:], default=0) > MAX_SIDE
        or size > MAX_BYTES
    ):
        raise DatasetError(
            f"{where}: its header announces {spell(shape)} bytes, expected at most {MAX_EXAMPLES} "
            f"examples, sides of {MAX_SIDE} and {MAX_BYTES} bytes in all"
        )
    array = np.empty(size, np.uint8)
    done = 0
    while done < size:
        chunk = stream.read(min(CHUNK, size - done))
        if not chunk:
            raise DatasetError(
                f"{where}: is cut short, expected {size} bytes of data, found {done}"
            )
        array.data[done : done + len(chunk)] = chunk
        done += len(chunk)
    # At the end of a compressed stream this read also checks its checksum.
    if stream.read(1):
        raise DatasetError(
            f"{where}: expands beyond its header, expected {size} bytes of data, found more"
        )
    return array.reshape(shape)


def spell(shape: tuple[int, ...]) -> str:
    """A shape for a message, as in "60000 x 28 x 28"."""
    return " x ".join(map(str, shape))
