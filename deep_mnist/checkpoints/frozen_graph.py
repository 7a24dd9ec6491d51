"""The constants of a frozen graph (.pb): its weights. The graph itself is never imported or run."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from deep_mnist.checkpoints.variables import Spec
from deep_mnist.errors import DeepMnistError
from deep_mnist.lazy_tensorflow import tf

MAX_BYTES = 1 << 25  # the largest model here in float64, and some; parsing takes up to fifty times
VARIABLES = {"Variable", "VariableV2", "AutoReloadVariable", "VarHandleOp"}


def read_constants(path: Path) -> dict[str, tuple[Spec, Any]]:
    """The constants of a binary GraphDef by name: what each is like, and its TensorProto.

    Raises:
      DeepMnistError: it is no GraphDef, or none with weights in it.
    """
    if path.stat().st_size > MAX_BYTES:
        raise DeepMnistError(
            f"{path} has {path.stat().st_size} bytes, expected at most {MAX_BYTES}"
        )
    from google.protobuf.message import DecodeError  # TensorFlow's, and as slow to import

    graph = tf.GraphDef()
    try:
        graph.ParseFromString(path.read_bytes())
    except DecodeError:
        raise DeepMnistError(f"{path} is no GraphDef, or is cut short: copy it anew") from None
    nodes = [node for node in graph.node if node.name and node.op]
    if not nodes:
        raise DeepMnistError(
            f"{path} is no GraphDef: expected nodes with a name and an op, found none"
        )
    variables = [node.name for node in nodes if node.op in VARIABLES]
    if variables:
        raise DeepMnistError(
            f"{path} is a graph that is not frozen: it names {len(variables)} variables "
            f"({', '.join(variables[:3])}, ...) without their values; take the checkpoint"
        )
    return {
        node.name: (_spec(node.attr["value"].tensor), node.attr["value"].tensor)
        for node in nodes
        if node.op == "Const"
    }


def value(proto: Any) -> Any:
    """A constant's array; as large as its shape says, whatever it is stored as.

    Raises:
      TypeError, ValueError, OverflowError: its bytes or numbers are none of its type.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "NumPy will stop allowing", DeprecationWarning)
        try:
            return tf.make_ndarray(proto)
        except DeprecationWarning as warning:  # NumPy 1 would wrap the number round
            raise OverflowError(str(warning)) from None


def _spec(proto: Any) -> Spec:
    shape = tuple(int(dim.size) for dim in proto.tensor_shape.dim)
    try:
        dtype = tf.as_dtype(proto.dtype).name
    except TypeError:
        dtype = f"type {proto.dtype}"
    return Spec(shape, dtype)
