"""Functions whose order or names of arguments changed: both are accepted, by their types."""

from __future__ import annotations

from typing import Any

import numpy as np

from deep_mnist.lazy_tensorflow import tf

__all__ = [
    "batch_matmul",
    "concat",
    "initialize_all_variables",
    "ones_initializer",
    "reverse",
    "split",
    "where",
    "zeros_initializer",
]


def concat(*args: Any, **kwargs: Any) -> Any:
    """Concatenate (dim, values), as until 0.12, or (values, axis): the axis is the number."""
    given = dict(zip(("values", "axis", "name"), args, strict=False)) | kwargs
    if "concat_dim" in given:
        given["axis"] = given.pop("concat_dim")
        if len(args) == 1 and "values" in kwargs:
            raise TypeError("concat() got two axes")
    if _is_axis(given.get("values")) and not _is_axis(given.get("axis")):
        given["values"], given["axis"] = given["axis"], given["values"]
    return tf.concat(**given)


def split(*args: Any, **kwargs: Any) -> Any:
    """Split (dim, number, value), as until 0.12, or (value, sizes, axis), as since 1.0."""
    if "split_dim" in kwargs:
        kwargs["axis"] = kwargs.pop("split_dim")
    if "num_split" in kwargs:
        kwargs["num_or_size_splits"] = kwargs.pop("num_split")
    names: tuple[str, ...] = ("value", "num_or_size_splits", "axis", "num", "name")
    if args and _is_axis(args[0]):
        names = ("axis", "num_or_size_splits", "value", "name")
    return tf.split(**dict(zip(names, args, strict=False)), **kwargs)


def reverse(tensor: Any, axis: Any = None, name: Any = None, dims: Any = None) -> Any:
    """Reverse dimensions: a bool for each, as until 0.12, or a list of them, as since 1.0."""
    chosen = dims if axis is None else axis
    if isinstance(chosen, list | tuple | np.ndarray) and all(
        isinstance(flag, bool | np.bool_) for flag in chosen
    ):
        chosen = [number for number, flag in enumerate(chosen) if flag]
    return tf.reverse(tensor, chosen, name)


def batch_matmul(x: Any, y: Any, adj_x: bool = False, adj_y: bool = False, name: Any = None) -> Any:
    """Multiply matrices over the last two dimensions."""
    return tf.matmul(x, y, adjoint_a=adj_x, adjoint_b=adj_y, name=name)


def where(condition: Any, x: Any = None, y: Any = None, name: Any = None, **old: Any) -> Any:
    """Select, by the names of where or of the `select` that it replaced: t and e."""
    return tf.where(condition, old.get("t", x), old.get("e", y), name)


def initialize_all_variables() -> Any:
    """Initialize local variables too: until 0.12 those of limit_epochs were not local."""
    return tf.group(
        tf.global_variables_initializer(), tf.local_variables_initializer(), name="init"
    )


def zeros_initializer(shape: Any = None, dtype: Any = None, **more: Any) -> Any:
    """Return an initializer; until 0.12 the function was one, and was called with a shape."""
    return _initializer(tf.zeros_initializer, shape, dtype)


def ones_initializer(shape: Any = None, dtype: Any = None, **more: Any) -> Any:
    """Return an initializer; until 0.12 the function was one, and was called with a shape."""
    return _initializer(tf.ones_initializer, shape, dtype)


def _initializer(make: Any, shape: Any, dtype: Any) -> Any:
    if shape is None or isinstance(shape, tf.DType):
        return make(dtype=shape or dtype or tf.float32)
    return make(dtype=dtype or tf.float32)(shape)


def _is_axis(value: Any) -> bool:
    """Whether a value is one number: Python's, NumPy's, or a scalar tensor of integers."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return True
    if isinstance(value, tf.Tensor | tf.Variable):
        return bool(value.shape.ndims == 0 and value.dtype.base_dtype.is_integer)
    return isinstance(value, np.ndarray) and value.ndim == 0
