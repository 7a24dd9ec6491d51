"""Find the digits in an image file and normalize them as MNIST's.

    picture = image.read(Path("photo.jpg"))
    for digit in image.digits(picture): ...   # pixels [784], box (x, y, width, height)

`predict`, the server and the tests use these functions only. Pillow and OpenCV are imported when an
image is processed.
"""

from __future__ import annotations

import importlib.util
import io
import threading
import warnings
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from deep_mnist.errors import DeepMnistError, ImageError

if TYPE_CHECKING:
    from deep_mnist.vision.page_detection import Page
    from deep_mnist.vision.segmentation import Segment

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
MAX_BYTES = 50_000_000
# Scans of a progressive JPEG. Files have about ten; decoding each takes as long as an image.
MAX_SCANS = 100
# Noise can have thousands of components.
MAX_DIGITS = 1_000
# Other shapes in an image with one digit, as on a phone's screen; with two digits, half as many.
MAX_OTHERS = 20

FloatArray = npt.NDArray[np.float32]

_one_at_a_time = threading.Lock()  # decoding takes memory, and changes the filter of warnings


class Picture(NamedTuple):
    """A decoded image."""

    gray: FloatArray  # [H, W] in [0, 1], 0 is black; upright, on white; a large file's is reduced
    width: int  # of the upright image in the file, in pixels
    height: int


class Digit(NamedTuple):
    """A digit in an image."""

    pixels: FloatArray  # [784] in [0, 1], normalized as MNIST's, 1 is stroke
    box: tuple[int, int, int, int]  # x, y, width, height in pixels of the upright image in the file


def check_installed() -> None:
    """Check that images can be processed.

    Raises:
      DeepMnistError: Pillow or OpenCV is not installed.
    """
    for library in ("PIL", "cv2"):
        if importlib.util.find_spec(library) is None:
            hint = 'install them with: pip install "deep_mnist[predict]"'
            raise DeepMnistError("images need Pillow and OpenCV", hint=hint)


def read(source: bytes | Path) -> Picture:
    """Decode an image: PNG, JPEG, WebP, BMP, TIFF or GIF (the first of several pages).

    Args:
      source: path of a file, or its content.

    Raises:
      ImageError: not an image, a damaged one, or one that is too large.
      DeepMnistError: Pillow or OpenCV is not installed.
    """
    check_installed()
    from PIL import Image, UnidentifiedImageError

    from deep_mnist.vision.decode import to_gray

    content = source if isinstance(source, bytes) else _content(source)
    if not content:
        raise ImageError("expected an image, found no data")
    if len(content) > MAX_BYTES:
        raise ImageError(f"expected at most {MAX_BYTES} bytes, found {len(content)}")
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                if image.info.get("progressive"):
                    _check_scans(content)
                return Picture(*to_gray(image))
        except ImageError:
            raise
        except UnidentifiedImageError:
            kinds = ", ".join(FORMATS)
            raise ImageError(f"expected an image ({kinds}), found another type") from None
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise ImageError(
                f"expected at most {Image.MAX_IMAGE_PIXELS} pixels, found more"
            ) from None
        except Exception as error:  # of a damaged file, decoders raise anything
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ImageError(f"the image is damaged ({reason})") from None


def digits(picture: Picture) -> list[Digit]:
    """Return the digits in an image, line by line from left to right.

    Raises:
      ImageError: there is none, or more than MAX_DIGITS.
    """
    from deep_mnist.vision.binarize import binarize
    from deep_mnist.vision.components import MIN_CONTRAST
    from deep_mnist.vision.page_detection import Page, find_pages, find_windows
    from deep_mnist.vision.segmentation import count_shapes, segment

    gray = picture.gray
    if np.ptp(gray) < MIN_CONTRAST:
        raise ImageError("the image is blank: all pixels are nearly equal")
    others = 0
    for page in (*find_pages(gray), Page(gray, 0, 0)):
        strokes = binarize(page.gray)
        segments = segment(strokes)
        if len(segments) > MAX_DIGITS:
            raise ImageError(
                f"expected at most {MAX_DIGITS} digits, found {len(segments)}: crop the image"
            )
        count, others = count_shapes(strokes, segments)
        if segments and others <= max(MAX_OTHERS // max(count, 1), count):
            return [_digit(picture, page, part) for part in segments]
    if others:
        for page in find_windows(gray):
            strokes = binarize(page.gray)
            segments = segment(strokes)
            count, others_inside = count_shapes(strokes, segments)
            height = max((part.box[3] - part.box[1] for part in segments), default=0)
            if height > 0.25 * len(page.gray) and others_inside <= count:
                return [_digit(picture, page, part) for part in segments]
        raise ImageError(f"expected digits, found {others} other shapes: crop the image")
    raise ImageError("expected a digit, found no pen strokes")


def _digit(picture: Picture, page: Page, part: Segment) -> Digit:
    from deep_mnist.vision.normalize import normalize

    left, top, right, bottom = part.box
    height, width = picture.gray.shape
    left, right = ((page.left + x) * picture.width // width for x in (left, right))
    top, bottom = ((page.top + y) * picture.height // height for y in (top, bottom))
    return Digit(normalize(part.strokes), (left, top, right - left, bottom - top))


def write_png(path: Path | IO[bytes], pixels: npt.NDArray[np.uint8]) -> None:
    """Write gray values, [784], as an image of 28x28."""
    from PIL import Image

    Image.fromarray(pixels.reshape(28, 28)).save(path, "PNG")


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ImageError(f"cannot be read: {error.strerror}") from None


def _check_scans(jpeg: bytes) -> None:
    scans = jpeg.count(b"\xff\xda")  # the marker of a scan, which compressed data cannot have
    if scans > MAX_SCANS:
        raise ImageError(f"expected at most {MAX_SCANS} scans, found {scans}: save the image again")
