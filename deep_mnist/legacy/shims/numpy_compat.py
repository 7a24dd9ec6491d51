"""NumPy 1 for TF1 scripts: names, functions and arithmetic that NumPy 2 dropped or changed."""

from __future__ import annotations

import ast
import builtins
import functools
import importlib
import operator
import sys
from collections.abc import Callable
from typing import Any

from deep_mnist.legacy import symbol_table
from deep_mnist.legacy.shims import library_hooks

__all__ = ["install", "transformed"]


@functools.cache
def install() -> None:
    """Add the dropped names and arguments to this process's NumPy, and to libraries on it."""
    library_hooks.install()
    np: Any = importlib.import_module("numpy")
    for name, target in symbol_table.NUMPY.items():
        home, _, attribute = target.rpartition(".")
        if name not in vars(np) and hasattr(sys.modules[home], attribute):
            setattr(np, name, getattr(sys.modules[home], attribute))
    _add(np, "asscalar", lambda array: array.item())
    _add(np, "asfarray", lambda array, dtype=np.float64: np.asarray(array, dtype))
    _add(np, "rank", lambda array: np.asarray(array).ndim)
    _add(np.random, "random_integers", _random_integers)
    for name in ("pad", "histogram", "unique", "in1d"):
        if hasattr(np, name):
            _add(np.lib, name, getattr(np, name))
    np.array, np.asarray = _ragged(np.array), _ragged(np.asarray)
    load, fromstring = np.load, np.fromstring

    def fromstring_of_bytes(string: Any, dtype: Any = float, count: int = -1, sep: str = "") -> Any:
        if sep:
            return fromstring(string, dtype, count, sep=sep)
        data = string.encode("latin-1") if isinstance(string, str) else string
        return np.frombuffer(data, dtype, count).copy()

    def load_pickled(
        file: Any, mmap_mode: Any = None, allow_pickle: bool = True, **more: Any
    ) -> Any:
        return load(file, mmap_mode, allow_pickle, **more)

    set_printoptions = np.set_printoptions

    def set_printoptions_with_nan(*args: Any, **options: Any) -> None:
        if options.get("threshold", 0) != options.get("threshold", 0):
            options["threshold"] = sys.maxsize  # NaN meant the whole array
        set_printoptions(*args, **options)

    histogram = np.histogram

    def histogram_normed(a: Any, *args: Any, normed: Any = None, **more: Any) -> Any:
        return histogram(a, *args, **(more if normed is None else {**more, "density": normed}))

    reshape = np.reshape

    def reshape_newshape(a: Any, *args: Any, newshape: Any = None, **more: Any) -> Any:
        return reshape(a, *args, **more) if newshape is None else reshape(a, newshape, **more)

    np.histogram, np.reshape = histogram_normed, reshape_newshape
    np.load, np.fromstring = load_pickled, fromstring_of_bytes
    np.set_printoptions = set_printoptions_with_nan
    if not np.__version__.startswith("1."):
        np.set_printoptions(legacy="1.25")  # a list of scalars prints as numbers
    for name, function in _FUNCTIONS.items():
        setattr(builtins, name, function)


def _add(module: Any, name: str, function: Any) -> None:
    if name not in vars(module):
        setattr(module, name, function)


