"""A picture file that a person has -> its digits, framed as MNIST frames them.

    picture = image.read(Path("photo.jpg"))
    for digit in image.digits(picture): ...   # pixels [784], box (x, y, width, height)

The one way from a picture to a network: predict, the page and the tests all take it.
"""

from __future__ import annotations

import importlib.util
import io
import math
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from deep_mnist.errors import DatasetError, ImageError
from deep_mnist.vision import frame, ink, plain, segment, sheet, shrink
from deep_mnist.vision.resample import FloatArray
from deep_mnist.vision.sheet import View

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
MAX_BYTES = 50_000_000
MAX_PIXELS = 30_000_000  # of the file: looked at before anything is decoded
MAX_SCANS = 100  # of a progressive JPEG, which has some ten
PIXELS = 1_200_000  # that are worked on: a larger picture is made smaller first
MOST = 1_000  # digits: each takes some 15 ms, and noise is as many as there is room for
LONGEST = 4_000  # side of that, in pixels
ORIENTATION = 0x0112  # the tag of EXIF

TURNS: dict[int, Callable[[Any], Any]] = {  # what makes it upright
    2: np.fliplr,
    3: lambda array: np.rot90(array, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda array: np.rot90(array, -1),
    7: lambda array: np.rot90(array, 2).T,
    8: np.rot90,
}
BRIGHTNESS = np.array([0.299, 0.587, 0.114], np.float32)  # of red, green and blue
NO_CONTRAST = 0.03

NOT_INSTALLED = 'reading pictures needs Pillow: pip install "deep_mnist[predict]"'

_one_at_a_time = threading.Lock()  # decoding takes memory, and Pillow's warnings are silenced


class Picture(NamedTuple):
    """A picture as it is seen: upright, on white where it is transparent."""

    grey: FloatArray  # [H, W] in [0, 1], 0 is black; a large file's is smaller
    width: int  # of the file, upright, in pixels
    height: int


class Digit(NamedTuple):
    """A digit that was found."""

    pixels: FloatArray  # [784] in [0, 1], as MNIST frames it, ink is 1
    box: tuple[int, int, int, int]  # x, y, width, height, in pixels of the file, upright


class PillowMissingError(DatasetError):
    """Pillow is not installed. The message names the command that installs it."""


def check_installed() -> None:
    """Raises PillowMissingError if pictures can't be read at all."""
    if importlib.util.find_spec("PIL") is None:
        raise PillowMissingError(NOT_INSTALLED)


def read(source: bytes | Path) -> Picture:
    """Decodes a picture: PNG, JPEG, WebP, BMP, TIFF or GIF (of several pages, the first).

    Args:
      source: a file, or its bytes.

    Raises:
      ImageError: no such picture, a damaged one, or one past MAX_BYTES or MAX_PIXELS.
      PillowMissingError: Pillow is not installed.
    """
    check_installed()
    from PIL import Image, UnidentifiedImageError

    content = source if isinstance(source, bytes) else _bytes_of(source)
    if not content:
        raise ImageError("expected a picture, found no bytes")
    if len(content) > MAX_BYTES:
        raise ImageError(f"expected at most {MAX_BYTES} bytes, found {len(content)}")
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                _check_size(*image.size)
                if image.format in ("JPEG", "MPO"):
                    _check_scans(content)
                return _decode(image)
        except ImageError:
            raise
        except UnidentifiedImageError:
            kinds = ", ".join(FORMATS)
            raise ImageError(f"expected a picture ({kinds}), found something else") from None
        except Image.DecompressionBombError:
            raise ImageError(f"expected at most {MAX_PIXELS} pixels, found far more") from None
        except Exception as error:  # a damaged file makes its decoder raise anything
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ImageError(f"the picture is damaged ({reason})") from None


def digits(picture: Picture) -> list[Digit]:
    """The digits on a picture, line by line from left to right.

    Raises:
      ImageError: there is none, or more than MOST.
    """
    sheets = [] if plain.is_plain(picture.grey) else sheet.views(picture.grey)
    for view in (*sheets, View(picture.grey, 0, 0)):
        found = segment.digits(ink.find(view.grey))
        if len(found) > MOST:
            raise ImageError(
                f"expected at most {MOST} digits, found {len(found)} strokes apart: cut it up"
            )
        if found:
            return [_digit(picture, view, piece) for piece in found]
    blank = np.ptp(picture.grey) < ink.CONTRAST
    raise ImageError(
        "the picture is blank: every pixel is nearly the same"
        if blank
        else "expected a digit, found nothing that is like a pen's stroke"
    )


def write_png(path: Path | IO[bytes], pixels: npt.NDArray[np.uint8]) -> None:
    """Writes [784] grey values as a picture of 28x28."""
    from PIL import Image

    Image.fromarray(pixels.reshape(frame.SIDE, frame.SIDE)).save(path, "PNG")


def _digit(picture: Picture, view: View, piece: segment.Piece) -> Digit:
    left, top, right, bottom = piece.box
    height, width = picture.grey.shape
    left, right = ((view.left + x) * picture.width // width for x in (left, right))
    top, bottom = ((view.top + y) * picture.height // height for y in (top, bottom))
    return Digit(frame.frame(piece.values), (left, top, right - left, bottom - top))


def _bytes_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ImageError(f"can't be read: {error.strerror}") from None


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"expected at most {MAX_PIXELS} pixels, found {width} x {height}: make it smaller"
        )


def _check_scans(jpeg: bytes) -> None:
    """Each scan goes over the whole picture; their marker stands nowhere in what is compressed."""
    scans = jpeg.count(b"\xff\xda")
    if scans > MAX_SCANS:
        raise ImageError(f"expected at most {MAX_SCANS} scans, found {scans}: save it anew")


def _decode(image: Any) -> Picture:
    width, height = image.size
    times = max(1, math.ceil(math.sqrt(width * height / PIXELS)), -(-max(image.size) // LONGEST))
    if times > 1:  # of a JPEG, no more is decoded than is looked at
        image.draft(None, (-(-width // times), -(-height // times)))
        times = max(1, round(times * image.size[0] / width))
    turn = TURNS.get(_orientation(image), np.asarray)
    upright = (height, width) if turn(np.empty((1, 2))).shape == (2, 1) else (width, height)
    return Picture(np.ascontiguousarray(turn(_grey(image, times)), np.float32), *upright)


def _orientation(image: Any) -> int:
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # a damaged tag: the picture itself may be whole
        return 1


def _grey(image: Any, times: int) -> FloatArray:
    """[H, W] in [0, 1], `times` smaller."""
    if image.mode.startswith(("I", "F")):
        return shrink.deep(image, times)
    if not shrink.is_partly_transparent(image):
        return _most_contrast(shrink.colours(image, times))
    channels = shrink.colours_and_coverage(image, times)
    colours, coverage = channels[:, :, :3], channels[:, :, 3:]
    grey = _most_contrast(colours * coverage + (1 - coverage))  # on white paper
    return 1 - coverage[:, :, 0] if np.ptp(grey) < NO_CONTRAST else grey  # white ink, on nothing


def _most_contrast(colours: FloatArray) -> FloatArray:
    """[H, W, 3] -> [H, W]: brightness, or the colour that shows the ink, as blue shows yellow."""
    red, green, blue = np.moveaxis(colours, 2, 0)
    if np.array_equal(red, green) and np.array_equal(green, blue):
        return np.asarray(red)
    planes: list[FloatArray] = [colours @ BRIGHTNESS, red, green, blue]
    contrasts = [ink.contrast(plane) for plane in planes]
    best = int(np.argmax(contrasts))
    return planes[best] if contrasts[best] > 1.7 * contrasts[0] else planes[0]
