"""Jupyter notebooks: read as JSON and run cell by cell in one namespace.

Needs neither Jupyter nor IPython. A traceback names `BOOK.ipynb, cell N` and the line in that cell;
cells are counted as Jupyter counts them, code cells only, from 1.
"""

from __future__ import annotations

import ast
import contextlib
import json
import linecache
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any

from deep_mnist.errors import DeepMnistError
from deep_mnist.legacy import compiler, ipython_syntax, source
from deep_mnist.legacy.ipython_shell import Shell
from deep_mnist.legacy.plots import Plots
from deep_mnist.legacy.shims import python2

__all__ = ["Notebook"]


class Notebook:
    """The code cells of a notebook.

    Args:
      path: the .ipynb file, of nbformat 2 to 4.

    Raises:
      DeepMnistError: not a notebook.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            book = json.loads(source.read_text(path))
            sheet = book if "cells" in book else book["worksheets"][0]
            cells = [cell for cell in sheet["cells"] if cell["cell_type"] == "code"]
            texts = [cell.get("source", cell.get("input")) or "" for cell in cells]
            self.cells = [source.unix("".join(text)) for text in texts]
            self.is_python2 = _is_python2_metadata(book.get("metadata") or {})
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise DeepMnistError(
                f"{path}: expected a Jupyter notebook, found other JSON or text"
            ) from None
        language = _language(book.get("metadata") or {})
        if language != "python":
            raise DeepMnistError(f"{path}: expected a notebook in Python, found one in {language}")

    @property
    def text(self) -> str:
        """The cells as one Python script."""
        with source.parsing(str(self.path)):
            cells = [ipython_syntax.translated(cell).text for cell in self.cells]
        return "\n\n".join(cells) + "\n"

    def run(
        self,
        execute: Callable[[CodeType], None],
        shell: Shell,
        plots: Plots | None,
    ) -> None:
        """Run the cells one after the other. Raises whatever a cell raises.

        Args:
          execute: runs code in the notebook's namespace.
          shell: what the cells get as get_ipython().
          plots: saves the figures that a cell leaves open, as Jupyter shows them.
        """
        is_python2 = self.is_python2 or compiler.is_python2(self.text)
        true_division = False
        flags = 0
        for number, cell in enumerate(self.cells, 1):
            name = f"{self.path}, cell {number}"
            linecache.cache[name] = (len(cell), None, cell.splitlines(True), name)
            python = ipython_syntax.translated(cell)
            true_division |= bool(python2.FUTURE_DIVISION.search(python.text))
            tree, two = python2.parsed(python.text, name)
            if not cell.rstrip().endswith(";"):
                _display_last(tree)
            divide = (two or is_python2) and not true_division
            code = compiler.compiled_tree(tree, name, divide, flags)
            flags |= code.co_flags & compiler.FUTURE_FLAGS
            with shell.timed() if python.timed else contextlib.nullcontext():
                execute(code)
            if plots is not None and "matplotlib.pyplot" in sys.modules:
                plots.save_open_figures()


def _language(metadata: dict[str, Any]) -> str:
    language = metadata.get("language_info") or metadata.get("kernelspec") or {}
    name = str(metadata.get("language") or language.get("language") or "python").lower()
    if "name" in language and "display_name" not in language:
        name = str(language["name"]).lower()
    return "python" if name.startswith(("python", "ipython")) else name


def _is_python2_metadata(metadata: dict[str, Any]) -> bool:
    """Whether a notebook's metadata is that of a notebook in Python 2."""
    info = metadata.get("language_info") or {}
    kernel = metadata.get("kernelspec") or {}
    version = str(info.get("version") or "")
    return version.startswith("2") if version else kernel.get("name") == "python2"


def _display_last(tree: ast.Module) -> None:
    """Print the value of a cell's last line, as Jupyter does."""
    if tree.body and isinstance(last := tree.body[-1], ast.Expr):
        function = ast.copy_location(ast.Name("__display__", ast.Load()), last)
        last.value = ast.copy_location(ast.Call(function, [last.value], []), last)
