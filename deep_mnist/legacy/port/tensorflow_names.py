"""Rewrite the imports and names of TensorFlow 1, Keras and the tutorial's data module."""

from __future__ import annotations

import ast
import importlib
import re

from deep_mnist.errors import DeepMnistError
from deep_mnist.legacy import symbol_table, tf1_module
from deep_mnist.legacy.port.edits import Edits, Note, chains, dotted, starred_modules
from deep_mnist.legacy.port.helpers import Helpers
from deep_mnist.legacy.port.libraries import Names, has_name, importable, today

__all__ = ["rewrite_tensorflow_names"]

V1 = symbol_table.V1
KERAS_PATHS = ("keras", "tensorflow.keras", "tensorflow.python.keras", "tensorflow.contrib.keras")
NEED_KERAS = ("keras", "layers", "nn.rnn_cell")
DATA_MODULE = "examples.tutorials.mnist.input_data"
# In a program that imports compat.v1 itself: it chose between graph mode and eager execution.
CHOOSES_MODE = re.compile(
    r"\b((dis|en)able_(v2_behavior|eager_execution)|Graph|GradientTape)\(|\btf\.function\b"
)


def rewrite_tensorflow_names(
    text: str, helpers: Helpers, own_data_module: bool
) -> tuple[str, list[Note], list[Note], Names]:
    """Return a program with today's names.

    Args:
      text: the program, as Python 3.
      helpers: what the program needs of the bridge; added to.
      own_data_module: `import input_data` means a module of the project, and stays.

    Returns:
      its text, what was changed, what has no name today, and the libraries that it needs.
    """
    program = _Program(text, helpers, own_data_module)
    return program.text, program.changed, program.remaining, program.names


