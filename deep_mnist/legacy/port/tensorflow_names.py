"""Rewrite the names of TensorFlow's high-level APIs in a program, each on its line, for `port`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from deep_mnist.errors import DeepMnistError
from deep_mnist.legacy import symbol_table, tf1_module
from deep_mnist.legacy.port.libraries import Names, dotted, importable, preamble, stands, today

__all__ = ["Edits", "with_libraries"]

KERAS_PATHS = ("keras", "tensorflow.keras", "tensorflow.python.keras", "tensorflow.contrib.keras")
NEED_KERAS = ("keras", "layers", "nn.rnn_cell")
Line = tuple[int, str]  # the number of a line and what was done, or remains to be done, there


class Edits:
    """Replacements of expressions and statements of a program."""

    def __init__(self, text: str) -> None:
        self._lines = [line.encode() for line in text.split("\n")]
        self._edits: list[tuple[ast.expr | ast.stmt, str]] = []

    def replace(self, node: ast.expr | ast.stmt, new: str) -> None:
        """Replace a node's text; the nodes may not overlap."""
        self._edits.append((node, new))

    def applied(self) -> str:
        """Return the program with all replacements; each line keeps its number."""
        lines = self._lines
        # From the last to the first: a change moves what stands behind it on its line.
        for node, new in sorted(
            self._edits, key=lambda edit: (edit[0].lineno, edit[0].col_offset), reverse=True
        ):
            first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
            before, after = lines[first][: node.col_offset], lines[last][node.end_col_offset or 0 :]
            if isinstance(node, ast.stmt) or last == first:
                after_lines = [b""] * (last - first)
                lines[first : last + 1] = [before + new.encode() + after, *after_lines]
            else:  # an expression in parentheses, over several lines
                lines[first : last + 1] = [before + new.encode()] + [b""] * (last - first - 1)
                lines.insert(last, after)
        return b"\n".join(lines).decode()


def with_libraries(
    text: str, is_data: Callable[[ast.Import | ast.ImportFrom], bool], legacy_keras: bool
) -> tuple[str, list[Line], list[Line], str]:
    """Return a program with today's names of the high-level APIs.

    Args:
      text: it, as Python 3 that imports `tensorflow`.
      is_data: whether an import is that of the tutorial's data module, which stays.
      legacy_keras: other modules of the program need tf_keras.

    Returns:
      its text, what was changed, what has no name today, and the lines to put above it.
    """
    program = _Program(text, is_data)
    if legacy_keras:
        program.names.use("tf_keras")
    return program.text, program.changed, program.remaining, preamble(program.names)


