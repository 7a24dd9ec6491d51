"""Converters and interpreters without their talk: logs, notices, deprecations."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from deep_mnist.lazy_tensorflow import standard_error_held_back


@contextmanager
def quietly() -> Iterator[None]:
    """Holds back warnings, and standard error of native code too; replays it if the body fails."""
    with standard_error_held_back(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def reason(error: BaseException) -> str:
    """The first line of a library's error message."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