def _ragged(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return np.array or np.asarray, for rows of several lengths too: an array of objects."""

    @functools.wraps(function)
    def ragged(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except ValueError as error:
            if "inhomogeneous" not in str(error) or len(args) > 1 or options.get("dtype"):
                raise
            return function(*args, **{**options, "dtype": object})

    return ragged


def _random_integers(low: int, high: int | None = None, size: Any = None) -> Any:
    """Integers from low to high, including high."""
    import numpy as np

    low, high = (1, low) if high is None else (low, high)
    return np.random.randint(low, high + 1, size)


# NumPy 1 computed numpy.uint8(7) * 100 in int64; NumPy 2 computes it in uint8. The operators of
# scripts are replaced by functions that convert such scalars first. Methods that arrays no
# longer have are replaced by functions, too.

_SMALL = frozenset({"int8", "int16", "int32", "uint8", "uint16", "uint32"})
_OPERATORS: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("add", operator.add),
    ast.Sub: ("sub", operator.sub),
    ast.Mult: ("mul", operator.mul),
    ast.Pow: ("pow", operator.pow),
    ast.LShift: ("lshift", operator.lshift),
}
_IN_PLACE = {"add": operator.iadd, "sub": operator.isub, "mul": operator.imul}


def transformed(tree: ast.Module) -> ast.Module:
    """Return a syntax tree with calls of _FUNCTIONS where NumPy 1 did something else."""
    changed: ast.Module = _Transformer("sum" not in _bound_names(tree)).visit(tree)
    return changed


def _bound_names(tree: ast.Module) -> set[str]:
    """Return the names that a module defines; all of a star import are assumed to be."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.alias):
            names.add("sum" if node.name == "*" else node.asname or node.name)
    return names


class _Transformer(ast.NodeTransformer):
    """Writes `a + 1` as `__np_add__(a, 1)`, and `a.itemset(1)` as `__np_itemset__(a, 1)`.

    Args:
      sums: whether `sum` is Python's function.
    """

    def __init__(self, sums: bool) -> None:
        self._sums = sums

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        known = _OPERATORS.get(type(node.op))
        if known is None or not (_may_be_integer(node.left) and _may_be_integer(node.right)):
            return node
        if isinstance(node.left, ast.Constant) and isinstance(node.right, ast.Constant):
            return node
        return ast.copy_location(_call(f"__np_{known[0]}__", node, node.left, node.right), node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        known = _OPERATORS.get(type(node.op))
        if known is None or known[0] not in _IN_PLACE or not isinstance(node.target, ast.Name):
            return node
        if isinstance(node.value, ast.Constant) or not _may_be_integer(node.value):
            return node
        value = ast.copy_location(ast.Name(node.target.id, ast.Load()), node)
        called = _call(f"__np_i{known[0]}__", node, value, node.value)
        return ast.copy_location(ast.Assign([node.target], called), node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in _METHODS:
            node.args = [function.value, *node.args]
            node.func = ast.copy_location(ast.Name(f"__np_{function.attr}__", ast.Load()), function)
        elif self._sums and isinstance(function, ast.Name) and function.id == "sum":
            node.func = ast.copy_location(ast.Name("__np_sum__", ast.Load()), function)
        return node


def _call(name: str, node: ast.AST, *args: ast.expr) -> ast.Call:
    return ast.copy_location(
        ast.Call(ast.copy_location(ast.Name(name, ast.Load()), node), [*args], []), node
    )


def _may_be_integer(node: ast.expr) -> bool:
    """Whether an expression may be a NumPy scalar or a Python integer."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int)
    return not isinstance(node, ast.JoinedStr | ast.List | ast.Tuple | ast.Dict | ast.Set)


def _widening(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return an operator that computes NumPy's small integers and Python's in int64."""

    def widening(left: Any, right: Any) -> Any:
        if type(right) is int and type(left).__name__ in _SMALL:
            left = _int64(left)
        elif type(left) is int and type(right).__name__ in _SMALL:
            right = _int64(right)
        return function(left, right)

    return widening


def _int64(value: Any) -> Any:
    numpy = sys.modules["numpy"]
    return numpy.int64(value) if isinstance(value, numpy.integer) else value


def _sum(iterable: Any, /, start: Any = 0) -> Any:
    """sum(), of an array of small integers in int64."""
    if getattr(getattr(iterable, "dtype", None), "name", "") in _SMALL and type(start) is int:
        iterable = iterable.astype("int64")
    return builtins.sum(iterable, start)


def _itemset(array: Any, *args: Any) -> None:
    """array.itemset(index, value), which NumPy 2 dropped."""
    if hasattr(array, "itemset"):
        array.itemset(*args)
    elif len(args) == 1:
        array[...] = args[0]
    elif isinstance(args[0], tuple):
        array[args[0]] = args[1]
    else:
        array.flat[args[0]] = args[1]


def _tostring(value: Any, *args: Any) -> Any:
    """value.tostring(), which NumPy 2.3 dropped for tobytes."""
    return (value.tostring if hasattr(value, "tostring") else value.tobytes)(*args)


def _ptp(array: Any, *args: Any, **options: Any) -> Any:
    """array.ptp(), which NumPy 2 dropped."""
    if hasattr(array, "ptp"):
        return array.ptp(*args, **options)
    return sys.modules["numpy"].ptp(array, *args, **options)


def _newbyteorder(value: Any, *args: Any) -> Any:
    """array.newbyteorder(), which NumPy 2 dropped; dtypes have it."""
    if hasattr(value, "newbyteorder"):
        return value.newbyteorder(*args)
    return value.view(value.dtype.newbyteorder(*args))


_METHODS: dict[str, Callable[..., Any]] = {
    "itemset": _itemset,
    "newbyteorder": _newbyteorder,
    "ptp": _ptp,
    "tostring": _tostring,
}
# What transformed code calls; `install` makes them builtins.
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "__np_sum__": _sum,
    **{f"__np_{name}__": _widening(function) for name, function in _OPERATORS.values()},
    **{f"__np_i{name}__": _widening(function) for name, function in _IN_PLACE.items()},
    **{f"__np_{name}__": function for name, function in _METHODS.items()},
}
