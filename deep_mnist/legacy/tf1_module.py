"""`tensorflow` as a TF1 script sees it: modules that look names up in symbol_table.py.

The installed TensorFlow is not replaced: only the script's own imports get these modules
(imports.py), so TensorFlow and every other library keep their own.
"""

from __future__ import annotations

import functools
import importlib
from types import ModuleType
from typing import Any, NoReturn

from deep_mnist.errors import DeepMnistError
from deep_mnist.legacy import libraries, symbol_table
from deep_mnist.legacy.unsupported import RemovedModuleError, RemovedNameError, advice

RELEASE = "1.15.5"  # whose names these are; scripts branch on tf.__version__
KERAS_RELEASE = "2.2.4-tf"  # and on keras.__version__: the Keras of that release


class TF1Module(ModuleType):
    """One module of TensorFlow 1.

    Args:
      path: its dotted name below `tensorflow`, as in symbol_table.py.
      sources: the modules that have its names, or their names; they are imported when used.
      shown: the path that the script wrote, for error messages.
      private: whether it stands for private modules, such as tensorflow.python.ops.
      guessed: whether nothing but its name says that it is a module.
    """

    def __init__(
        self,
        path: str,
        sources: tuple[Any, ...],
        *,
        shown: str = "",
        private: bool = False,
        guessed: bool = False,
    ) -> None:
        self._path = path
        self._sources = sources
        self._shown = shown or path
        self._private = private
        self._guessed = guessed
        super().__init__(f"tensorflow.{self._shown}".rstrip("."))
        self.__path__: list[str] = []

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

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise: a function that is not covered was assumed to be a private module."""
        raise RemovedNameError(f"tf.{self._shown}", advice(self._shown))

    def __dir__(self) -> list[str]:
        return sorted({n for source in self._sources for n in public_names(load_source(source))})

    def _find(self, name: str) -> Any:
        missing: DeepMnistError | None = None
        try:
            found = self._lookup(name)
        except DeepMnistError as error:  # a library is not installed; it may not be needed
            found, missing = [], error
        if found:
            value = found[0]
            return value._as_private() if self._private and isinstance(value, TF1Module) else value
        value = self._find_private(name)
        if value is not None:
            return value
        if missing is not None:
            raise missing
        path = f"{self._shown}.{name}" if self._shown else name
        raise RemovedNameError(f"tf.{path}", advice(path))

    def _lookup(self, name: str) -> list[Any]:
        """Return what the symbol table has under a name, [] if nothing."""
        path = f"{self._path}.{name}" if self._path else name
        if path in symbol_table.MODULES or path in symbol_table.SAME:
            return [module(path)]
        ours = [s for s in self._sources if str(s).startswith(symbol_table.HERE)]
        for source in map(load_source, ours):
            if name in public_names(source):
                return [getattr(source, name)]
        if symbol_table.RENAMED.get(path, path) != path:
            return [find(symbol_table.RENAMED[path])]
        for source in map(load_source, self._sources):
            if name in public_names(source):
                value = getattr(source, name)
                return [module(path, value) if isinstance(value, ModuleType) else value]
        return []

    def _find_private(self, name: str) -> Any:
        """Return the public object that a private path leads to, None if there is none.

        tensorflow.contrib.rnn.python.ops.core_rnn_cell.LSTMCell is contrib.rnn.LSTMCell: packages
        are skipped, and a name that the module of today does not have is looked up in the
        public API. An unknown part of the path is assumed to be a module.
        """
        path = f"{self._path}.{name}" if self._path else name
        family, _, rest = (self._path or name).partition(".")
        if family not in ("contrib", "core", "estimator", "keras", "python", "tools"):
            return None
        is_module = bool(rest) or family in ("estimator", "keras")
        own_name = family == "contrib" and name == self._path.rpartition(".")[2]
        if is_module and (own_name or name in symbol_table.PACKAGES):
            return self._as_private()
        if family in ("core", "python", "tools"):
            real = _real_module(path)
            if real is not None:
                return TF1Module(path, (real,), private=True)
        if family == "contrib" and f"contrib.{name}" in symbol_table.MODULES:
            return module(f"contrib.{name}")
        if self._private or family in ("contrib", "keras", "python"):
            found = _public_object(name, family)
            if found:
                return found[0]
        is_package = self._private or family == "keras" or self._path == "python"
        if is_package and not self._guessed and name.islower() and not name.startswith("_"):
            shown = f"{self._shown}.{name}"
            return TF1Module(self._path, self._sources, shown=shown, private=True, guessed=True)
        return None

    def _as_private(self) -> TF1Module:
        """Return the same module, for private names."""
        if self._private:
            return self
        return TF1Module(self._path, self._sources, shown=self._shown, private=True)


def path_of(module: TF1Module) -> str:
    """Return the dotted name of a module below `tensorflow`, as in symbol_table.py."""
    return module._path


def source_names(module: TF1Module) -> list[str]:
    """Return the names of the modules that have a module's names."""
    return [source if isinstance(source, str) else source.__name__ for source in module._sources]


