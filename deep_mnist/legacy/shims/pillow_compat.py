"""Pillow 9 for TF1 scripts: the names that Pillow 10 dropped."""

from __future__ import annotations

import functools
import importlib
from typing import Any

from deep_mnist.legacy import symbol_table

__all__ = ["install"]


@functools.cache
def install() -> None:
    """Add the dropped names to this process's Pillow."""
    image: Any = importlib.import_module("PIL.Image")
    draw: Any = importlib.import_module("PIL.ImageDraw").ImageDraw
    font: Any = importlib.import_module("PIL.ImageFont")
    for old, new in symbol_table.PILLOW.items():
        if not hasattr(image, old):
            setattr(image, old, getattr(image, new))
    _add(draw, "textsize", _textsize)
    _add(draw, "multiline_textsize", _textsize)
    for kind in (font.FreeTypeFont, font.ImageFont):
        _add(kind, "getsize", lambda self, text, *args: _size(self.getbbox(text, *args)))


def _textsize(self: Any, text: str, font: Any = None, spacing: float = 4, **options: Any) -> Any:
    """(width, height) of a text, in pixels."""
    return _size(self.textbbox((0, 0), text, font, spacing=spacing, **options))


def _size(box: tuple[float, float, float, float]) -> tuple[int, int]:
    return int(box[2]), int(box[3])


def _add(owner: Any, name: str, value: Any) -> None:
    if not hasattr(owner, name):
        setattr(owner, name, value)
