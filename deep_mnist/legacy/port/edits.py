"""Replacements in a program's text, where each line keeps its number, and the report's notes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

__all__ = [
    "Edits",
    "Note",
    "OverlapError",
    "bound_names",
    "chains",
    "dotted",
    "end",
    "starred_modules",
    "start",
]

Position = tuple[int, int]  # line, from 1, and column in bytes, as in syntax trees


USUAL_NAMES = {"tf": "tensorflow", "np": "numpy", "plt": "matplotlib.pyplot"}


class Note(NamedTuple):
    """A line of the script and what was done, or remains to be done, there."""

    line: int
    text: str


class OverlapError(ValueError):
    """Two replacements of the same text.

    Attributes:
      lineno: the line of the second one.
    """

    def __init__(self, lineno: int) -> None:
        super().__init__("two replacements overlap")
        self.lineno = lineno


class Edits:
    """Replacements of parts of a program.

    Args:
      text: the program.
    """

    def __init__(self, text: str) -> None:
        self._lines = [line.encode() for line in text.split("\n")]
        self._edits: list[tuple[Position, Position, str]] = []

    def replace(self, node: ast.expr | ast.stmt, new: str) -> None:
        """Replace a node's text; nothing inside of it may be replaced, too."""
        self._edits.append((start(node), end(node), new))

    def insert(self, position: Position, new: str) -> None:
        """Insert text before a position."""
        self._edits.append((position, position, new))

    def remove(self, first: Position, last: Position) -> None:
        """Remove the text between two positions."""
        self._edits.append((first, last, ""))

    def append_argument(self, call: ast.Call, new: str) -> None:
        """Insert an argument before the closing parenthesis of a call."""
        given = [end(child) for child in (*call.args, *call.keywords)]
        has_comma = not given or "," in self.text_between(max(given), end(call))
        line, column = end(call)
        self.insert((line, column - 1), new if has_comma else f", {new}")

    def argument_start(self, call: ast.Call, number: int) -> Position:
        """Return where an argument by position starts, with the parentheses around it."""
        first = start(call.args[number])
        before = end(call.args[number - 1] if number else call.func)
        between = self.text_between(before, first)
        index = between.index("," if number else "(") + 1
        index += len(between[index:]) - len(between[index:].lstrip())
        skipped = between[:index].split("\n")
        line = before[0] + len(skipped) - 1
        return line, len(skipped[-1].encode()) + (before[1] if len(skipped) == 1 else 0)

    def text_between(self, first: Position, last: Position) -> str:
        """Return the original text between two positions, without comments."""
        lines = self._lines[first[0] - 1 : last[0]]
        lines[-1] = lines[-1][: last[1]]
        lines[0] = lines[0][first[1] :]
        return "\n".join(re.sub(r"#.*", "", line.decode()) for line in lines)

    def replace_between(self, first: Position, last: Position, pattern: str, new: str) -> None:
        """Replace what matches a pattern between two positions, outside of comments."""
        for number, text in enumerate(self.text_between(first, last).split("\n"), first[0]):
            found = re.search(pattern, text)
            if found is not None:
                begin = first[1] if number == first[0] else 0
                column = begin + len(text[: found.start()].encode())
                stop = column + len(found[0].encode())
                self._edits.append(((number, column), (number, stop), new))
                return

    def applied(self) -> str:
        """Return the program with all replacements; each line keeps its number.

        Raises:
          OverlapError: two replacements overlap.
        """
        lines = list(self._lines)
        # What is inserted at a position comes before what is replaced there.
        edits = sorted(self._edits, key=lambda edit: (edit[0], edit[1] != edit[0]))
        for (_, previous_end, _), (first, _, _) in pairwise(edits):
            if first < previous_end:
                raise OverlapError(first[0])
        # From the last to the first: a change moves what is after it on its line.
        for (line, column), (last_line, last_column), new in reversed(edits):
            changed = lines[line - 1][:column] + new.encode() + lines[last_line - 1][last_column:]
            lines[line - 1 : last_line] = [changed, *[b""] * (last_line - line)]
        return b"\n".join(lines).decode()


def start(node: Any) -> Position:
    """Return the position of a node's first character."""
    return node.lineno, node.col_offset


def end(node: Any) -> Position:
    """Return the position after a node's last character."""
    return node.end_lineno, node.end_col_offset


def dotted(node: ast.expr) -> str | None:
    """Return `a.b.c` for an attribute of attributes of a name, else None."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return None if before is None else f"{before}.{node.attr}"
    return None


def chains(tree: ast.AST) -> Iterator[ast.Attribute]:
    """Yield the attributes of names, the longest of each: tf.nn.relu, not tf.nn."""
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and id(node) not in inner and dotted(node):
            yield node


def starred_modules(tree: ast.AST) -> dict[str, str]:
    """Return the usual names of libraries that a program may have from `import *`, if it has one.

    Its own modules import the libraries, as in `from utils import *`.
    """
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.asname or alias.name for node in imports for alias in node.names}
    if "*" not in names:
        return {}
    taken = names | set(bound_names(tree))
    return {name: module for name, module in USUAL_NAMES.items() if name not in taken}


def bound_names(tree: ast.AST) -> Iterator[str]:
    """Yield the names that a program binds other than by imports, once for each time."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
