"""tf.estimator.inputs: arrays -> an input_fn that gives tensors of their batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deep_mnist.lazy_tensorflow import tf

__all__ = ["numpy_input_fn", "pandas_input_fn"]


def numpy_input_fn(
    x: Any,
    y: Any = None,
    batch_size: int = 128,
    num_epochs: int | None = 1,
    shuffle: bool | None = None,
    queue_capacity: int = 1000,
    num_threads: int = 1,
) -> Callable[[], Any]:
    """Arrays [N, ...], or a dict of them, and labels [N, ...] -> an input_fn.

    Args:
      num_epochs: how often all examples are gone through; None for ever.
    """

    def input_fn() -> Any:
        arrays = [*(x.values() if isinstance(x, dict) else [x]), *([] if y is None else [y])]
        arrays = [np.asarray(array) for array in arrays]
        dataset = tf.data.Dataset.range(len(arrays[0]))
        if shuffle or shuffle is None:
            dataset = dataset.shuffle(len(arrays[0]))
        dataset = dataset.repeat(num_epochs).batch(batch_size)
        rows = tf.data.make_one_shot_iterator(dataset).get_next()
        # Fed by a function: a graph may hold two gigabytes, and constants would be part of it.
        kinds = [array.dtype for array in arrays]
        values = tf.py_func(lambda chosen: [array[chosen] for array in arrays], [rows], kinds)
        for value, array in zip(values, arrays, strict=True):
            value.set_shape([None, *array.shape[1:]])
        features = dict(zip(x, values, strict=False)) if isinstance(x, dict) else values[0]
        return features if y is None else (features, values[-1])

    return input_fn


def pandas_input_fn(x: Any, y: Any = None, **settings: Any) -> Callable[[], Any]:
    """A DataFrame and a Series of labels -> an input_fn of one feature for each column."""
    columns = {name: x[name].to_numpy() for name in x.columns}
    return numpy_input_fn(columns, None if y is None else y.to_numpy(), **settings)
