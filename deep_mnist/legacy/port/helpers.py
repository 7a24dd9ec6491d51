"""Functions and classes of the bridge that a port needs, as source to write above the program.

Some objects of TensorFlow 1, SciPy and Python 2 exist nowhere today, or took other arguments.
`legacy run` has modules for them. A port gets the source of what it uses, and of what that uses.
"""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from deep_mnist.legacy.port.edits import dotted

__all__ = ["Helpers"]

TF = "import tensorflow.compat.v1 as tf"
IMPORTS = {
    "from deep_mnist.lazy_tensorflow import tf": TF,
    "from deep_mnist import input_data": "from deep_mnist import input_data",
}


class _Definition(NamedTuple):
    statement: ast.stmt
    needs: frozenset[str]


class Helpers:
    """What a program uses of the bridge.

    Args:
      taken: the names that the program binds itself.
    """

    def __init__(self, taken: set[str]) -> None:
        self._taken = taken
        self._used: dict[str, set[str]] = {}  # module -> names

    def use(self, module: str, name: str) -> str | None:
        """Note that the program uses an object of the bridge; return what it is called there.

        None where the object needs more of the bridge than its own module.
        """
        needed = _needed(module, name)
        if needed is None:
            return None
        self._used.setdefault(module, set()).update(needed)
        return self._renamed(module, name)

    def source(self, expression: Callable[[str], str]) -> str:
        """Return the source of everything that was used, "" if nothing was.

        Args:
          expression: returns the expression for a module of the original libraries.
        """
        parts = []
        for module, used in sorted(self._used.items()):
            definitions = _definitions(module)
            parts.append(f"# From {module}:")
            renamed = {name: self._renamed(module, name) for name in used}
            for name in (name for name in definitions if name in used):
                written = self._written(module, name, renamed, expression)
                if written not in parts:  # one import may bind several names
                    parts.append(written)
        return "\n".join(parts) + "\n\n\n" if parts else ""

    def _renamed(self, module: str, name: str) -> str:
        """Return a name in the program; a class keeps its own, which variables are named after."""
        statement = _definitions(module)[name].statement
        if isinstance(statement, ast.Import | ast.ImportFrom):
            return name
        if isinstance(statement, ast.ClassDef) and name not in self._taken:
            return name
        return f"{module.rpartition('.')[2]}_{name.lstrip('_')}"

    def _written(
        self, module: str, name: str, renamed: dict[str, str], expression: Callable[[str], str]
    ) -> str:
        statement = _definitions(module)[name].statement
        if _is_library(statement):
            return f"{renamed[name]} = {expression(_path(module, name))}"
        text = ast.unparse(statement)
        if text in IMPORTS:
            return IMPORTS[text]
        copied = ast.parse(text).body[0]
        written = ast.unparse(ast.fix_missing_locations(_Renamer(renamed).visit(copied)))
        is_definition = isinstance(statement, ast.FunctionDef | ast.ClassDef)
        return f"\n\n{written}\n" if is_definition else written


class _Renamer(ast.NodeTransformer):
    """Renames a module's own names, and drops annotations."""

    def __init__(self, renamed: dict[str, str]) -> None:
        self._renamed = renamed
        self._local: list[set[str]] = []

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if not any(node.id in local for local in self._local):
            node.id = self._renamed.get(node.id, node.id)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        if not self._local:
            node.name = self._renamed.get(node.name, node.name)
        self.generic_visit(node)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        is_method = node.args.args[:1] and node.args.args[0].arg == "self"
        if not self._local and not is_method:
            node.name = self._renamed.get(node.name, node.name)
        node.returns = None
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every += [arg for arg in (arguments.vararg, arguments.kwarg) if arg is not None]
        for arg in every:
            arg.annotation = None
        inner = ast.walk(ast.Module(node.body, []))
        stored = {n.id for n in inner if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        self._local.append({arg.arg for arg in every} | stored)
        self.generic_visit(node)
        self._local.pop()
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        self.generic_visit(node)
        if node.value is None:
            return None
        return ast.copy_location(ast.Assign([node.target], node.value), node)


@functools.cache
def _definitions(module: str) -> dict[str, _Definition]:
    """Return what each name of a module is bound by, in the order of the file."""
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    statements = ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body
    names: dict[str, ast.stmt] = {}
    for statement in statements:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            for alias in statement.names:
                names[alias.asname or alias.name.partition(".")[0]] = statement
        elif isinstance(statement, ast.FunctionDef | ast.ClassDef):
            names[statement.name] = statement
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for target in targets:
                names[ast.unparse(target)] = statement
    found = {}
    for name, statement in names.items():
        used = _Renamer({}).visit(ast.parse(ast.unparse(statement)))  # without annotations
        loaded = {n.id for n in ast.walk(used) if isinstance(n, ast.Name)}
        needed = set() if _is_library(statement) else loaded & names.keys() - {name}
        found[name] = _Definition(statement, frozenset(needed))
    return found


def _needed(module: str, name: str) -> set[str] | None:
    """Return a name and the other names of its module that it needs, None if it needs others."""
    definitions, needed, waiting = _definitions(module), set(), [name]
    while waiting:
        current = waiting.pop()
        if current in needed:
            continue
        needed.add(current)
        statement, needs = definitions[current]
        text = ast.unparse(statement)
        if text.startswith("from deep_mnist") and text not in IMPORTS:
            return None
        waiting += needs
    return needed


def _is_library(statement: ast.stmt) -> bool:
    """Whether a statement is `name: Any = libraries.load(...)`."""
    return (
        isinstance(statement, ast.AnnAssign)
        and isinstance(statement.value, ast.Call)
        and dotted(statement.value.func) == "libraries.load"
    )


def _path(module: str, name: str) -> str:
    """Return the name of the module that `name` is in a module of the bridge."""
    path: str = getattr(importlib.import_module(module), name).__name__
    return path
