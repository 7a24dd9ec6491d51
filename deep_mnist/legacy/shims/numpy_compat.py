"""Gives this process's NumPy the names and habits that its later releases dropped."""

from __future__ import annotations

import functools
import importlib
import sys
from typing import Any

from deep_mnist.legacy import symbol_table


@functools.cache
def install() -> None:
    """Adds what is missing and nothing else; scripts of the time pickled arrays without a word."""
    np: Any = importlib.import_module("numpy")
    for name, target in symbol_table.NUMPY.items():
        home, _, attribute = target.rpartition(".")
        if name not in vars(np) and hasattr(sys.modules[home], attribute):
            setattr(np, name, getattr(sys.modules[home], attribute))
    _add(np, "asscalar", lambda array: array.item())
    _add(np, "asfarray", lambda array, dtype=np.float64: np.asarray(array, dtype))
    _add(np.random, "random_integers", _random_integers)
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
            options["threshold"] = sys.maxsize  # NaN meant all of the array
        set_printoptions(*args, **options)

    histogram = np.histogram

    def histogram_normed(a: Any, *args: Any, normed: Any = None, **more: Any) -> Any:
        return histogram(a, *args, **(more if normed is None else {**more, "density": normed}))

    np.histogram = histogram_normed
    np.load, np.fromstring = load_pickled, fromstring_of_bytes
    np.set_printoptions = set_printoptions_with_nan
    if not np.__version__.startswith("1."):
        np.set_printoptions(legacy="1.25")  # a list of scalars prints as numbers


def _add(module: Any, name: str, function: Any) -> None:
    if name not in vars(module):
        setattr(module, name, function)


def _random_integers(low: int, high: int | None = None, size: Any = None) -> Any:
    """Whole numbers from low to high, high included."""
    import numpy as np

    low, high = (1, low) if high is None else (low, high)
    return np.random.randint(low, high + 1, size)
