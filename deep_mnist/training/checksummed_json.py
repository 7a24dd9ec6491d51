"""JSON files with a checksum: the key sha256 holds the digest of all other values.

A flipped bit would otherwise be another setting or another accuracy, and would not be noticed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deep_mnist.data.io import open_regular_file
from deep_mnist.errors import DeepMnistError

CHECKSUM = "sha256"
MAX_BYTES = 1 << 20  # a run's files have a thousandth of it


def text(values: Mapping[str, Any]) -> str:
    """Return the text of the file: the values, and their checksum last."""
    return json.dumps({**values, CHECKSUM: digest(values)}, indent=2, allow_nan=False) + "\n"


def read(path: Path) -> dict[str, Any]:
    """Return the values in a file; the checksum is optional.

    Raises:
      FileNotFoundError: the file does not exist.
      DeepMnistError: it cannot be read, is not a JSON object, or does not match its checksum.
    """
    try:
        with open_regular_file(path) as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DeepMnistError(f"cannot read {path} ({error.strerror})") from None
    if len(content) > MAX_BYTES:
        raise DeepMnistError(f"{path}: expected at most {MAX_BYTES} bytes, found more")
    try:
        values = json.loads(content.decode("utf-8"), parse_constant=_refuse)
        if not isinstance(values, dict):
            raise ValueError(f"expected an object, found a {type(values).__name__}")
        checksum = values.pop(CHECKSUM, None)
        altered = checksum not in (None, digest(values))
    except (ValueError, RecursionError) as error:
        raise DeepMnistError(f"{path} is not valid JSON: {error}") from None
    if altered:
        raise DeepMnistError(
            f"{path} was altered: its values do not match its {CHECKSUM}",
            hint=f"restore the file from a copy; if you edited it, remove the line {CHECKSUM}",
        )
    return values


def digest(values: Mapping[str, Any]) -> str:
    """Return the SHA-256 of values, whatever their order and the spaces between them."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _refuse(constant: str) -> Any:
    raise ValueError(f"expected finite numbers, found {constant}")
