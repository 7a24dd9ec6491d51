"""tf.contrib.lookup: lookup tables under their names of before 1.4."""

from __future__ import annotations

from typing import Any

from tensorflow.python.ops import lookup_ops

from deep_mnist.lazy_tensorflow import tf

__all__ = [
    "HashTable",
    "index_table_from_tensor",
    "index_to_string",
    "index_to_string_table_from_tensor",
    "string_to_index",
    "string_to_index_table_from_file",
    "string_to_index_table_from_tensor",
]

HashTable = lookup_ops.StaticHashTableV1
string_to_index_table_from_file = lookup_ops.index_table_from_file


def index_table_from_tensor(mapping: Any, *args: Any, **kwargs: Any) -> Any:
    """Return a table from the strings of `mapping` to their positions."""
    return lookup_ops.index_table_from_tensor(mapping, *args, **kwargs)


string_to_index_table_from_tensor = index_table_from_tensor


def index_to_string_table_from_tensor(mapping: Any, *args: Any, **kwargs: Any) -> Any:
    """Return a table from positions to the strings of `mapping`."""
    return lookup_ops.index_to_string_table_from_tensor(mapping, *args, **kwargs)


def string_to_index(tensor: Any, mapping: Any, default_value: int = -1, name: Any = None) -> Any:
    """Return the position of each string in `mapping`, int64."""
    table = index_table_from_tensor(mapping, default_value=default_value, name=name)
    return table.lookup(tensor)


def index_to_string(tensor: Any, mapping: Any, default_value: str = "UNK", name: Any = None) -> Any:
    """Return the string of each position (int64) in `mapping`."""
    table = index_to_string_table_from_tensor(mapping, default_value, name)
    return table.lookup(tf.to_int64(tensor))
