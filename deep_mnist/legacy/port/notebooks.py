"""Rewrite what only Jupyter has, in the text of a notebook's code cells."""

from __future__ import annotations

import ast

from deep_mnist.legacy.port.edits import Edits, Note, bound_names, dotted, start

__all__ = ["rewrite_magics"]


def rewrite_magics(text: str) -> tuple[str, list[Note], list[Note]]:
    """Return a program without magics, what was changed, and what needs review.

    Args:
      text: the cells of a notebook, where magics are calls of `__ipython__`.
    """
    edits, tree = Edits(text), ast.parse(text)
    changed, remaining = [], []
    bound = {*bound_names(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.With) and _method(node.items[0].context_expr) == "timed":
            edits.remove(start(node), start(node.body[0]))
            changed.append(Note(node.lineno, "not timed"))
        elif isinstance(node, ast.Call) and _method(node) == "skip":
            edits.replace(node, ast.unparse(node.args[1]) if node.args[1:] else "None")
            changed.append(Note(node.lineno, f"without {ast.literal_eval(node.args[0])}"))
        elif isinstance(node, ast.Call) and _method(node) == "write_file":
            edits.replace(node, "None")
            remaining.append(Note(node.lineno, "write the file of %%writefile"))
        elif isinstance(node, ast.Name) and node.id == "display" and "display" not in bound:
            edits.replace(node, "print")
            changed.append(Note(node.lineno, "display is print"))
        elif isinstance(node, ast.Name) and node.id == "get_ipython" and node.id not in bound:
            remaining.append(Note(node.lineno, "get_ipython exists in Jupyter alone"))
    return edits.applied(), changed, remaining


def _method(node: ast.expr) -> str | None:
    """Return the method of `__ipython__` that an expression calls, None if it calls none."""
    called = dotted(node.func) if isinstance(node, ast.Call) else None
    return None if called is None or not called.startswith("__ipython__.") else called[12:]
