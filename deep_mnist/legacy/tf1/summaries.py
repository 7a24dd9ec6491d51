"""The summaries of r0.x, whose first argument was a tag and not the name of an op."""

from __future__ import annotations

from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = ["audio_summary", "histogram_summary", "image_summary", "scalar_summary"]


def scalar_summary(tags: Any, values: Any, collections: Any = None, name: Any = None) -> Any:
    """Like summary.scalar; `tags` may be a tensor, or a list of a name for each value."""
    if isinstance(tags, list | tuple):
        parts = zip(tags, tf.unstack(values), strict=True)
        return tf.summary.merge([scalar_summary(tag, value) for tag, value in parts], collections)
    return tf.summary.scalar(_name(tags), values, collections)


def histogram_summary(tag: Any, values: Any, collections: Any = None, name: Any = None) -> Any:
    """Like summary.histogram."""
    return tf.summary.histogram(_name(tag), values, collections)


def image_summary(
    tag: Any,
    tensor: Any,
    max_images: int = 3,
    collections: Any = None,
    name: Any = None,
    max_outputs: int | None = None,
) -> Any:
    """Like summary.image."""
    return tf.summary.image(_name(tag), tensor, max_outputs or max_images, collections)


def audio_summary(
    tag: Any,
    tensor: Any,
    sample_rate: float,
    max_outputs: int = 3,
    collections: Any = None,
    name: Any = None,
) -> Any:
    """Like summary.audio."""
    return tf.summary.audio(_name(tag), tensor, sample_rate, max_outputs, collections)


def _name(tag: Any) -> str:
    """Return a tag as text: of a tensor its name, of a list of one its element."""
    if isinstance(tag, list | tuple) and len(tag) == 1:
        tag = tag[0]
    return str(tag.op.name if hasattr(tag, "op") else tag).strip() or "summary"
