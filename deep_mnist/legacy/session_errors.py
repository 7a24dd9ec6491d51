"""Errors of tf.Session.run() with the messages of TensorFlow 1.

TensorFlow 2 puts "Graph execution error:" and a stack of every operation involved in front of the
message. TensorFlow 1 began with the message, and ended with the lines of the program that had
created the operation.
"""

from __future__ import annotations

import re
import traceback
from typing import Any

__all__ = ["install"]

OPERATION = re.compile(r"\{\{(?:function_)?node ([^}]+)\}\}")


def install() -> None:
    """Replace the two functions that write the text of a graph execution error."""
    from tensorflow.python.framework import error_interpolation, errors_impl

    error_interpolation.interpolate_graph = message_of_tf1
    errors_impl.OpError.__str__ = text_of_tf1


def message_of_tf1(message: str, graph: Any) -> str:
    """Return the message of an error with the line that created each operation.

    Args:
      message: the runtime's message, with operations written as {{node NAME}}.
      graph: the graph of the session.
    """

    def node(found: re.Match[str]) -> str:
        try:
            frames = _own_frames(graph.get_operation_by_name(found[1]))
        except (KeyError, ValueError):
            frames = []
        if not frames:
            return f"node {found[1]}"
        return f"node {found[1]} (defined at {frames[-1].filename}:{frames[-1].lineno}) "

    return OPERATION.sub(node, message)


def text_of_tf1(error: Any) -> str:
    """Return the message of an error and the stack that created its operation."""
    if error.op is None:
        return str(error.message)
    stack = "".join(traceback.format_list(_own_frames(error.op)))
    return f"{error.message}\n\nOriginal stack trace for {error.op.name!r}:\n{stack}"


def _own_frames(operation: Any) -> list[traceback.FrameSummary]:
    """Return the frames of the user's own code that created an operation."""
    from deep_mnist.legacy.project_modules import is_own_path

    return [
        traceback.FrameSummary(frame.filename, frame.lineno, frame.name)
        for frame in operation.traceback or ()
        if not frame.filename.startswith("<") and is_own_path(frame.filename)
    ]
