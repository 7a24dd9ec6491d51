"""Text from elsewhere, made fit for a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """A text that is one line, and moves no cursor: names in a file may be anything."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
