"""Rewrite names that NumPy, SciPy, Pillow, matplotlib and Python dropped as those of today."""

from __future__ import annotations

import ast
import re

from deep_mnist.legacy import symbol_table
from deep_mnist.legacy.port.edits import (
    Edits,
    Note,
    bound_names,
    chains,
    dotted,
    end,
    starred_modules,
    start,
)
from deep_mnist.legacy.port.helpers import Helpers

__all__ = ["rewrite_library_names"]

SCIPY = "deep_mnist.legacy.shims.scipy_misc"
SCIPY_FUNCTIONS = frozenset(
    ("bytescale", "fromimage", "imread", "imresize", "imrotate", "imsave", "logsumexp", "toimage")
)
# Dotted names of before -> what is written today.
NAMES = {
    **{f"numpy.{old}": new for old, new in symbol_table.NUMPY.items()},
    **symbol_table.PYTHON,
    "numpy.rank": "numpy.ndim",
    "numpy.lib.pad": "numpy.pad",
    "matplotlib.cm.get_cmap": "matplotlib.pyplot.get_cmap",
    "matplotlib.pyplot.cm.get_cmap": "matplotlib.pyplot.get_cmap",
    **{f"PIL.Image.{old}": f"PIL.Image.{new}" for old, new in symbol_table.PILLOW.items()},
}
# Builtin functions of Python 2 -> where they are today.
BUILTINS = {"reduce": "functools.reduce", "reload": "importlib.reload"}
WHOLE_ARRAY = ("threshold=np.nan", "threshold=numpy.nan", "threshold='nan'")
METHODS = {"tostring": "tobytes"}
KEYWORDS = {
    ("annotate", "s"): "text",
    ("axes", "axisbg"): "facecolor",
    ("add_axes", "axisbg"): "facecolor",
    ("add_subplot", "axisbg"): "facecolor",
    ("subplot", "axisbg"): "facecolor",
    ("TSNE", "n_iter"): "max_iter",
    ("hist", "normed"): "density",
    ("histogram", "normed"): "density",
}
KEYWORD_LIBRARIES = ("matplotlib", "numpy", "pylab", "sklearn")
MNIST = ("http://yann.lecun.com/exdb/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")


def rewrite_library_names(
    text: str, helpers: Helpers
) -> tuple[str, list[Note], list[Note], set[str]]:
    """Return a program with today's names.

    Args:
      text: the program, as Python 3.
      helpers: what the program needs of the bridge; added to.

    Returns:
      its text, what was changed, what remains to be done, and the imports that it needs.
    """
    program = _Program(text, helpers)
    return program.text, program.changed, program.remaining, program.imports


