"""tf.contrib.data: dataset transformations that tf.data.experimental lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = [
    "batch_and_drop_remainder",
    "padded_batch_and_drop_remainder",
    "reduce_dataset",
    "sloppy_interleave",
]


def batch_and_drop_remainder(batch_size: Any) -> Callable[[Any], Any]:
    """Return a transformation into batches of exactly `batch_size` elements."""
    return lambda dataset: dataset.batch(batch_size, drop_remainder=True)


def padded_batch_and_drop_remainder(
    batch_size: Any, padded_shapes: Any, padding_values: Any = None
) -> Callable[[Any], Any]:
    """Return a transformation into padded batches of exactly `batch_size` elements."""
    return lambda dataset: dataset.padded_batch(
        batch_size, padded_shapes, padding_values, drop_remainder=True
    )


def sloppy_interleave(
    map_func: Any, cycle_length: Any, block_length: int = 1
) -> Callable[[Any], Any]:
    """Return parallel_interleave, in any order."""
    made: Callable[[Any], Any] = tf.data.experimental.parallel_interleave(
        map_func, cycle_length, block_length, sloppy=True
    )
    return made


def reduce_dataset(dataset: Any, reducer: Any) -> Any:
    """Return the reduction of all elements by a tf.data.experimental.Reducer."""
    state = dataset.reduce(reducer.init_func(tf.constant(0, tf.int64)), reducer.reduce_func)
    return reducer.finalize_func(state)
