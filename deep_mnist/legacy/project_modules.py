"""The user's own modules: how they are found, compiled, and what their builtins hold.

An own module is a .py file outside of the standard library, site-packages and deep_mnist, wherever
Python's import system finds it: next to the script, in directories that the script adds to
`sys.path`, in PYTHONPATH or in the working directory. Own modules are translated from Python 2
where they need it, and have its builtins.
"""

from __future__ import annotations

import ast
import builtins
import functools
import importlib
import importlib.util
import site
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from deep_mnist.data import registry
from deep_mnist.errors import DeepMnistError
from deep_mnist.legacy import compiler, source
from deep_mnist.legacy.ipython_shell import Shell, display
from deep_mnist.legacy.shims import python2

__all__ = [
    "execute",
    "get_ipython",
    "install",
    "is_own",
    "is_own_file",
    "is_sibling",
    "is_tutorial_module",
    "shell",
    "uninstall",
]

# Modules that were renamed or removed -> the module that replaces them. A module of the project
# with one of these names comes first.
RENAMED_MODULES = {
    "input_data": "deep_mnist.input_data",
    "cPickle": "deep_mnist.legacy.shims.cpickle",
    "IPython": "deep_mnist.legacy.ipython_package",
    "IPython.display": "deep_mnist.legacy.ipython_display",
    "StringIO": "io",
    "cStringIO": "io",
    "Queue": "queue",
    "ConfigParser": "configparser",
    "Tkinter": "tkinter",
    "urlparse": "urllib.parse",
    "httplib": "http.client",
    "HTMLParser": "html.parser",
    "urllib2": "urllib.request",
    "commands": "subprocess",
    "__builtin__": "builtins",
    "Image": "PIL.Image",
    "ImageDraw": "PIL.ImageDraw",
    "ImageFilter": "PIL.ImageFilter",
    "ImageOps": "PIL.ImageOps",
}
SCIPY_MISC = "deep_mnist.legacy.shims.scipy_misc"  # today's scipy.misc, where it exists, is empty
TUTORIAL_NUMBERS = {0, 1, 2, 3, 4, 8, 9, 10, 28, 255, 784, 2049, 2051, 5000, 10000}
TUTORIAL_NAMES = {"read_data_sets", "extract_images", "extract_labels", "DataSet"}

PYTHON2_BUILTINS: dict[str, Any] = {
    "xrange": range,
    "unicode": str,
    "basestring": (str, bytes),
    "long": int,
    "unichr": chr,
    "reduce": functools.reduce,
    "reload": python2.reload,
    "cmp": lambda a, b: (a > b) - (a < b),
    # written into the syntax tree by python2.py
    "__divide__": python2.divide,
    "__idivide__": python2.divide_in_place,
    "__range__": python2.whole_range,
}


def _library_directories() -> set[Path]:
    paths = sysconfig.get_paths()
    names = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    names += [*site.getsitepackages(), site.getusersitepackages()]
    directories = {*map(Path, names), Path(__file__).parents[1]}
    return directories | {directory.resolve() for directory in directories}


# Computed at import: since Python 3.13, sysconfig imports a module at its first call, and that
# import would call the import hook of this module again.
LIBRARY_DIRECTORIES = _library_directories()
_own_builtins: dict[str, Any] = {}
_python2_modules: set[str] = set()
_shell = Shell()


def shell() -> Shell:
    """Return what get_ipython() returns to own modules."""
    return _shell


def get_ipython() -> Shell | None:
    """Return `shell()` to own modules, None to libraries: matplotlib would use IPython's loop."""
    return _shell if is_own(sys._getframe(1).f_globals) else None


def execute(code: CodeType, module: ModuleType) -> None:
    """Execute code as an own module. Raises whatever the code raises."""
    vars(module)["__builtins__"] = _own_builtins
    exec(code, vars(module))


def is_own(module_globals: Mapping[str, Any]) -> bool:
    """Whether a module, given by its globals, is the user's own."""
    return (
        module_globals.get("__builtins__") is _own_builtins
        or module_globals.get("__name__") == "__main__"
    )


def is_own_path(path: str | None) -> bool:
    """Whether a file belongs to the user, not to Python, a library or deep_mnist."""
    if path is None:
        return False
    return LIBRARY_DIRECTORIES.isdisjoint(Path(path).parents)