class _Program:
    def __init__(self, text: str, helpers: Helpers) -> None:
        self.changed: list[Note] = []
        self.remaining: list[Note] = []
        self.imports: set[str] = set()
        self._source = text
        self._edits = Edits(text)
        self._helpers = helpers
        tree = ast.parse(text)
        self._bound = set(bound_names(tree))
        self._methods = {
            method.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
            for method in node.body
            if isinstance(method, ast.FunctionDef)
        }
        self._statements = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
        self._has_star_import = False  # of a library
        self._modules = starred_modules(tree)  # name -> the module or object it is bound to
        written = {dotted(node) or "" for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        self._uses_scipy = any(re.match(r"scipy\.(?!misc\b)", name) for name in written)
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self._import(node)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                self._import_from(node)
        for chain in chains(tree):
            part: ast.expr = chain
            while isinstance(part, ast.Attribute) and not self._name(part):
                part = part.value
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                self._call(node)
            elif isinstance(node, ast.Constant) and MNIST[0] in str(node.value):
                self._address(node)
        self.text = self._edits.applied()

    def _import(self, node: ast.Import) -> None:
        statements = []
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            self._modules[name] = alias.name if alias.asname else name
            statement = f"import {ast.unparse(alias)}"
            if alias.name == "scipy.misc":
                used = self._uses_scipy and not alias.asname
                statement = "import scipy" if used else "pass"
            statements.append(statement)
        if any(alias.name == "scipy.misc" for alias in node.names):
            self._replace(node, "; ".join(statements))

    def _import_from(self, node: ast.ImportFrom) -> None:
        statements = []
        for alias in node.names:
            path, name = f"{node.module}.{alias.name}", alias.asname or alias.name
            self._modules[name] = path
            self._has_star_import |= alias.name == "*" and _takes_keywords(path)
            home, _, new = NAMES.get(path, "").rpartition(".")
            helper = self._scipy_function(path)
            if path == "scipy.misc":
                statements.append("pass")
            elif helper is not None:
                statements.append(f"{name} = {helper}")
            elif home.startswith("builtins"):
                statements.append(f"{name} = {NAMES[path].removeprefix('builtins.')}")
            elif new:
                renamed = "" if new == name else f" as {name}"
                statements.append(f"from {home} import {new}{renamed}" if home else f"import {new}")
            else:
                statements.append(f"from {node.module} import {ast.unparse(alias)}")
        if statements != [f"from {node.module} import {ast.unparse(a)}" for a in node.names]:
            self._replace(node, "; ".join(statements))

    def _name(self, node: ast.Attribute) -> bool:
        """Replace a dotted name, if it is one of those that were dropped."""
        head, _, rest = (dotted(node) or "").partition(".")
        module = self._modules.get(head, "")
        path = f"{module}.{rest}"
        new = self._scipy_function(path)
        if new is None and path in NAMES:
            is_same_module = NAMES[path].startswith(f"{module}.")
            new = f"{head}{NAMES[path].removeprefix(module)}" if is_same_module else None
            new = new or self._imported(NAMES[path])
        if new is not None:
            self._replace(node, new)
        return new is not None

    def _scipy_function(self, path: str) -> str | None:
        """Return what the program calls a function that SciPy dropped, None for another name."""
        home, _, name = path.rpartition(".")
        if home in ("scipy.misc", "scipy.ndimage") and name in SCIPY_FUNCTIONS:
            return self._helpers.use(SCIPY, name)
        return None

    def _imported(self, path: str) -> str:
        """Return the expression for a name of a module, and note its import."""
        home = path.rpartition(".")[0]
        if home.startswith("builtins"):
            return path.removeprefix("builtins.")
        self.imports.add(f"import {home or path}")
        return path

    def _is_of_library(self, called: str) -> bool:
        """Whether a call is one of a library's function, or of an object's method."""
        head, _, rest = called.partition(".")
        if head in self._modules and (rest or head not in self._bound):
            return _takes_keywords(self._modules[head])
        if not rest:
            return self._has_star_import and head not in self._bound
        return rest.rpartition(".")[2] not in self._methods

    def _call(self, node: ast.Call) -> None:
        function = node.func
        called = dotted(function) or ""
        last = called.rpartition(".")[2]
        if called in BUILTINS and called not in self._bound | self._modules.keys():
            self._replace(function, self._imported(BUILTINS[called]))
        for keyword in node.keywords if self._is_of_library(called) else ():
            new = KEYWORDS.get((last, str(keyword.arg)))
            if new is not None:
                first = start(keyword)
                name = first, (first[0], first[1] + len(str(keyword.arg)))
                self._edits.replace_between(*name, str(keyword.arg), new)
                self._note(node, f"{keyword.arg} is {new}")
            elif last == "set_printoptions" and ast.unparse(keyword) in WHOLE_ARRAY:
                self._edits.replace(keyword.value, self._imported("sys.maxsize"))
                self._note(node, "threshold is a number")
            elif last == "reshape" and keyword.arg == "newshape" and keyword is node.keywords[0]:
                # NumPy before 2.1 has no `shape`, and later ones no `newshape`.
                name = start(keyword), start(keyword.value)
                self._edits.replace_between(*name, r"newshape\s*=\s*", "")
                self._note(node, "newshape by position")
        if isinstance(function, ast.Attribute):
            self._method(node, function)

    def _method(self, node: ast.Call, function: ast.Attribute) -> None:
        """Replace a method that arrays no longer have."""
        before, after = end(function.value), end(function)
        owner = dotted(function.value)
        if function.attr == "gca" and any(key.arg == "projection" for key in node.keywords):
            self._edits.replace_between(before, after, "gca", "add_subplot")
            self._note(node, "add_subplot")
        elif self._has_new_name(node, function):
            self._edits.replace_between(before, after, function.attr, METHODS[function.attr])
            self._note(node, f"{function.attr} is {METHODS[function.attr]}")
        elif owner is None or owner not in self._modules:
            self._dropped_method(node, function)
        elif self._modules[owner] == "numpy" and function.attr == "fromstring":
            if not any(keyword.arg == "sep" for keyword in node.keywords) and len(node.args) < 4:
                self._edits.replace_between(before, after, "fromstring", "frombuffer")
                self._edits.insert(end(node), ".copy()")
                self._note(node, "a copy of frombuffer")
        elif self._modules[owner] == "numpy" and function.attr == "asscalar" and node.args:
            self._edits.replace_between(before, after, "asscalar", "asarray")
            self._edits.insert(end(node), ".item()")
            self._note(node, "item()")

    def _has_new_name(self, node: ast.Call, function: ast.Attribute) -> bool:
        is_own = function.attr in self._methods or dotted(function.value) in self._modules
        return function.attr in METHODS and not (node.args or node.keywords or is_own)

    def _dropped_method(self, node: ast.Call, function: ast.Attribute) -> None:
        """Replace `a.itemset(...)` and `np.load(...).item()`."""
        if function.attr == "itemset" and function.attr not in self._methods:
            self._itemset(node, function)
        inner = function.value
        if function.attr == "item" and isinstance(inner, ast.Call):
            owner, _, name = (dotted(inner.func) or "").partition(".")
            is_load = self._modules.get(owner) == "numpy" and name == "load"
            if is_load and all(keyword.arg != "allow_pickle" for keyword in inner.keywords):
                self._edits.append_argument(inner, "allow_pickle=True")
                self._note(inner, "allow_pickle, for an object in a file")

    def _itemset(self, node: ast.Call, function: ast.Attribute) -> None:
        """Replace `a.itemset(index, value)`, where it is a statement on one line."""
        is_assignable = id(node) in self._statements and node.lineno == node.end_lineno
        if not is_assignable or len(node.args) != 2 or node.keywords:
            self.remaining.append(Note(node.lineno, "write `array[index] = value` by hand"))
            return
        index, value = node.args
        new = "[" if isinstance(index, ast.Tuple) else ".flat["
        self._edits.replace_between(end(function.value), end(function), r"\.\s*itemset", "")
        self._edits.replace_between(end(function), start(index), r"\(", new)
        self._edits.replace_between(end(index), start(value), r",\s*", "] = ")
        self._edits.replace_between(end(value), end(node), r",?\s*\)$", "")
        self._note(node, f"{new}index] = value")

    def _address(self, node: ast.Constant) -> None:
        """Replace the address that MNIST was published at, which refuses downloads."""
        written = ast.get_source_segment(self._source, node) or ""
        if node.lineno == node.end_lineno and MNIST[0] in written:
            self._edits.replace(node, written.replace(*MNIST))
            self.changed.append(Note(node.lineno, f"{MNIST[0]} is {MNIST[1]}"))

    def _replace(self, node: ast.expr | ast.stmt, new: str) -> None:
        self._edits.replace(node, new)
        self.changed.append(Note(node.lineno, f"{ast.unparse(node)} is {new}"))

    def _note(self, node: ast.Call, what: str) -> None:
        self.changed.append(Note(node.lineno, f"{ast.unparse(node.func)}: {what}"))


def _takes_keywords(path: str) -> bool:
    """Whether a dotted name is one of the libraries whose KEYWORDS changed."""
    return path.partition(".")[0] in KEYWORD_LIBRARIES
