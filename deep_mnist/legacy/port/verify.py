"""Find what today's libraries do not have in a ported program: modules, names and arguments."""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from deep_mnist.errors import DeepMnistError
from deep_mnist.legacy import compiler, libraries, project_modules, source
from deep_mnist.legacy.port.edits import Note, bound_names, chains, dotted, starred_modules

__all__ = ["imported_modules", "missing_names"]

# Libraries whose names and arguments are looked up; others are not imported for a port.
LIBRARIES = frozenset(
    """PIL deep_mnist matplotlib numpy scipy sklearn tensorflow tensorflow_estimator
    tensorflow_probability tf_keras tf_slim""".split()
)

# Builtin functions of Python 2 that nothing here rewrites.
PYTHON2 = frozenset(("apply", "cmp", "coerce", "execfile", "file"))


def missing_names(text: str) -> Iterator[Note]:
    """Yield the names that today's libraries do not have, and calls that they do not accept.

    What a `try` statement guards is not looked up.

    Args:
      text: a ported program.
    """
    tree = ast.parse(text)
    guarded = {id(n) for t in ast.walk(tree) if isinstance(t, ast.Try) for n in ast.walk(t)}
    modules = {name: _module(module) for name, module in starred_modules(tree).items()}
    modules = {**modules, "tf": _module("tensorflow.compat.v1")} if "tf" in modules else modules
    for node in ast.walk(tree):
        if id(node) in guarded or not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        yield from _imported(node, modules)
    bound = set(bound_names(tree)) | modules.keys()
    for name in bound_names(tree):
        modules.pop(name, None)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in PYTHON2 - bound and id(node) not in guarded:
            yield Note(node.lineno, f"Python 3 has no {node.id}")
    for chain in chains(tree):
        if id(chain) not in guarded:
            yield from _missing_attribute(chain, modules)
    objects = _instances(tree, modules)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and id(node) not in guarded:
            yield from _refused_arguments(node, modules)
            yield from _missing_method(node, objects)


