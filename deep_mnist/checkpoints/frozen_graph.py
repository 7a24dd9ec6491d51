"""Read the constants of a frozen graph (.pb), its weights, without importing the graph."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from deep_mnist.checkpoints.variables import Spec, summarize
from deep_mnist.errors import CheckpointError
from deep_mnist.lazy_tensorflow import tf

MAX_BYTES = 1 << 25  # the CNN in float64 has 26 MB; parsing takes up to fifty times as much memory
VARIABLE_OPS = {"Variable", "VariableV2", "AutoReloadVariable", "VarHandleOp"}


def read_constants(path: Path) -> dict[str, tuple[Spec, Any]]:
    """Return the constants of a binary GraphDef.

    Returns:
      Shape and dtype, and the TensorProto of its value for `to_array`, by name.

    Raises:
      CheckpointError: the file is not a GraphDef, or has variables.
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise CheckpointError(f"{path}: expected at most {MAX_BYTES} bytes, found {size}")
    from google.protobuf.message import DecodeError  # as slow to import as TensorFlow

    graph = tf.GraphDef()
    try:
        graph.ParseFromString(path.read_bytes())
    except DecodeError:
        raise CheckpointError(
            f"{path} is not a GraphDef, or is truncated", hint="copy or download it again"
        ) from None
    nodes = [node for node in graph.node if node.name and node.op]
    if not nodes:
        raise CheckpointError(f"{path} is not a GraphDef: it has no nodes")
    variables = [node.name for node in nodes if node.op in VARIABLE_OPS]
    if variables:
        raise CheckpointError(
            f"{path} is a graph that is not frozen: it has the variables {summarize(variables)}, "
            "without their values",
            hint="restore its checkpoint",
        )
    return {
        node.name: (_spec(node.attr["value"].tensor), node.attr["value"].tensor)
        for node in nodes
        if node.op == "Const"
    }


def to_array(proto: Any) -> Any:
    """Return the value of a constant as an array.

    Its size is that of the shape in the proto, whose values may be compressed: check it before.

    Raises:
      TypeError, ValueError, OverflowError: the values are not of the proto's dtype.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "NumPy will stop allowing", DeprecationWarning)
        try:
            return tf.make_ndarray(proto)
        except DeprecationWarning as warning:  # NumPy 1 would wrap the number around
            raise OverflowError(str(warning)) from None


def _spec(proto: Any) -> Spec:
    shape = tuple(int(dim.size) for dim in proto.tensor_shape.dim)
    try:
        dtype = tf.as_dtype(proto.dtype).name
    except TypeError:
        dtype = f"type {proto.dtype}"
    return Spec(shape, dtype)
