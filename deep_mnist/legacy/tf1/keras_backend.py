"""keras.backend of Keras 1: the order of an image's axes was called "tf" or "th"."""

from __future__ import annotations

from typing import Any

from deep_mnist.legacy import libraries, symbol_table

__all__ = ["image_dim_ordering", "set_image_dim_ordering"]

backend: Any = libraries.load(f"{symbol_table.KERAS}.backend")
_FORMATS = {"tf": "channels_last", "th": "channels_first"}


def image_dim_ordering() -> str:
    """Return "tf" (channels last) or "th" (channels first)."""
    return "th" if backend.image_data_format() == "channels_first" else "tf"


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Set the order for layers that are created later."""
    backend.set_image_data_format(_FORMATS[dim_ordering])
