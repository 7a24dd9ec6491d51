"""tf.nn functions whose positional arguments changed."""

from __future__ import annotations

from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = [
    "log_softmax",
    "max_pool_with_argmax",
    "sigmoid_cross_entropy_with_logits",
    "softmax",
    "softmax_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits_v2",
    "sparse_softmax_cross_entropy_with_logits",
]


def softmax(logits: Any, *args: Any, **kwargs: Any) -> Any:
    """Positional arguments are (logits, name), as until 0.11, or (logits, dim, name)."""
    return tf.nn.softmax(logits, **_dim_or_name(args), **kwargs)


def log_softmax(logits: Any, *args: Any, **kwargs: Any) -> Any:
    """Positional arguments are (logits, name), as until 0.11, or (logits, dim, name)."""
    return tf.nn.log_softmax(logits, **_dim_or_name(args), **kwargs)


def softmax_cross_entropy_with_logits(*args: Any, **kwargs: Any) -> Any:
    """Positional arguments are (logits, labels), as until 0.12."""
    given = _logits_first(args, kwargs)
    given["labels"] = _float_labels(given["labels"], given["logits"])
    return tf.nn.softmax_cross_entropy_with_logits(**given)


def softmax_cross_entropy_with_logits_v2(*args: Any, **kwargs: Any) -> Any:
    """Positional arguments are (labels, logits), as since 1.5."""
    kwargs.pop("_sentinel", None)
    given = dict(zip(("labels", "logits", "dim", "name"), args, strict=False)) | kwargs
    given["labels"] = _float_labels(given["labels"], given["logits"])
    return tf.nn.softmax_cross_entropy_with_logits_v2(**given)


def sparse_softmax_cross_entropy_with_logits(*args: Any, **kwargs: Any) -> Any:
    """Positional arguments are (logits, labels), as until 0.12."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(**_logits_first(args, kwargs))


def sigmoid_cross_entropy_with_logits(*args: Any, **kwargs: Any) -> Any:
    """Positional arguments are (logits, targets), as until 0.12."""
    if "targets" in kwargs:
        kwargs["labels"] = kwargs.pop("targets")
    return tf.nn.sigmoid_cross_entropy_with_logits(**_logits_first(args, kwargs))


def max_pool_with_argmax(*args: Any, **kwargs: Any) -> Any:
    """Indices do not include the batch, as until 1.13."""
    kwargs.setdefault("include_batch_in_index", False)
    return tf.nn.max_pool_with_argmax(*args, **kwargs)


def _dim_or_name(args: tuple[Any, ...]) -> dict[str, Any]:
    names = ("name",) if args and isinstance(args[0], str) else ("axis", "name")
    return dict(zip(names, args, strict=False))


def _logits_first(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return arguments by name; since 1.0 a None was the first of positional arguments."""
    kwargs.pop("_sentinel", None)  # the name of that None
    if args and args[0] is None:
        return dict(zip(("labels", "logits", "dim"), args[1:], strict=False)) | kwargs
    return dict(zip(("logits", "labels", "name"), args, strict=False)) | kwargs


def _float_labels(labels: Any, logits: Any) -> Any:
    """Return the labels in the logits' dtype: other dtypes were not always an error."""
    labels, logits = tf.convert_to_tensor(labels), tf.convert_to_tensor(logits)
    kind = logits.dtype.base_dtype
    return labels if labels.dtype.base_dtype == kind else tf.cast(labels, kind)
