"""tf.image functions whose positional arguments changed."""

from __future__ import annotations

from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = ["resize_images"]


def resize_images(images: Any, *args: Any, **kwargs: Any) -> Any:
    """Resize to (height, width), as until 0.10, or to a size [height, width]."""
    if len(args) > 1 and isinstance(args[0], int):
        args = (list(args[:2]), *args[2:])
    if "new_height" in kwargs:
        kwargs["size"] = [kwargs.pop("new_height"), kwargs.pop("new_width")]
    return tf.image.resize_images(images, *args, **kwargs)
