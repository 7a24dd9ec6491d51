"""Rewrite names that NumPy, SciPy, Pillow and Python dropped as those of today, for `port`."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path

from deep_mnist.legacy import symbol_table
from deep_mnist.legacy.port.libraries import dotted
from deep_mnist.legacy.port.tensorflow_names import Edits, Line

__all__ = ["with_todays_names"]

SCIPY = "deep_mnist.legacy.shims.scipy_misc"
PREFIX = "scipy_misc_"
HELPERS = ("bytescale", "toimage")  # what the other functions of scipy_misc call
# Dotted names of before -> what is written today.
NAMES = {
    **{f"numpy.{old}": new for old, new in symbol_table.NUMPY.items()},
    **symbol_table.PYTHON,
    "numpy.rank": "numpy.ndim",
    "numpy.lib.pad": "numpy.pad",
    "numpy.fromstring": "numpy.frombuffer",
    **{f"PIL.Image.{old}": f"PIL.Image.{new}" for old, new in symbol_table.PILLOW.items()},
}
METHODS = {"tostring": "tobytes"}
KEYWORDS = {("TSNE", "n_iter"): "max_iter"}


def with_todays_names(text: str) -> tuple[str, list[Line], str]:
    """Return a program with today's names, what was changed, and functions to put above it."""
    program = _Program(text)
    return program.text, program.changed, _scipy_functions(program.functions)