class _Program:
    def __init__(self, text: str, is_data: Callable[[ast.Import | ast.ImportFrom], bool]) -> None:
        self.changed: list[Line] = []
        self.remaining: list[Line] = []
        self._tree = ast.parse(text)
        self._edits = Edits(text)
        self._is_data = is_data
        self._aliases: dict[str, str] = {}  # name -> the path of a module below `tensorflow`
        self._heads = {
            alias.asname or alias.name.partition(".")[0]
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Import)
            for alias in node.names
            if alias.name == "tensorflow"
            or (alias.name.startswith("tensorflow.") and alias.asname is None)
        }
        self.names = Names(min(self._heads, default="tf", key=len))
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Import):
                self._import(node)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                self._import_from(node)
        self._find_assigned_modules()
        for chain in _chains(self._tree):
            self._rewrite(chain)
        self.text = self._edits.applied()

    def _import(self, node: ast.Import) -> None:
        if self._is_data(node):
            return
        statements = []
        for alias in node.names:
            top, _, path = alias.name.partition(".")
            old = f"import {ast.unparse(alias)}"
            if top == "keras" or (
                alias.asname and any(_inside(alias.name, keras) for keras in KERAS_PATHS)
            ):
                statements.append(self._keras_import(alias) or old)
            elif top == "tensorflow" and path and alias.asname:
                if path.partition(".")[0] != "contrib" and importable(alias.name, []):
                    statements.append(old)
                else:
                    self._aliases[alias.asname] = path
                    statements.append(self._bound(path, alias.asname, node.lineno) or old)
            elif top == "tensorflow" and path and not importable(alias.name, []):
                statements.append("import tensorflow")
            else:
                statements.append(old)
        self._replace_import(node, statements)

    def _keras_import(self, alias: ast.alias) -> str | None:
        keras = next(k for k in reversed(KERAS_PATHS) if _inside(alias.name, k))
        module = f"tf_keras{alias.name.removeprefix(keras)}"
        if not importable(module, []):
            return None
        self.names.use("tf_keras")
        if alias.asname or module == "tf_keras":
            return f"import {module} as {alias.asname or 'keras'}"
        return f"import {module}; import tf_keras as keras"

    def _import_from(self, node: ast.ImportFrom) -> None:
        module, only = node.module or "", [alias.name for alias in node.names]
        keras = next((k for k in KERAS_PATHS if _inside(module, k)), None)
        if keras is not None and importable(f"tf_keras{module.removeprefix(keras)}", only):
            self.names.use("tf_keras")
            names = ", ".join(ast.unparse(alias) for alias in node.names)
            self._replace_import(
                node, [f"from tf_keras{module.removeprefix(keras)} import {names}"]
            )
            return
        if keras is None and not _inside(module, "tensorflow"):
            return
        parent = "keras" if module == "keras" else module.partition(".")[2]
        if module.startswith("keras."):
            parent = module
        if module == "tensorflow":
            if "keras" in only or "layers" in only:
                self.names.use("tf_keras")
            if set(only).isdisjoint({"contrib", "estimator"}):
                return
        elif self._is_data(node) or (keras is None and importable(module, only)):
            return
        statements = []
        for alias in node.names:
            path = f"{parent}.{alias.name}".lstrip(".")
            name = alias.asname or alias.name
            if _module_at(path):
                self._aliases[name] = path
            old = f"from {module} import {ast.unparse(alias)}"
            bound = old if alias.name == "*" else self._bound(path, name, node.lineno)
            statements.append(bound or old)
        self._replace_import(node, statements)

    def _bound(self, path: str, name: str, line: int) -> str | None:
        """Return the statement that binds what was `tensorflow.<path>` to a name."""
        found = today(path)
        if found is None:
            if _module_at(path):  # its names are written in full
                return "pass"
            self.remaining.append((line, f"tf.{path} has no name today"))
            return None
        written = self.names.expression(found)
        if written.partition(".")[0] == self.names.head:
            return f"import {symbol_table.V1} as {self.names.head}; {name} = {written}"
        package, _, last = found.module.rpartition(".")
        if found.name:
            source, member = found.module, found.name
        elif not package:
            return f"import {found.module}" + ("" if name == last else f" as {name}")
        else:
            return f"{name} = {written}"
        return f"from {source} import {member}" + ("" if name == member else f" as {name}")

    def _replace_import(self, node: ast.Import | ast.ImportFrom, statements: list[str]) -> None:
        old = [f"import {ast.unparse(alias)}" for alias in node.names]
        if statements != old:
            new = "; ".join(dict.fromkeys(statements))
            self._edits.replace(node, new)
            self.changed.append((node.lineno, f"import written as `{new}`"))

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
        if head in self._heads:
            path, start = "", 1
        elif head in self._aliases:
            path, start = self._aliases[head], 1
        else:
            return
        # The shortest part of the chain that is not a module.
        end = start
        while end < len(parts):
            path = f"{path}.{parts[end]}".lstrip(".")
            end += 1
            if not _module_at(path):
                break
        if head in self._heads and stands(path):
            if any(_inside(path, needs) for needs in NEED_KERAS):
                self.names.use("tf_keras")
            return
        found = today(path)
        old = ".".join(parts[:end])
        if found is None:
            if not self._is_tutorial(path):
                self.remaining.append((chain.lineno, f"{old} has no name today"))
            return
        own = today(self._aliases[head]) if head in self._aliases else None
        if own is not None and own.module == found.module and end == 2:
            return
        new = self.names.expression(found)
        node: ast.expr = chain
        for _ in parts[end:]:
            assert isinstance(node, ast.Attribute)
            node = node.value
        if new != old:
            self._edits.replace(node, new)
            self.changed.append((chain.lineno, f"{old} is {new}"))

    def _is_tutorial(self, path: str) -> bool:
        return path in ("examples", "examples.tutorials")


def _inside(path: str, package: str) -> bool:
    return path == package or path.startswith(f"{package}.")


def _module_at(path: str) -> bool:
    """Whether `tensorflow.<path>` was a module."""
    try:
        value = tf1_module.find(path)
    except (DeepMnistError, AttributeError, ImportError):
        return False
    return isinstance(value, tf1_module.TF1Module) and not value._guessed


def _chains(tree: ast.AST) -> Iterator[ast.Attribute]:
    """Yield the attributes of names, the longest of each: tf.nn.relu, not tf.nn."""
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and id(node) not in inner and dotted(node):
            yield node
