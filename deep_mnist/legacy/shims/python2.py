"""Python 2 for TF1 scripts: translated in memory by fissix, a fork of lib2to3; its division."""

from __future__ import annotations

import ast
import copy
import importlib
import logging
import pkgutil
import re
import string
import sys
from typing import Any

from deep_mnist.errors import DeepMnistError
from deep_mnist.legacy import symbol_table
from deep_mnist.legacy.shims import numpy_compat
from deep_mnist.legacy.source import parsing, with_spaces

# What only a script for Python 2 has, in text that Python 3 can parse.
MODULES = frozenset(
    "urllib2 cPickle StringIO cStringIO Queue ConfigParser Tkinter commands HTMLParser httplib "
    "urlparse".split()
)
NAMES = frozenset("xrange raw_input unicode execfile".split())
METHODS = frozenset("has_key iteritems iterkeys itervalues".split())
DOTTED = frozenset(
    [f"urllib.{name}" for name in ("urlretrieve", "urlopen", "urlencode", "quote")]
    + [f"string.{name}" for name in ("letters", "lowercase", "uppercase", "maketrans", "join")]
    + ["os.getcwdu", "sys.maxint", "itertools.izip", "itertools.imap", "itertools.ifilter"]
)
FUTURE_DIVISION = re.compile(r"^\s*from\s+__future__\s+import\s+.*\bdivision\b", re.M)
RUNS_ON_3 = re.compile(
    r"\bsys\.version_info\b|\bfrom\s+six\b|\bimport\s+six\b|^#!.*python3"
    r"|\bexcept\s+(NameError|ImportError|ModuleNotFoundError)",
    re.M,
)

# The fixers that keep every line where it is: tracebacks name the lines of the file.
FIXERS = """apply basestring dict except exec execfile filter funcattrs getcwdu has_key imports
    input intern isinstance itertools long map methodattrs ne next nonzero numliterals paren
    print raise raw_input renames repr standarderror sys_exc throw tuple_params types unicode
    urllib xrange xreadlines zip""".split()


def transformed(tree: ast.Module, integer_division: bool) -> ast.Module:
    """Return a syntax tree with calls of this module's functions for what changed since.

    Args:
      tree: of a module or cell; it is changed.
      integer_division: the quotient of two integers is an integer, as in Python 2.
    """
    if integer_division:
        tree = _Division().visit(tree)
    tree = numpy_compat.transformed(_Dropped().visit(tree))
    return ast.fix_missing_locations(tree)


def parsed(text: str, path: str) -> tuple[ast.Module, bool]:
    """Return a text's syntax tree, and whether it was Python 2."""
    try:
        with parsing(path):
            text, two = translated(text, path)
            return ast.parse(text, path), two
    except (SyntaxError, ValueError) as error:
        where = f":{error.lineno}" if isinstance(error, SyntaxError) else ""
        raise DeepMnistError(
            f"{path}{where}: expected Python, found what neither Python 3 nor 2 can read"
        ) from None


def translated(text: str, path: str) -> tuple[str, bool]:
    """Return a text as Python 3, and whether it was Python 2.

    Raises:
      DeepMnistError: it is neither, or fissix is needed and missing.
    """
    three = _error(text) is None
    if not three and _error(with_spaces(text)) is None:
        text, three = with_spaces(text), True
    if three and (RUNS_ON_3.search(text) or not _is_python2(ast.parse(text))):
        return text, False
    try:
        from fissix import refactor
    except ImportError:
        if three:
            return text, True
        raise DeepMnistError(
            f"{path}: Python 2 is translated by fissix, which is not installed",
            hint="install it with: pip install fissix",
        ) from None
    logging.getLogger("fissix").setLevel(logging.ERROR)
    fixers = [f"fissix.fixes.fix_{name}" for name in FIXERS]
    for print_function in (three, not three):
        tool = refactor.RefactoringTool(fixers, {"print_function": print_function})
        for candidate in (text, with_spaces(text)):
            result = _refactored(tool, candidate.rstrip() + "\n", path)
            if result is not None and _error(result) is None:
                return result, True
    first = _error(text)
    where = f":{first.lineno}" if first is not None and first.lineno else ""
    what = first.msg if first is not None else "an error"
    raise DeepMnistError(
        f"{path}{where}: expected Python, found what neither Python 3 nor 2 can read ({what})"
    )


def _refactored(tool: Any, text: str, path: str) -> str | None:
    """Return a text after fissix's fixers, None where it is not Python 2."""
    try:
        return str(tool.refactor_string(text, path))
    except (RecursionError, MemoryError):  # nested too deeply
        raise
    except Exception:  # what is not Python fails in its parser with exceptions of any type
        return None


