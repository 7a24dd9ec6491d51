"""Python text of any year, compiled for today's Python."""

from __future__ import annotations
import __future__

import ast
import functools
import operator
from types import CodeType

from deep_mnist.errors import DeepMnistError
from deep_mnist.legacy import source
from deep_mnist.legacy.shims import python2

__all__ = ["FUTURE_FLAGS", "compiled", "compiled_tree", "is_python2"]

FUTURE_FLAGS = functools.reduce(
    operator.or_,
    (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names),
)


def compiled(text: str, path: str) -> tuple[CodeType, bool]:
    """Return the code of a file's text, and whether it was Python 2.

    Raises:
      DeepMnistError: the text is neither Python 3 nor Python 2, or fissix is needed and missing.
    """
    tree, two = python2.parsed(text, path)
    integer_division = two and python2.FUTURE_DIVISION.search(text) is None
    return compiled_tree(tree, path, integer_division), two


def compiled_tree(tree: ast.Module, path: str, integer_division: bool, flags: int = 0) -> CodeType:
    """Return the code of a syntax tree.

    Args:
      tree: of a module or cell; it is changed.
      path: the name of the file in tracebacks.
      integer_division: the quotient of two integers is an integer, as in Python 2.
      flags: compiler flags of `from __future__` statements in earlier cells.
    """
    with source.parsing(path):
        tree = python2.transformed(tree, integer_division)
        code: CodeType = compile(tree, path, "exec", flags, dont_inherit=True)
    return code


def is_python2(text: str) -> bool:
    """Whether a text is Python 2 and not Python 3."""
    try:
        return python2.parsed(text, "text")[1]
    except DeepMnistError:
        return False
