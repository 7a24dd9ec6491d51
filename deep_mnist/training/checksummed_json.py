"""JSON files that tell when they were altered: their key sha256 is the digest of all the others.

Without it, one flipped bit would be another setting, or another accuracy, and nobody the wiser.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deep_mnist.data.io import open_regular_file
from deep_mnist.errors import DeepMnistError

SEAL = "sha256"
MAX_BYTES = 1 << 20  # a run's are a thousandth of it


def text(values: Mapping[str, Any]) -> str:
    """The file's text: the values, and their seal last."""
    return json.dumps({**values, SEAL: digest(values)}, indent=2, allow_nan=False) + "\n"


def read(path: Path) -> dict[str, Any]:
    """The values in a file, without their seal; one of an older version has none.

    Raises:
      FileNotFoundError: there is no such file.
      DeepMnistError: it can't be read, is no JSON object, or was altered after it was written.
    """
    try:
        with open_regular_file(path) as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DeepMnistError(f"{path} can't be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise DeepMnistError(f"{path}: expected at most {MAX_BYTES} bytes, found more")
    try:
        values = json.loads(content.decode("utf-8"), parse_constant=_refuse)
        if not isinstance(values, dict):
            raise ValueError(f"expected an object, found a {type(values).__name__}")
        seal = values.pop(SEAL, None)
        altered = seal not in (None, digest(values))
    except (ValueError, RecursionError) as error:
        raise DeepMnistError(f"{path} can't be read as JSON: {error}") from None
    if altered:
        raise DeepMnistError(
            f"{path} was altered after it was written: expected the values of its {SEAL}, found "
            f"others; take a copy of it, or, where the change is meant, remove the line {SEAL}"
        )
    return values


def _refuse(constant: str) -> Any:
    raise ValueError(f"expected finite numbers, found {constant}")


def digest(values: Mapping[str, Any]) -> str:
    """The SHA-256 of values, whatever their order and the spaces between them."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
