"""The body of a request -> 784 pixels, or the bytes of a picture file."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
from flask import Request
from werkzeug.exceptions import (
    BadRequest,
    RequestEntityTooLarge,
    UnprocessableEntity,
    UnsupportedMediaType,
)

from deep_mnist.data import input_checks
from deep_mnist.vision import image

MAX_BYTES = 20_000_000
MAX_JSON_BYTES = 200_000  # 784 numbers of up to twenty digits, indented
EXPECTED = (
    'expected application/json with {"pixels": [784 numbers]}, a picture as image/png, '
    "image/jpeg and the like, or multipart/form-data with one picture (curl -F picture=@FILE)"
)


def check_encoding(request: Request) -> None:
    """Raises UnsupportedMediaType for a body that is compressed once more."""
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        raise UnsupportedMediaType(
            f"Content-Encoding: expected none, found {_short(encoding)}; send the body as it is"
        )


def wants_pixels(request: Request) -> bool:
    """Whether the answer is to hold the 28x28 of each digit: `?pixels=1`."""
    said = request.args.get("pixels", "0")
    if said not in ("0", "1"):
        raise BadRequest(f"?pixels: expected 0 or 1, found {_short(said)}")
    return said == "1"


def picture(request: Request) -> bytes | None:
    """The picture file that a request brings, as its body or in a form; None if it brings none.

    Raises:
      BadRequest: no bytes, or a form without exactly one file.
      RequestEntityTooLarge: a form with more in it than a picture.
    """
    if request.mimetype == "multipart/form-data":
        content = _file_of_form(request)
    elif request.mimetype.startswith("image/") or request.mimetype == "application/octet-stream":
        content = request.get_data()
    else:
        return None
    if not content:
        raise BadRequest("picture: expected the bytes of a picture file, found none")
    return content


def _file_of_form(request: Request) -> bytes:
    expected = "multipart/form-data: expected one picture (curl -F picture=@FILE)"
    if not request.mimetype_params.get("boundary"):
        raise BadRequest(
            "multipart/form-data: expected a boundary in Content-Type, found none; "
            "let the client write that header (curl -F, or fetch with a FormData)"
        )
    try:
        files = [file for _, file in request.files.items(multi=True)]
    except RequestEntityTooLarge:
        raise RequestEntityTooLarge(
            f"{expected}, found more than {request.max_form_parts} fields, or more than "
            f"{request.max_form_memory_size} bytes in those that are no file; send the file alone"
        ) from None
    if len(files) != 1:
        fields = f" and the fields {_short(sorted(map(str, request.form)))}" if request.form else ""
        raise BadRequest(f"{expected}, found {len(files)} files{fields}")
    content: bytes = files[0].read()
    return content


def pixels(request: Request) -> npt.NDArray[np.float32]:
    """The 28x28 that a request brings as JSON: [784] in [0, 1], 1 is ink.

    Raises:
      BadRequest: something else than 784 finite numbers in [0, 1].
      RequestEntityTooLarge, UnsupportedMediaType: the body is not such a JSON.
    """
    if request.mimetype != "application/json":
        found = request.mimetype or "no Content-Type"
        raise UnsupportedMediaType(f"Content-Type: {EXPECTED}; found {found[:80]}")
    body = request.get_data()
    if len(body) > MAX_JSON_BYTES:
        raise RequestEntityTooLarge(
            f"expected at most {MAX_JSON_BYTES} bytes of JSON, found {len(body)}: "
            "784 numbers of a few decimals are less"
        )
    return _checked(_decoded(body))


def check_ink(pixels: npt.NDArray[np.float32]) -> None:
    """Raises UnprocessableEntity for pixels all nearly the same, or with ink for paper."""
    if np.ptp(pixels) < image.MIN_CONTRAST:
        raise UnprocessableEntity("pixels: expected a digit, found 784 that are nearly the same")
    doubt = input_checks.find_problem(pixels[None])
    if doubt is not None:
        raise UnprocessableEntity(f"pixels: {doubt}")


def _decoded(body: bytes) -> Any:
    expected = 'expected JSON, {"pixels": [784 numbers]}, found'

    def refuse(word: str) -> None:
        raise BadRequest(f"pixels: expected numbers from 0 (paper) to 1 (ink), found {word}")

    def whole(digits: str) -> int | float:
        return int(digits) if len(digits) < 20 else float(digits)  # of thousands, Python has none

    if not body:
        raise BadRequest(f"{expected} no bytes")
    try:
        return json.loads(body, parse_constant=refuse, parse_int=whole)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadRequest(f"{expected} a mistake in {where}: {error.msg}") from None
    except UnicodeDecodeError:
        raise BadRequest(f"{expected} bytes that are no UTF-8") from None
    except RecursionError:
        raise BadRequest(f"{expected} too many brackets in brackets") from None


def _checked(value: Any) -> npt.NDArray[np.float32]:
    if not isinstance(value, dict) or set(value) != {"pixels"}:
        found = f"the keys {_short(sorted(value))}" if isinstance(value, dict) else _short(value)
        raise BadRequest(f'expected an object, {{"pixels": [784 numbers]}}, found {found}')
    numbers = value["pixels"]
    if not isinstance(numbers, list):
        raise BadRequest(f"pixels: expected 784 numbers, found {_short(numbers)}")
    if len(numbers) == 28 and all(isinstance(row, list) and len(row) == 28 for row in numbers):
        numbers = [number for row in numbers for number in row]
    if len(numbers) != 784:
        raise BadRequest(
            f"pixels: expected 784 numbers, or 28 rows of 28, found {len(numbers)} elements"
        )
    for index, number in enumerate(numbers):
        if type(number) not in (int, float):  # a bool is an int, but no pixel
            raise BadRequest(f"pixels[{index}]: expected a number, found {_short(number)}")
        if not 0 <= number <= 1:
            hint = "; divide by 255" if 2 <= number <= 255 else ""
            raise BadRequest(
                f"pixels[{index}]: expected a number from 0 (paper) to 1 (ink), "
                f"found {_short(number)}{hint}"
            )
    return np.array(numbers, np.float32)


def _short(value: Any) -> str:
    """A value of the user's for an error message: on one line, and not all of a long one."""
    said = json.dumps(value)
    return said if len(said) <= 40 else said[:40] + " ..."
