"""The body of a request -> 784 pixels, or the bytes of a picture file."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
from flask import Request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

MAX_BYTES = 20_000_000
MAX_JSON_BYTES = 200_000  # 784 numbers of up to twenty digits, indented
EXPECTED = (
    'expected application/json with {"pixels": [784 numbers]}, a picture as image/png, '
    "image/jpeg and the like, or multipart/form-data with one picture (curl -F picture=@FILE)"
)


def picture(request: Request) -> bytes | None:
    """The picture file that a request brings, as its body or in a form; None if it brings none.

    Raises:
      BadRequest: no bytes, or a form without exactly one file.
    """
    if request.mimetype == "multipart/form-data":
        files = [file for _, file in request.files.items(multi=True)]
        if len(files) != 1:
            raise BadRequest(f"multipart/form-data: expected one picture, found {len(files)}")
        content: bytes = files[0].read()
    elif request.mimetype.startswith("image/") or request.mimetype == "application/octet-stream":
        content = request.get_data()
    else:
        return None
    if not content:
        raise BadRequest("picture: expected the bytes of a picture file, found none")
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
            f"expected at most {MAX_JSON_BYTES} bytes of JSON, found {len(body)}"
        )
    return _checked(_decoded(body))


def _decoded(body: bytes) -> Any:
    def refuse(word: str) -> None:
        raise BadRequest(f"pixels: expected numbers from 0 (paper) to 1 (ink), found {word}")

    try:
        return json.loads(body, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise BadRequest('expected JSON, {"pixels": [784 numbers]}, found none') from None


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
            hint = "; divide by 255" if 1 < number <= 255 else ""
            raise BadRequest(
                f"pixels[{index}]: expected a number from 0 (paper) to 1 (ink), "
                f"found {_short(number)}{hint}"
            )
    return np.array(numbers, np.float32)


def _short(value: Any) -> str:
    """A value of the user's for an error message: on one line, and not all of a long one."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**15:
        return "a number of too many digits"
    said = json.dumps(value)
    return said if len(said) <= 40 else said[:40] + " ..."