def is_own_file(name: str) -> bool:
    """Whether a top-level module is imported from a file of the user's."""
    if name in sys.modules:
        return is_own_path(getattr(sys.modules[name], "__file__", None))
    try:
        spec = PathFinder.find_spec(name)
    except (ImportError, ValueError):
        return False
    return spec is not None and is_own_path(spec.origin)


def is_sibling(name: str, importer: Mapping[str, Any]) -> bool:
    """Whether `import name` in a Python 2 module means a module of the same package."""
    package = importer.get("__package__")
    if not package or importer.get("__name__") not in _python2_modules:
        return False
    try:
        return importlib.util.find_spec(f"{package}.{name.partition('.')[0]}") is not None
    except (ImportError, ValueError):
        return False


def install(more_builtins: Mapping[str, Any]) -> None:
    """Let Python's import system compile own modules and find renamed ones.

    Args:
      more_builtins: builtins of own modules, besides Python's and those of Python 2.
    """
    global _own_builtins
    _own_builtins = {
        "display": display,
        "get_ipython": shell,
        **vars(builtins),
        **PYTHON2_BUILTINS,
        "__display__": display,
        "__ipython__": _shell,
        **more_builtins,
    }
    index = sys.meta_path.index(PathFinder)
    sys.meta_path.insert(index, _OwnModules())
    sys.meta_path.append(_RenamedModules())


def uninstall() -> None:
    """Undo `install()` for modules that are imported later."""
    sys.meta_path[:] = [
        finder for finder in sys.meta_path if not isinstance(finder, _OwnModules | _RenamedModules)
    ]


class _OwnModules(MetaPathFinder):
    """Python's PathFinder, with another loader for own modules."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == "scipy.misc":
            return importlib.util.spec_from_loader(name, _RenamedModule(SCIPY_MISC))
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader and is_own_path(spec.origin):
            assert spec.origin is not None
            spec.loader = _OwnModule(name, spec.origin)
        return spec


class _OwnModule(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        code, is_python2 = compiler.compiled(source.read(Path(path)), path)
        if is_python2:
            _python2_modules.add(fullname)
        return code

    def exec_module(self, module: ModuleType) -> None:
        path = Path(self.get_filename(module.__name__))
        if is_tutorial_module(path):
            print(f"legacy run: {path} replaced by deep_mnist.input_data", file=sys.stderr)
            sys.modules[module.__name__] = importlib.import_module("deep_mnist.input_data")
            return
        vars(module)["__builtins__"] = _own_builtins
        super().exec_module(module)


class _RenamedModules(MetaPathFinder):
    """Modules of RENAMED_MODULES that nothing else provides."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name in RENAMED_MODULES:
            loader = _RenamedModule(RENAMED_MODULES[name])
            return importlib.util.spec_from_loader(name, loader, is_package=name == "IPython")
        return None


class _RenamedModule(Loader):
    def __init__(self, target: str) -> None:
        self._target = target

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        sys.modules[module.__name__] = importlib.import_module(self._target)


def is_tutorial_module(path: Path) -> bool:
    """Whether a file is a copy of the tutorial's input_data and nothing else.

    Such copies download files that have moved and index arrays as NumPy no longer allows;
    deep_mnist.input_data replaces them. A module with anything of its own, even a number, is
    imported as it is.
    """
    try:
        text = source.read(path)
        if not all(name in text for name in TUTORIAL_NAMES):
            return False
        tree, _ = python2.parsed(text, str(path))
    except DeepMnistError:  # importing it reports the error
        return False
    defined = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    if not defined >= TUTORIAL_NAMES:
        return False
    for node in ast.walk(tree):
        value = getattr(node, "value", None)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "VALIDATION_SIZE":
            if ast.unparse(node.value) != "5000":
                return False
        elif not isinstance(node, ast.Constant):
            continue
        elif isinstance(value, int | float) and value not in TUTORIAL_NUMBERS:
            return False
        elif str(value).startswith("http") and registry.name_by_url(str(value)) != "mnist":
            return False
    ours = vars(importlib.import_module("deep_mnist.input_data"))
    return all(name.startswith("_") or name in ours for name in defined)
