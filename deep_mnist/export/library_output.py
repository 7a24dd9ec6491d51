"""Hold back what converters and interpreters print."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from deep_mnist.lazy_tensorflow import suppress_stderr


@contextmanager
def hold_back_output() -> Iterator[None]:
    """Ignore warnings and hold back standard error, also of native code.

    If the body raises, standard error is printed.
    """
    with suppress_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def first_line(error: BaseException) -> str:
    """Return the type of an error and the first line of its message."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