class _Program:
    def __init__(self, text: str) -> None:
        self.changed: list[Line] = []
        self.functions: set[str] = set()  # of scipy.misc
        self._edits = Edits(text)
        self._modules: dict[str, str] = {}  # name -> the module it is bound to
        tree = ast.parse(text)
        written = {dotted(node) or "" for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        self._uses_scipy = any(re.match(r"scipy\.(?!misc\b)", name) for name in written)
        functions = _scipy_misc()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self._import(node)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                self._import_from(node, functions)
        inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                self._method(node, text)
                self._keywords(node)
            if not isinstance(node, ast.Attribute) or id(node) in inner:
                continue
            part: ast.expr = node
            while isinstance(part, ast.Attribute):
                if self._name(part, functions):
                    break
                part = part.value
        self.text = self._edits.applied()

    def _import(self, node: ast.Import) -> None:
        statements = []
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            self._modules[name] = alias.name if alias.asname else name
            gone = alias.name == "scipy.misc"
            old = f"import {ast.unparse(alias)}"
            used = self._uses_scipy and not alias.asname
            statements.append(("import scipy" if used else "pass") if gone else old)
        if any(alias.name == "scipy.misc" for alias in node.names):
            self._replace(node, ast.unparse(node), "; ".join(statements))

    def _import_from(self, node: ast.ImportFrom, functions: set[str]) -> None:
        statements, old = [], ast.unparse(node)
        for alias in node.names:
            path, name = f"{node.module}.{alias.name}", alias.asname or alias.name
            self._modules[name] = path
            if path == "scipy.misc":
                statements.append("pass")
            elif node.module in ("scipy.misc", "scipy.ndimage") and alias.name in functions:
                self.functions.add(alias.name)
                statements.append(f"{name} = {PREFIX}{alias.name}")
            elif path in NAMES:
                home, _, new = NAMES[path].rpartition(".")
                if home.startswith("builtins"):
                    statements.append(f"{name} = {NAMES[path].removeprefix('builtins.')}")
                elif home:
                    statements.append(
                        f"from {home} import {new}" + ("" if new == name else f" as {name}")
                    )
                else:
                    statements.append(f"import {new}")
            else:
                statements.append(f"from {node.module} import {ast.unparse(alias)}")
        if statements != [f"from {node.module} import {ast.unparse(a)}" for a in node.names]:
            self._replace(node, old, "; ".join(statements))

    def _name(self, node: ast.Attribute, functions: set[str]) -> bool:
        """Replace a dotted name, if it is one of those that were dropped."""
        written = dotted(node) or ""
        head, _, rest = written.partition(".")
        module = self._modules.get(head)
        if module is None:
            return False
        path = f"{module}.{rest}"
        home, _, name = path.rpartition(".")
        if home in ("scipy.misc", "scipy.ndimage") and name in functions:
            self.functions.add(name)
            self._replace(node, written, f"{PREFIX}{name}")
            return True
        new = NAMES.get(path)
        if new is None:
            return False
        if new.startswith("builtins."):
            new = new.removeprefix("builtins.")
        elif new.startswith(f"{module}."):
            new = f"{head}{new.removeprefix(module)}"
        else:
            new = f'__import__("{new.rpartition(".")[0] or new}")' + (
                f".{new.partition('.')[2]}" if "." in new else ""
            )
        self._replace(node, written, new)
        return True

    def _keywords(self, node: ast.Call) -> None:
        """Replace the names of keyword arguments."""
        called = (dotted(node.func) or "").rpartition(".")[2]
        for keyword in node.keywords:
            new = KEYWORDS.get((called, str(keyword.arg)))
            if new is not None:
                name = ast.Name(str(keyword.arg), ast.Load())
                ast.copy_location(name, keyword)
                name.end_lineno, name.end_col_offset = (
                    keyword.lineno,
                    keyword.col_offset + len(name.id),
                )
                self._edits.replace(name, new)
                self.changed.append((node.lineno, f"{called}: {name.id} is {new}"))
        # NumPy before 2.1 has no `shape`, and later ones no `newshape`: the position is the same.
        first = node.keywords[0] if node.keywords else None
        if called == "reshape" and first is not None and first.arg == "newshape":
            name = ast.copy_location(ast.Name("newshape", ast.Load()), first)
            name.end_lineno, name.end_col_offset = first.value.lineno, first.value.col_offset
            self._edits.replace(name, "")
            self.changed.append((node.lineno, "reshape: newshape by position"))

    def _method(self, node: ast.Call, text: str) -> None:
        """Replace a method that arrays no longer have; give a flag the text of its help."""
        function = node.func
        if not isinstance(function, ast.Attribute):
            return
        is_flag = function.attr.startswith("DEFINE_") and len(node.args) == 2
        if function.attr in METHODS and not node.args and not node.keywords:
            value = ast.get_source_segment(text, function.value)
            if value is not None and "\n" not in value and dotted(function) is not None:
                self._replace(function, f".{function.attr}", f"{value}.{METHODS[function.attr]}")
        elif is_flag and not any(k.arg in ("help", "docstring") for k in node.keywords):
            default = ast.get_source_segment(text, node.args[1]) or ""
            if "\n" not in default and isinstance(node.args[1], ast.Constant):
                self._replace(node.args[1], f"{function.attr}({default})", f'{default}, ""')

    def _replace(self, node: ast.expr | ast.stmt, old: str, new: str) -> None:
        self._edits.replace(node, new)
        self.changed.append((node.lineno, f"{old} is {new}"))


def _scipy_source() -> ast.Module:
    spec = importlib.util.find_spec(SCIPY)
    assert spec is not None
    assert spec.origin is not None
    return ast.parse(Path(spec.origin).read_text(encoding="utf-8"))


def _scipy_misc() -> set[str]:
    return {node.name for node in _scipy_source().body if isinstance(node, ast.FunctionDef)}


def _scipy_functions(names: set[str]) -> str:
    """Return the source of functions of scipy.misc, each with PREFIX before its name."""
    if not names:
        return ""
    all_names, wanted = _scipy_misc(), names | set(HELPERS)
    parts = ["# Functions of scipy.misc, which SciPy 1.2 dropped\nimport numpy as np"]
    for node in _scipy_source().body:
        if not isinstance(node, ast.FunctionDef) or node.name not in wanted:
            continue
        node.returns, node.name = None, PREFIX + node.name
        for inner in ast.walk(node):
            if isinstance(inner, ast.arg):
                inner.annotation = None
            elif isinstance(inner, ast.Name) and inner.id in all_names:
                inner.id = PREFIX + inner.id
        parts.append(ast.unparse(node))
    return "\n\n\n".join(parts) + "\n\n\n"
