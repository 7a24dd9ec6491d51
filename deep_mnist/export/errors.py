"""How an export ends that is nobody's mistake but the converter's."""

from __future__ import annotations


class ExportError(Exception):
    """It can't be made, or loaded, or answers something else. The message is one line."""


def reason(error: BaseException) -> str:
    """The first line of what a library said."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