class _Program:
    def __init__(self, text: str, helpers: Helpers, own_data_module: bool) -> None:
        self.changed: list[Note] = []
        self.remaining: list[Note] = []
        self._tree = ast.parse(text)
        self._edits = Edits(text)
        self._own_data_module = own_data_module
        self._chooses_mode = CHOOSES_MODE.search(text) is not None
        self._aliases: dict[str, str] = {}  # name -> the path of a module below `tensorflow`
        self._heads = {
            alias.asname or alias.name.partition(".")[0]
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Import)
            for alias in node.names
            if alias.name == "tensorflow"
            or (alias.name.startswith("tensorflow.") and alias.asname is None)
            or (alias.name == V1 and alias.asname)
        } | ({"tf"} & starred_modules(self._tree).keys())
        self.names = Names(helpers, min(self._heads, default="tf", key=len))
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Import):
                self._import(node)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                self._import_from(node)
        self._find_assigned_modules()
        for chain in chains(self._tree):
            self._rewrite(chain)
        self.text = self._edits.applied()

    def _import(self, node: ast.Import) -> None:
        statements = []
        for alias in node.names:
            top, _, path = alias.name.partition(".")
            keras = next((k for k in KERAS_PATHS if _inside(alias.name, k)), None)
            new = None
            if alias.name == "input_data" and not self._own_data_module:
                new = self._bound(DATA_MODULE, alias.asname or "input_data", node.lineno)
            elif top == "keras" or (keras is not None and alias.asname):
                new = self._keras_module(alias, str(keras))
            elif top == "tensorflow" and (not path or alias.asname is None):
                head = alias.asname or "tensorflow"
                new = f"import {V1} as {head}; {head}.disable_v2_behavior()"
            elif alias.name == V1:
                disable = f"; {alias.asname}.disable_v2_behavior()"
                new = f"import {V1} as {alias.asname}{'' if self._chooses_mode else disable}"
            elif top == "tensorflow" and alias.asname and not _is_kept(path):
                self._aliases[alias.asname] = path
                new = self._bound(path, alias.asname, node.lineno)
            statements.append(new or f"import {ast.unparse(alias)}")
        self._replace_import(node, statements)

    def _keras_module(self, alias: ast.alias, keras: str) -> str | None:
        """Return the statement that binds a module of Keras, with Keras's API of TensorFlow 1."""
        path = f"keras{alias.name.removeprefix(keras)}"
        if not _module_at(path) or not has_name(path):
            return None
        self.names.use("tf_keras")
        name, written = (alias.asname, path) if alias.asname else ("keras", "keras")
        return f"import {V1} as {self.names.head}; {name} = {self.names.head}.{written}"

    def _import_from(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        keras = next((k for k in KERAS_PATHS if _inside(module, k)), None)
        if keras is None and not _inside(module, "tensorflow"):
            return
        parent = module.partition(".")[2]
        if keras is not None:
            parent = f"keras{module.removeprefix(keras)}"
        elif parent and _is_kept(parent) and importable(module, [a.name for a in node.names]):
            return
        statements = []
        for alias in node.names:
            path, name = f"{parent}.{alias.name}".lstrip("."), alias.asname or alias.name
            if alias.name != "*" and (_module_at(path) or self._is_used_as_module(path, name)):
                self._aliases[name] = path
            new = self._imported(module, parent, alias, node.lineno)
            statements.append(new or f"from {module} import {ast.unparse(alias)}")
        if module == "tensorflow":
            self._add_disabling(statements)
        self._replace_import(node, statements)

    def _imported(self, module: str, parent: str, alias: ast.alias, line: int) -> str | None:
        """Return the statement that replaces the import of one name, None if it stays."""
        path, name = f"{parent}.{alias.name}".lstrip("."), alias.asname or alias.name
        if alias.name == "*":
            return self._star(module, parent, line)
        if parent and _inside(path, "keras"):
            written = f"tf_keras{parent.removeprefix('keras')}"
            if _is_same(written, f"{symbol_table.KERAS}{parent.removeprefix('keras')}", alias.name):
                self.names.use("tf_keras")
                return f"from {written} import {ast.unparse(alias)}"
        if not parent and has_name(path):
            self._note_keras(path)
            return f"from {V1} import {ast.unparse(alias)}"
        return self._bound(path, name, line)

    def _star(self, module: str, parent: str, line: int) -> str | None:
        if not parent:
            return f"from {V1} import *"
        keras = f"tf_keras{parent.removeprefix('keras')}"
        if _inside(parent, "keras") and importable(keras, []):
            self.names.use("tf_keras")
            return f"from {keras} import *"
        self.remaining.append(Note(line, f"import the names of {module} one by one"))
        return None

    def _add_disabling(self, statements: list[str]) -> None:
        off = "disable_v2_behavior"
        first = f"from {V1} import "
        if any(statement.startswith(first) for statement in statements):
            names = ", ".join(s.removeprefix(first) for s in statements if s.startswith(first))
            others = [s for s in statements if not s.startswith(first)]
            statements[:] = [
                first + (names if names == "*" else f"{names}, {off}"),
                f"{off}()",
                *others,
            ]

    def _bound(self, path: str, name: str, line: int) -> str | None:
        """Return the statement that binds what was `tensorflow.<path>` to a name."""
        found = today(path)
        is_helper = found is not None and found.module.startswith(symbol_table.HERE)
        written = self.names.expression(found) if found and is_helper else None
        if found is None or (is_helper and written is None):
            if name in self._aliases:  # its names are written in full
                return "pass"
            self.remaining.append(Note(line, f"tf.{path} has no name today"))
            return None
        if is_helper:
            return "pass" if written == name else f"{name} = {written}"
        below = self.names.below_tensorflow(found)
        if below is not None:
            return f"import {V1} as {self.names.head}; {name} = {below}"
        self.names.use(found.module.partition(".")[0])
        if found.name:
            return f"from {found.module} import {found.name}" + _as(name, found.name)
        package, _, last = found.module.rpartition(".")
        return (f"from {package} import {last}" if package else f"import {last}") + _as(name, last)

    def _replace_import(self, node: ast.Import | ast.ImportFrom, statements: list[str]) -> None:
        module = "" if isinstance(node, ast.Import) else f"from {node.module} "
        old = [f"{module}import {ast.unparse(alias)}" for alias in node.names]
        if statements != old:
            kept = [s for s in dict.fromkeys(statements) if s != "pass"]
            new = "; ".join(kept or ["pass"])
            self._edits.replace(node, new)
            self.changed.append(Note(node.lineno, f"import written as `{new}`"))

    def _find_assigned_modules(self) -> None:
        """Find modules with names of their own, `layers = tf.contrib.layers`."""
        others = set()
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                chain, name = dotted(node.value) or "", node.targets[0].id
                head, _, path = chain.partition(".")
                if head in self._heads and path and _module_at(path):
                    self._aliases[name] = path
                elif name not in self._aliases or chain != name:
                    others.add(name)
            elif isinstance(node, ast.arg):
                others.add(node.arg)
            elif isinstance(node, ast.For) and isinstance(node.target, ast.Name):
                others.add(node.target.id)
        for name in others & self._aliases.keys():
            del self._aliases[name]

    def _rewrite(self, chain: ast.Attribute) -> None:
        parts = (dotted(chain) or "").split(".")
        head = parts[0]
        if head not in self._heads and head not in self._aliases:
            return
        path = "" if head in self._heads else self._aliases[head]
        # The shortest part of the chain that is not a module.
        length = 1
        while length < len(parts):
            path = f"{path}.{parts[length]}".lstrip(".")
            length += 1
            if not _module_at(path):
                break
        if head in self._heads and has_name(path) and path not in symbol_table.RENAMED:
            self._note_keras(path)
            return
        old = ".".join(parts[:length])
        found = today(path)
        own = today(self._aliases[head]) if head in self._aliases else None
        if found and own and own.module == found.module and length == 2:
            return
        new = found and self.names.expression(found)
        if new is None:
            self.remaining.append(Note(chain.lineno, f"{old} has no name today"))
        elif new != old:
            node: ast.expr = chain
            for _ in parts[length:]:
                assert isinstance(node, ast.Attribute)
                node = node.value
            self._edits.replace(node, new)
            self.changed.append(Note(chain.lineno, f"{old} is {new}"))

    def _is_used_as_module(self, path: str, name: str) -> bool:
        """Whether a name of Keras is assumed to be a module, and only its attributes are used."""
        uses = [n for n in ast.walk(self._tree) if isinstance(n, ast.Name) and n.id == name]
        attributes = [dotted(chain) or "" for chain in chains(self._tree)]
        of_name = [chain for chain in attributes if chain.startswith(f"{name}.")]
        return _inside(path, "keras") and not has_name(path) and len(uses) == len(of_name)

    def _note_keras(self, path: str) -> None:
        if any(_inside(path, needs) for needs in NEED_KERAS):
            self.names.use("tf_keras")


def _is_kept(path: str) -> bool:
    """Whether `tensorflow.<path>` is a module of today that `import` finds."""
    return path.partition(".")[0] != "contrib" and importable(f"tensorflow.{path}", [])


def _as(name: str, last: str) -> str:
    return "" if name == last else f" as {name}"


def _inside(path: str, package: str) -> bool:
    return path == package or path.startswith(f"{package}.")


def _is_same(module: str, other: str, name: str) -> bool:
    """Whether two modules have the same object under a name."""
    try:
        first, second = importlib.import_module(module), importlib.import_module(other)
    except ImportError:
        return False
    value = getattr(first, name, None)
    return value is not None and value is getattr(second, name, None)


def _module_at(path: str) -> bool:
    """Whether `tensorflow.<path>` was a module."""
    try:
        value = tf1_module.find(path)
    except (DeepMnistError, AttributeError, ImportError):
        return False
    return isinstance(value, tf1_module.TF1Module) and not tf1_module.is_guessed(value)
