"""`tensorflow` as an old script sees it: one module that looks names up in symbol_table.py.

Nothing of the installed TensorFlow is replaced: only the script's own imports are given this
module (imports.py), so TensorFlow itself and every library beside it go on with their own.
"""

from __future__ import annotations

import functools
import importlib
from types import ModuleType
from typing import Any

from deep_mnist.legacy import symbol_table
from deep_mnist.legacy.unsupported import RemovedModuleError, RemovedNameError, advice

RELEASE = "1.15.5"  # whose names these are; scripts branch on tf.__version__
KERAS_RELEASE = "2.2.4-tf"  # and on keras.__version__: the Keras of that release

# Folders of tensorflow.python whose modules went from one to another between releases.
INNER_FOLDERS = ("python.framework", "python.ops", "python.platform", "python.training")


class TF1Module(ModuleType):
    """One module of the TensorFlow of the time; `path` is its dotted name below `tensorflow`."""

    def __init__(self, path: str, sources: tuple[Any, ...]) -> None:
        super().__init__(f"tensorflow.{path}".rstrip("."))
        self.__path__: list[str] = []
        self._path = path
        self._sources = sources

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return [n for n in dir(self) if not n.startswith("_")]
        if name == "__version__":
            return KERAS_RELEASE if self._path == "keras" else RELEASE
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        value = self._find(name)
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return sorted({n for source in self._sources for n in _public(source)})

    def _find(self, name: str) -> Any:
        path = f"{self._path}.{name}" if self._path else name
        if path in symbol_table.RENAMED and symbol_table.RENAMED[path] != path:
            return find(symbol_table.RENAMED[path])
        if path in symbol_table.MODULES or path in symbol_table.SAME:
            return module(path)
        if self._path.startswith("contrib.") and (
            name in symbol_table.FOLDERS or name == self._path.rpartition(".")[2]
        ):
            return self
        for source in self._sources:
            if name in _public(source):
                value = getattr(source, name)
                return module(path, value) if isinstance(value, ModuleType) else value
        if path.partition(".")[0] in ("core", "keras", "python", "tools"):
            home = "tensorflow.python" if path.startswith("keras") else "tensorflow"
            inner = self._path == "python" or self._path in INNER_FOLDERS
            folders = INNER_FOLDERS if inner else ()
            for place in (path, *(f"{folder}.{name}" for folder in folders)):
                try:
                    return module(path, importlib.import_module(f"{home}.{place}"))
                except ImportError:
                    pass
            moved = _moved(name) if self._path.count(".") > 1 else None
            if moved is not None:
                return moved
        raise RemovedNameError(f"tf.{path}", advice(path))


@functools.cache
def module(path: str, real: ModuleType | None = None) -> TF1Module:
    """The module `tensorflow.<path>` of the time.

    Args:
      real: the module of today that stands there, where symbol_table.py names no other.
    """
    while path in symbol_table.SAME:
        path = symbol_table.SAME[path]
    if path in symbol_table.MODULES:
        return TF1Module(path, tuple(_imported(source) for source in symbol_table.MODULES[path]))
    if real is None:
        found = find(path)
        assert isinstance(found, TF1Module)
        return found
    return TF1Module(path, (real,))


def find(path: str) -> Any:
    """What stands at the dotted `path` below `tensorflow`."""
    value: Any = root()
    for part in path.split("."):
        value = getattr(value, part)
    return value


def import_path(path: str) -> TF1Module:
    """The module that `import tensorflow.<path>` asks for.

    Raises:
      RemovedModuleError: an ImportError, so that scripts which try several places go on.
    """
    value: Any = root()
    for part in path.split(".") if path else ():
        try:
            value = getattr(value, part)
        except AttributeError:
            raise RemovedModuleError(f"tensorflow.{path}", advice(path)) from None
    return value if isinstance(value, TF1Module) else module(path, value)


@functools.cache
def root() -> TF1Module:
    """What `import tensorflow as tf` gives an old script."""
    return module("")


def _imported(name: str) -> Any:
    """A module by name, or what a module calls by the last part of the name."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        package, _, attribute = name.rpartition(".")
        return getattr(importlib.import_module(package), attribute)


def _public(source: Any) -> frozenset[str]:
    """The names of a module that scripts may use: ours say so in __all__."""
    if getattr(source, "__name__", "").startswith("deep_mnist.legacy."):
        return frozenset(source.__all__)
    return frozenset(dir(source))


def _moved(name: str) -> Any:
    """A name of one of TensorFlow's inner modules, where the public API still has it."""
    for public in (root(), module("nn"), module("train")):
        if name in dir(public):
            return getattr(public, name)
    return None
