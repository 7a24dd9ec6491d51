"""A picture file that a person has -> its digits, framed as MNIST frames them.

    picture = image.read(Path("photo.jpg"))
    for digit in image.digits(picture): ...   # pixels [784], box (x, y, width, height)

The one way from a picture to a network: predict, the page and the tests all take it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from deep_mnist.data.errors import DataError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
MAX_BYTES = 50_000_000
MAX_PIXELS = 50_000_000  # of the file, looked at before it is decoded
PIXELS = 1_000_000  # worked on: a larger picture is made smaller first

NOT_INSTALLED = 'reading pictures needs Pillow: pip install "deep_mnist[predict]"'

FloatArray = npt.NDArray[np.float32]


class Picture(NamedTuple):
    """A picture as it is seen: upright, on white where it is transparent."""

    grey: FloatArray  # [H, W] in [0, 1], 0 is black; at most PIXELS of them
    scale: float  # pixels of the file to one of grey's, at least 1
    width: int  # of the upright picture, in pixels of the file
    height: int


class Digit(NamedTuple):
    """A digit that was found."""

    pixels: FloatArray  # [784] in [0, 1], ink is 1
    box: tuple[int, int, int, int]  # x, y, width, height in pixels of the file, upright


class PictureError(DataError):
    """A picture that can't be read, or has no digit in it. One line, without the file's name."""