def _imported(node: ast.Import | ast.ImportFrom, modules: dict[str, Any]) -> Iterator[Note]:
    """Yield what an import of LIBRARIES does not find; add what it binds to `modules`."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name.partition(".")[0] not in LIBRARIES:
                continue
            found = _module(alias.name)
            if found is None:
                if _is_installed(alias.name.partition(".")[0]):
                    yield Note(node.lineno, f"{alias.name} does not exist any more")
            elif alias.asname:
                modules[alias.asname] = found
            else:
                top = alias.name.partition(".")[0]
                modules[top] = sys.modules[top]
        return
    module = node.module or ""
    if node.level or module.partition(".")[0] not in LIBRARIES:
        return
    found = _module(module)
    if found is None:
        if _is_installed(module.partition(".")[0]):
            yield Note(node.lineno, f"{module} does not exist any more")
        return
    for alias in node.names:
        value = _attribute(found, alias.name)
        if value is None and alias.name != "*" and not hasattr(found, alias.name):
            yield Note(node.lineno, f"{module} of today has no {alias.name}")
        elif alias.name != "*":
            modules[alias.asname or alias.name] = value


def _missing_attribute(chain: ast.Attribute, modules: dict[str, Any]) -> Iterator[Note]:
    parts = (dotted(chain) or "").split(".")
    value = modules.get(parts[0])
    for number, part in enumerate(parts[1:], 1):
        if not isinstance(value, ModuleType):
            return
        inner = _attribute(value, part)
        if inner is None and not hasattr(value, part):
            yield Note(chain.lineno, f"{'.'.join(parts[: number + 1])} does not exist any more")
            return
        value = inner


def _refused_arguments(node: ast.Call, modules: dict[str, Any]) -> Iterator[Note]:
    function = _value(node.func, modules)
    if not callable(function) or any(isinstance(arg, ast.Starred) for arg in node.args):
        return
    names = [keyword.arg for keyword in node.keywords]
    if None in names:
        return
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a function without one
        return
    try:
        signature.bind(*node.args, **dict.fromkeys(map(str, names)))
    except TypeError as error:
        yield Note(node.lineno, f"{dotted(node.func)} of today: {error}")


def _instances(tree: ast.AST, modules: dict[str, Any]) -> dict[str, type]:
    """Return the names that are bound once, to an instance of a class of a library."""
    bound = list(bound_names(tree))
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            made, target = _value(node.value.func, modules), node.targets[0]
            if not isinstance(made, type) or hasattr(made, "__getattr__"):
                continue
            if isinstance(target, ast.Name) and bound.count(target.id) == 1:
                found[target.id] = made
    return found


def _missing_method(node: ast.Call, objects: dict[str, type]) -> Iterator[Note]:
    function = node.func
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        made = objects.get(function.value.id)
        if made is not None and not hasattr(made, function.attr):
            yield Note(node.lineno, f"{made.__name__} of today has no {function.attr}()")


def _value(node: ast.expr, modules: dict[str, Any]) -> Any:
    """Return what an expression `a.b.c` is, None if it is unknown."""
    head, *parts = (dotted(node) or "").split(".")
    value = modules.get(head)
    for part in parts:
        if value is None:
            return None
        value = _attribute(value, part)
    return value


def _attribute(value: Any, name: str) -> Any:
    with contextlib.suppress(Exception):  # Keras's lazy modules raise errors of several kinds
        return getattr(value, name)
    if isinstance(value, ModuleType):
        return _module(f"{value.__name__}.{name}")
    return None


def _module(name: str) -> Any:
    library = name.partition(".")[0]
    with contextlib.suppress(ImportError, AttributeError, DeepMnistError):
        if library in libraries.LIBRARIES:
            libraries.load(library)
        return importlib.import_module(name)
    return None


def imported_modules(text: str, directories: Sequence[Path]) -> tuple[list[Note], list[Note]]:
    """Return the imports of modules that are not found, and of the project's that need porting.

    Args:
      text: a ported program.
      directories: where the project's modules may be.
    """
    missing, unported = [], []
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or alias.name for alias in node.names]
        else:
            continue
        may_be_missing = getattr(node, "level", 0) or node not in tree.body  # in a `try`
        for name in dict.fromkeys(names):
            top = name.partition(".")[0]
            files = [file for directory in directories for file in _files(directory, name)]
            if any(_needs_porting(file, directories, set()) for file in files):
                what = f"{name} is a module of the project; port it too"
                unported.append(Note(node.lineno, what))
            elif not (may_be_missing or files or _is_installed(top)):
                what = f"{name} is neither installed nor in the project"
                missing.append(Note(node.lineno, what))
    return missing, unported


def _files(directory: Path, name: str) -> list[Path]:
    """Return the files that an import of a module of the project may run."""
    module = directory.joinpath(*name.split(".")).with_suffix(".py")
    top = directory / name.partition(".")[0]
    return [
        path for path in (module, top.with_suffix(".py"), *top.glob("**/*.py")) if path.is_file()
    ]


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ValueError:  # a module without a specification, such as __main__
        return True


def _needs_porting(path: Path, directories: Sequence[Path], seen: set[Path]) -> bool:
    """Whether a module of the project, or one that it imports, does not run as it is."""
    if path in seen:
        return False
    seen.add(path)
    text = source.read(path)
    if (
        any(name in text for name in ("tensorflow", "keras", "input_data", "yann.lecun.com"))
        or compiler.is_python2(text)
        or project_modules.is_tutorial_module(path)
    ):
        return True
    imported = re.findall(r"^\s*(?:from|import)\s+\.*([\w.]+)", text, re.MULTILINE)
    files = [
        file
        for name in imported
        for where in (path.parent, *directories)
        for file in _files(where, name)
    ]
    return any(_needs_porting(file, directories, seen) for file in files)
