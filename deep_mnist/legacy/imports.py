"""Which TensorFlow an `import` returns: TF1 to the user's modules, TF2 to TensorFlow's own.

`install()` replaces two functions of this process, `builtins.__import__` and
`importlib.import_module`. They look at the module that imports: TensorFlow, Keras and the libraries
of LIBRARIES get the installed TensorFlow; every other module gets tf1_module.py. How the user's own
modules are found and compiled is in project_modules.py.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from deep_mnist.legacy import project_modules, session_errors, tf1_mode, tf1_module
from deep_mnist.legacy.plots import Plots
from deep_mnist.legacy.shims import matplotlib_compat, pillow_compat
from deep_mnist.legacy.unsupported import RemovedModuleError, RemovedNameError

__all__ = ["install", "is_installed", "uninstall"]

# Libraries that are written for the installed TensorFlow. Anything else was written for TF1.
LIBRARIES = frozenset(
    """deep_mnist keras tensorboard tensorflow tensorflow_datasets tensorflow_estimator
    tensorflow_hub tensorflow_probability tf_keras tf_slim""".split()
)
TF1_NAMES = frozenset({"tensorflow", "keras"})
# Libraries that get the names which later releases dropped, when the user's code imports them.
SHIMMED = frozenset({"IPython", "PIL", "matplotlib", "pylab"})


class _Imports:
    """The import functions of this process.

    Args:
      eager: the script enables eager execution itself.
      plots: saves the figures that are shown, or None to leave matplotlib's backend alone.
    """

    def __init__(self, eager: bool, plots: Plots | None) -> None:
        self._eager = eager
        self._is_started = False
        self._plots = plots
        self._builtin_import = builtins.__import__
        self._import_module = importlib.import_module

    def __call__(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,  # noqa: A002, names of __import__
        locals: Mapping[str, Any] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        importer = globals if globals is not None else sys._getframe(1).f_globals
        top = name.partition(".")[0]
        if level == 0 and self._gets_tf1(top, importer):
            return self._tf1(name, fromlist)
        if not project_modules.is_own(importer):
            module = self._builtin_import(name, globals, locals, fromlist or (), level)
            if top == "PIL" and not str(importer.get("__name__", "")).startswith("PIL."):
                pillow_compat.install()  # libraries written for TF1 use Pillow 9
            return module
        if level == 0 and project_modules.is_sibling(name, importer):
            level = 1  # Python 2 looked inside the package first
        if top == "scipy":
            _provide_scipy_misc(name, fromlist)
        try:
            module = self._builtin_import(name, globals, locals, fromlist or (), level)
        except ModuleNotFoundError as error:
            if level or error.name != top or not importer.get("__package__"):
                raise
            try:
                module = self._builtin_import(name, globals, locals, fromlist or (), 1)
            except ModuleNotFoundError:
                raise error from None
        if top in SHIMMED:
            self._add_dropped_names(top)
        return module

    def import_module(self, name: str, package: str | None = None) -> ModuleType:
        """Replace importlib.import_module."""
        if self._gets_tf1(name.partition(".")[0], sys._getframe(1).f_globals):
            return tf1_module.import_path(_tf1_path(name))
        return self._import_module(name, package)

    def _gets_tf1(self, top: str, importer: Mapping[str, Any]) -> bool:
        """Whether an import of the package `top` by a module is one of TF1.

        TensorFlow is started as TF1 where a library of LIBRARIES is imported first.
        """
        if top not in LIBRARIES or top == "deep_mnist":
            return False
        if not project_modules.is_own(importer):
            if _is_library(importer):
                return False
        elif project_modules.is_own_file(top):
            return False  # the project has a module of that name
        if not self._is_started:
            self._is_started = True
            tf1_mode.start(self._eager)
            session_errors.install()
        return top in TF1_NAMES

    def _tf1(self, name: str, fromlist: Sequence[str] | None) -> Any:
        found = tf1_module.import_path(_tf1_path(name))
        if not fromlist:
            return tf1_module.module("keras") if name.startswith("keras") else tf1_module.root()
        for part in fromlist:
            if part != "*":
                try:
                    getattr(found, part)
                except RemovedNameError as error:
                    # Scripts that try several paths expect an ImportError.
                    raise RemovedModuleError(*error.parts) from None
        return found

    def _add_dropped_names(self, top: str) -> None:
        if top == "PIL":
            pillow_compat.install()
        elif top == "IPython":
            module = sys.modules["IPython"]
            if module.get_ipython() is None:  # the user's code does not run in IPython
                module.get_ipython = project_modules.get_ipython  # type: ignore[attr-defined]
        else:
            matplotlib_compat.install()
            if self._plots is not None:
                pyplot = self._import_module("matplotlib.pyplot")
                self._plots.install(pyplot)
                if top == "pylab":
                    sys.modules["pylab"].show = pyplot.show  # type: ignore[attr-defined]


def install(
    eager: bool = False,
    plots: Plots | None = None,
    more_builtins: Mapping[str, Any] | None = None,
) -> None:
    """Give TF1 to the modules that this process imports from now on.

    Args:
      eager: the script enables eager execution itself.
      plots: saves the figures that are shown, or None to leave matplotlib's backend alone.
      more_builtins: builtins of the user's own modules, besides Python's and those of Python 2.
    """
    uninstall()
    imports = _Imports(eager, plots)
    builtins.__import__ = imports
    importlib.import_module = imports.import_module
    project_modules.install(more_builtins or {})


def uninstall() -> None:
    """Undo `install()` for modules that are imported later."""
    imports = builtins.__import__
    if isinstance(imports, _Imports):
        builtins.__import__ = imports._builtin_import
        importlib.import_module = imports._import_module
        project_modules.uninstall()


def is_installed() -> bool:
    """Whether `install()` was called."""
    return isinstance(builtins.__import__, _Imports)


def _is_library(importer: Mapping[str, Any]) -> bool:
    """Whether a module is part of LIBRARIES, or was generated by tf.load_op_library."""
    name = str(importer.get("__name__", ""))
    loader = getattr(importer.get("__spec__"), "loader", None)
    is_generated = bool(name) and "__file__" not in importer and loader is None
    return is_generated or name.partition(".")[0] in LIBRARIES


def _tf1_path(name: str) -> str:
    """tensorflow.contrib.slim -> contrib.slim; keras.layers is TF1's keras.layers."""
    return name if name.startswith("keras") else name.partition(".")[2]


def _provide_scipy_misc(name: str, fromlist: Sequence[str] | None) -> None:
    """Give scipy.misc a package where SciPy is not installed; the shim does not need SciPy."""
    imports_misc = name == "scipy.misc" or "misc" in (fromlist or ())
    if imports_misc and "scipy" not in sys.modules and importlib.util.find_spec("scipy") is None:
        package = sys.modules["scipy"] = ModuleType("scipy")
        package.__path__ = []
