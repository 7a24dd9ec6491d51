"""keras.backend's names of Keras 1, where the order of an image's axes was "tf" or "th"."""

from __future__ import annotations

from tensorflow.python.keras import backend

__all__ = ["image_dim_ordering", "set_image_dim_ordering"]

_FORMATS = {"tf": "channels_last", "th": "channels_first"}


def image_dim_ordering() -> str:
    """ "tf", channels last, or "th", channels first."""
    return "th" if backend.image_data_format() == "channels_first" else "tf"


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Sets it for the layers made from now on."""
    backend.set_image_data_format(_FORMATS[dim_ordering])
