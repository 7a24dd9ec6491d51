"""Rewrite what fissix leaves of Python 2: its division, and functions that Python 3 dropped."""

from __future__ import annotations

import ast
import re

from deep_mnist.legacy.port.edits import Edits, Note, dotted, end, start
from deep_mnist.legacy.port.helpers import Helpers

__all__ = ["rewrite_counts", "rewrite_python2"]

SHIM = "deep_mnist.legacy.shims.python2"
INTEGERS = ("len", "int", "ord", "xrange", "range")
FLOATS = ("float", "np.sqrt", "math.sqrt", "numpy.sqrt", "time.time", "random.random")
NEED_INTEGERS = ("range", "subplot", "subplots", "add_subplot")
ENCODING = re.compile(r"(imp\.|importlib\.)?reload\(sys\)|sys\.setdefaultencoding\(")
COUNTS = re.compile(r"(^|\.)num_examples$")


def rewrite_python2(
    original: str, text: str, helpers: Helpers, divides: bool
) -> tuple[str, list[Note], list[Note]]:
    """Return a program with Python 2's results under Python 3, what was changed, what remains.

    A quotient of integers becomes `//`; one of a float stays; any other becomes a call that
    divides as Python 2 did.

    Args:
      original: the program, Python 2.
      text: the same, translated by fissix; each line has its number.
      helpers: what the program needs of the bridge; added to.
      divides: the quotient of two integers is an integer.
    """
    pairs = zip(original.split("\n"), text.split("\n"), strict=False)
    changed = [
        Note(number, "Python 2 to 3")
        for number, (old, new) in enumerate(pairs, 1)
        if old.rstrip() != new.rstrip()
    ]
    remaining: list[Note] = []
    edits, tree = Edits(text), ast.parse(text)
    kinds = _Kinds(tree)
    encodings: set[int] = set()  # calls that set the encoding, and what is in them
    for node in ast.walk(tree):
        if divides and isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            _division(node, edits, kinds, helpers, changed, remaining)
        elif isinstance(node, ast.Call):
            called = dotted(node.func) or ""
            if ENCODING.match(ast.unparse(node)) and id(node) not in encodings:
                encodings |= {id(inner) for inner in ast.walk(node)}
                edits.replace(node, "None")
                changed.append(Note(node.lineno, "an encoding of strings is not needed"))
            elif called in ("pickle.load", "pickle.loads") and not node.keywords:
                edits.append_argument(node, 'encoding="latin1"')
                changed.append(Note(node.lineno, "a pickle of Python 2 is read as Latin-1"))
    return edits.applied(), changed, remaining


def rewrite_counts(text: str) -> tuple[str, list[Note]]:
    """Return a program that converts quotients where an integer is needed, and what was changed.

    Python 2 took floats for them, and its quotients of integers were integers.
    """
    edits, tree, changed = Edits(text), ast.parse(text), []
    quotients = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and _is_quotient(node.value, set())
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        called = (dotted(node.func) or "") if isinstance(node, ast.Call) else ""
        if isinstance(node, ast.Call) and called.rpartition(".")[2] in NEED_INTEGERS:
            for argument in node.args:
                if _is_quotient(argument, quotients):
                    edits.insert(start(argument), "int(")
                    edits.insert(end(argument), ")")
                    changed.append(Note(node.lineno, f"{called} of an integer"))
    return edits.applied(), changed


def _is_quotient(node: ast.expr, quotients: set[str]) -> bool:
    """Whether an expression is a quotient, also with something added to it."""
    if isinstance(node, ast.BinOp):
        if isinstance(node.op, ast.Div):
            return True
        sides = (node.left, node.right)
        is_sum = isinstance(node.op, ast.Add | ast.Sub | ast.Mult)
        return is_sum and any(_is_quotient(side, quotients) for side in sides)
    return isinstance(node, ast.Name) and node.id in quotients


def _can_be_repeated(target: ast.expr) -> bool:
    """Whether a target can be written twice: it has no side effects, and no edits inside."""
    return not any(
        isinstance(node, ast.Call | ast.NamedExpr | ast.Await | ast.Div)
        for node in ast.walk(target)
    )


def _division(
    node: ast.BinOp | ast.AugAssign,
    edits: Edits,
    kinds: _Kinds,
    helpers: Helpers,
    changed: list[Note],
    remaining: list[Note],
) -> None:
    is_assignment = isinstance(node, ast.AugAssign)
    left = node.target if isinstance(node, ast.AugAssign) else node.left
    right = node.value if isinstance(node, ast.AugAssign) else node.right
    sides = [kinds.of(left), kinds.of(right)]
    if float in sides:
        return
    between = end(left), start(right)
    if sides == [int, int]:
        edits.replace_between(*between, "/", "//")
        changed.append(Note(node.lineno, "a quotient of integers: / is //"))
        return
    if is_assignment and not _can_be_repeated(left):
        remaining.append(Note(node.lineno, "write this division by hand"))
        return
    if is_assignment:
        name = helpers.use(SHIM, "divide_in_place")
        edits.replace_between(*between, "/=", f"= {name}({ast.unparse(left)},")
    else:
        name = helpers.use(SHIM, "divide")
        edits.insert(start(node), f"{name}(")
        edits.replace_between(*between, r"\s*/", ",")
    edits.insert(end(node), ")")
    changed.append(Note(node.lineno, f"a quotient of integers or others: {name}()"))


class _Kinds:
    """Which expressions of a program are always integers, or floats."""

    def __init__(self, tree: ast.AST) -> None:
        self._values: dict[str, list[ast.expr | None]] = {}
        self._visiting: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    self._bind(target, node.value)
            elif isinstance(node, ast.AugAssign | ast.AnnAssign):
                self._bind(node.target, node.value)
            elif isinstance(node, ast.For | ast.comprehension):
                self._bind(node.target, node.iter)
            elif isinstance(node, ast.arg):
                self._values.setdefault(node.arg, []).append(None)
            elif isinstance(node, ast.withitem) and node.optional_vars is not None:
                self._bind(node.optional_vars, None)

    def _bind(self, target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Name):
            self._values.setdefault(target.id, []).append(value)
        parts, values = getattr(target, "elts", ()), getattr(value, "elts", ())
        for number, part in enumerate(parts):
            self._bind(part, values[number] if len(values) == len(parts) else None)

    def of(self, node: ast.expr | None) -> type | None:
        """Return int or float where an expression is always of that type, else None."""
        if isinstance(node, ast.Constant):
            return type(node.value) if type(node.value) in (int, float) else None
        if isinstance(node, ast.UnaryOp):
            return self.of(node.operand)
        if isinstance(node, ast.Call):
            name = dotted(node.func) or ""
            return int if name in INTEGERS else float if name in FLOATS else None
        if isinstance(node, ast.BinOp):
            sides = [self.of(node.left), self.of(node.right)]
            if float in sides and not isinstance(node.op, ast.Mod):
                return float
            if isinstance(node.op, ast.Pow):
                return None  # of a negative exponent a float
            return int if sides == [int, int] else None
        if isinstance(node, ast.Attribute):
            return int if COUNTS.search(ast.unparse(node)) else None
        if isinstance(node, ast.Name) and node.id not in self._visiting:
            self._visiting.add(node.id)
            kinds = {self.of(value) for value in self._values.get(node.id, [None])}
            self._visiting.discard(node.id)
            return kinds.pop() if len(kinds) == 1 else None
        return None