def is_guessed(module: TF1Module) -> bool:
    """Whether nothing but its name says that something is a module."""
    return module._guessed


@functools.cache
def module(path: str, real: ModuleType | None = None) -> TF1Module:
    """Return the module `tensorflow.<path>` of TensorFlow 1.

    Args:
      path: its dotted name.
      real: the module of today at that path, where symbol_table.py names no other.
    """
    while path in symbol_table.SAME:
        path = symbol_table.SAME[path]
    if path in symbol_table.MODULES:
        return TF1Module(path, symbol_table.MODULES[path])
    if real is None:
        found = find(path)
        assert isinstance(found, TF1Module)
        return found
    return TF1Module(path, (real,))


def find(path: str) -> Any:
    """Return what is at the dotted `path` below `tensorflow`."""
    value: Any = root()
    for part in path.split("."):
        value = getattr(value, part)
    return value


def import_path(path: str) -> TF1Module:
    """Return the module that `import tensorflow.<path>` imports.

    Raises:
      RemovedModuleError: an ImportError, so that scripts which try several modules go on.
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
    """Return what `import tensorflow as tf` gives a TF1 script."""
    return module("")


def load_source(source: Any) -> Any:
    """Return a source of a module, imported if it is a name."""
    if not isinstance(source, str):
        return source
    if source.partition(".")[0] in libraries.LIBRARIES:
        return libraries.load(source)
    return libraries.import_by_name(source)


def public_names(source: Any) -> frozenset[str]:
    """Return the names of a module that scripts may use: ours are in __all__."""
    if getattr(source, "__name__", "").startswith("deep_mnist.legacy."):
        return frozenset(source.__all__)
    return frozenset(dir(source))


def _real_module(path: str) -> ModuleType | None:
    """Return today's module of TensorFlow at a private path, also if it moved to another."""
    package, _, name = path.rpartition(".")
    is_python = package == "python" or package in symbol_table.PYTHON_PACKAGES
    others = symbol_table.PYTHON_PACKAGES if is_python else ()
    for candidate in (path, *(f"{other}.{name}" for other in others)):
        try:
            return importlib.import_module(f"tensorflow.{candidate}")
        except ImportError:
            continue
    return None


def _public_object(name: str, family: str) -> list[Any]:
    """Return the public object of a name, [] if there is none."""
    paths = symbol_table.PUBLIC_KERAS if family == "keras" else symbol_table.PUBLIC
    for path in paths:
        try:
            found = module(path)._lookup(name)
        except (DeepMnistError, AttributeError):
            continue
        if found and not isinstance(found[0], ModuleType):
            return found
    for path in symbol_table.PRIVATE if family == "contrib" else ():
        source = _real_module(f"python.{path}")
        found = [getattr(source, name)] if name in dir(source) else []
        if found and not isinstance(found[0], ModuleType):
            return found
    return []