def _is_python2(tree: ast.Module) -> bool:
    """Whether a text that Python 3 can parse uses what Python 3 dropped."""
    nodes = list(ast.walk(tree))
    bound = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    bound |= {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    bound |= {
        (alias.asname or alias.name)
        for n in nodes
        for alias in getattr(n, "names", ())
        if isinstance(alias, ast.alias)
    }
    three = (ast.JoinedStr, ast.AnnAssign, ast.Nonlocal, ast.YieldFrom, ast.AsyncFunctionDef)
    if any(isinstance(n, three) or _prints_with_keywords(n) for n in nodes):
        return False
    return any(_is_of_python2(n, bound) for n in nodes)


def _prints_with_keywords(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
        and bool(node.keywords)
    )


def _is_of_python2(node: ast.AST, bound: set[str]) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name in MODULES for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return node.module in MODULES or any(
            f"{node.module}.{alias.name}" in DOTTED for alias in node.names
        )
    if isinstance(node, ast.Name):
        return node.id in NAMES - bound and isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.Attribute):
        return node.attr in METHODS or (
            isinstance(node.value, ast.Name) and f"{node.value.id}.{node.attr}" in DOTTED
        )
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Call):
        function = node.value.func
        if isinstance(function, ast.Name):
            return function.id in {"map", "zip", "filter"} - bound
        return isinstance(function, ast.Attribute) and (
            function.attr in ("keys", "values", "items") and not node.value.args
        )
    return False


def divide(left: Any, right: Any) -> Any:
    """Return `left / right` as in Python 2: the quotient of integers is an integer."""
    if _whole(left) and _whole(right):
        return left // right
    return left / right


def divide_in_place(left: Any, right: Any) -> Any:
    """Return `left /= right` as in Python 2; an array is changed in place."""
    if _whole(left) and _whole(right):
        left //= right
    else:
        left /= right
    return left


def whole_range(*args: Any) -> range:
    """Return range(), also of floats that are the quotients of integers."""
    return range(*(int(arg) if isinstance(arg, float) else arg for arg in args))


def install() -> None:
    """Add the names that Python 3 dropped to this process's standard library."""
    for old, new in symbol_table.PYTHON.items():
        home, _, name = old.partition(".")
        module = importlib.import_module(home)
        if not hasattr(module, name):
            setattr(module, name, pkgutil.resolve_name(new))
    if not hasattr(string, "join"):
        string.join = lambda words, sep=" ": sep.join(words)  # type: ignore[attr-defined]
    if not hasattr(sys, "setdefaultencoding"):
        sys.setdefaultencoding = lambda name: None  # type: ignore[attr-defined]


def reload(module: Any) -> Any:
    """Reload a module; scripts reloaded sys to set the default encoding, which is not needed."""
    return module if module is sys else importlib.reload(module)


def _whole(value: Any) -> bool:
    dtype = getattr(value, "dtype", None)  # NumPy's or TensorFlow's
    return (
        isinstance(value, int)
        or getattr(dtype, "kind", "") in ("i", "u")
        or bool(getattr(dtype, "is_integer", False))
    )


def _error(text: str) -> SyntaxError | None:
    try:
        compile(text, "script", "exec", dont_inherit=True)
    except SyntaxError as error:
        return error
    except ValueError:
        return SyntaxError("null bytes")
    return None


class _Division(ast.NodeTransformer):
    """Writes `a / b` as `__divide__(a, b)`, and `a /= b` so that it stays in place.

    project_modules.py gives own modules those names.
    """

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div):
            return node
        return _call("__divide__", node, node.left, node.right)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div):
            return node
        value = copy.deepcopy(node.target)
        value.ctx = ast.Load()
        divided = _call("__idivide__", node, value, node.value)
        return ast.copy_location(ast.Assign([node.target], divided), node)


class _Dropped(ast.NodeTransformer):
    """Writes `range(a)` as `__range__(a)`, for bounds that division made floats.

    Copies of the tutorial's input_data read numbers by a `_read32` that returns an array of one,
    which NumPy accepted as a number until 1.12: it returns that number.
    """

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        last = node.body[-1]
        if not isinstance(last, ast.Return):
            return node
        if node.name == "_read32" and isinstance(last.value, ast.Call):
            last.value = ast.Subscript(last.value, ast.Constant(0), ast.Load())
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "range":
            node.func = ast.copy_location(ast.Name("__range__", ast.Load()), node.func)
        return node


def _call(name: str, node: ast.AST, left: ast.expr, right: ast.expr) -> ast.Call:
    function = ast.copy_location(ast.Name(name, ast.Load()), node)
    return ast.copy_location(ast.Call(function, [left, right], []), node)
