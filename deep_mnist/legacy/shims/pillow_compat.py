"""Gives this process's Pillow the names that its release 10 dropped."""

from __future__ import annotations

import functools
import importlib

from deep_mnist.legacy import symbol_table


@functools.cache
def install() -> None:
    """Adds what is missing and nothing else."""
    image = importlib.import_module("PIL.Image")
    for old, new in symbol_table.PILLOW.items():
        if not hasattr(image, old):
            setattr(image, old, getattr(image, new))
