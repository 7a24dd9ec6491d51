"""What a script's `import` gives it: the old TensorFlow, its own neighbours, stand-ins.

Only code of the script is run with these imports: its module, and the modules beside it, have
builtins of their own. Libraries, TensorFlow's among them, import as ever.
"""

from __future__ import annotations

import ast
import builtins
import functools
import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from deep_mnist.data import registry
from deep_mnist.legacy import source, tf1_module
from deep_mnist.legacy.plots import Plots
from deep_mnist.legacy.shims import matplotlib_compat, pillow_compat, python2
from deep_mnist.legacy.unsupported import RemovedModuleError, RemovedNameError

# Modules of the time that are gone, or are not what they were -> what stands for them.
STAND_INS = {
    "input_data": "deep_mnist.input_data",
    "scipy.misc": "deep_mnist.legacy.shims.scipy_misc",
    "cPickle": "deep_mnist.legacy.shims.cpickle",
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
TUTORIAL_NUMBERS = {0, 1, 2, 3, 4, 8, 9, 10, 28, 255, 784, 2049, 2051, 5000, 10000}
TUTORIAL_NAMES = {"read_data_sets", "extract_images", "extract_labels", "DataSet"}


class Imports:
    """The imports and builtins of one script and of the modules beside it.

    Args:
      folder: the script's own; its modules are translated too.
      plots: what stands for windows, or None where windows are wanted.
    """

    def __init__(self, folder: Path, plots: Plots | None) -> None:
        self.folder = folder
        self._plots = plots
        self._end_of_input = 0
        self._builtins = {**vars(builtins), **self._python2_names()}
        self._builtins["__import__"] = self._import
        self._builtins["input"] = self._input
        self._builtins["raw_input"] = self._input
        self._builtins["get_ipython"] = _NoIPython

    def execute(self, code: CodeType, module: ModuleType) -> None:
        """Executes code as `module`; raises whatever the script raises."""
        vars(module)["__builtins__"] = self._builtins
        exec(code, vars(module))

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,  # noqa: A002, names of __import__
        locals: Mapping[str, Any] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        package = (globals or {}).get("__package__") or ""
        if level:
            name = importlib.util.resolve_name("." * level + name, package)
        top = name.partition(".")[0]
        if top == "tensorflow":
            found = tf1_module.import_path(name.partition(".")[2])
            return _with_names(found, fromlist) if fromlist else tf1_module.root()
        if top == "keras" and not self._is_local("keras"):
            found = tf1_module.import_path(f"keras{name[5:]}")
            return _with_names(found, fromlist) if fromlist else tf1_module.module("keras")
        if package and not level and self._is_local(f"{package}.{name}"):
            name = f"{package}.{name}"  # Python 2 looked beside the module first
            self._local(name)
            return sys.modules[name]
        if self._is_local(top):
            self._local(name)
            for part in fromlist or ():
                if self._is_local(f"{name}.{part}"):
                    self._local(f"{name}.{part}")
            return sys.modules[name if fromlist else top]
        if name in STAND_INS:
            self._prepare(STAND_INS[name].partition(".")[0])
            return _stand_in(name, bool(fromlist))
        module = importlib.__import__(name, globals, locals, fromlist or (), 0)
        self._prepare(top)
        if top == "scipy" and fromlist and "misc" in fromlist:
            _stand_in("scipy.misc", False)
        return module

    def _prepare(self, top: str) -> None:
        """Gives Pillow its old names and pyplot its files, when a script first imports them."""
        if top == "PIL":
            pillow_compat.install()
        if top in ("matplotlib", "pylab"):
            matplotlib_compat.install()
        if self._plots is not None and top in ("matplotlib", "pylab"):
            pyplot = importlib.import_module("matplotlib.pyplot")
            self._plots.install(pyplot)
            if top == "pylab":
                sys.modules["pylab"].show = pyplot.show  # type: ignore[attr-defined]

    def _path(self, name: str) -> Path | None:
        """The file of the module `name` beside the script."""
        place = self.folder.joinpath(*name.split("."))
        for path in (place / "__init__.py", place.with_suffix(".py")):
            if path.is_file():
                return path
        return place if place.is_dir() and any(place.glob("*.py")) else None

    def _is_local(self, name: str) -> bool:
        return self._path(name) is not None

    def _local(self, name: str) -> ModuleType:
        """Imports a module beside the script, its packages first."""
        package, _, last = name.rpartition(".")
        parent = self._local(package) if package else None
        if name in sys.modules:
            return sys.modules[name]
        path = self._path(name)
        if path is None:
            if parent is not None and hasattr(parent, last):
                return getattr(parent, last)  # type: ignore[no-any-return]
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        if path.is_file() and _is_tutorial_module(path):
            print(f"legacy run: {path} is the tutorial's; ours stands for it", file=sys.stderr)
            module = sys.modules[name] = importlib.import_module("deep_mnist.input_data")
            if parent is not None:
                setattr(parent, last, module)
            return module
        module = ModuleType(name)
        is_package = path.is_dir() or path.name == "__init__.py"
        module.__package__ = name if is_package else package
        if is_package:
            module.__path__ = [str(path if path.is_dir() else path.parent)]
        sys.modules[name] = module
        if path.is_file():
            module.__file__ = str(path)
            try:
                self.execute(python2.compiled(source.read(path), str(path)), module)
            except BaseException:
                del sys.modules[name]
                raise
        if parent is not None:
            setattr(parent, last, module)
        return module

    def _input(self, prompt: object = "") -> str:
        """input(), where nobody is there to answer: the first few questions get no answer."""
        try:
            return input(prompt)
        except EOFError:
            self._end_of_input += 1
            if self._end_of_input > 3:
                raise
            print()
            return ""

    def _python2_names(self) -> dict[str, Any]:
        return {
            "xrange": range,
            "unicode": str,
            "basestring": (str, bytes),
            "long": int,
            "unichr": chr,
            "reduce": functools.reduce,
            "reload": python2.reload,
            "cmp": lambda a, b: (a > b) - (a < b),
            "__divide__": python2.divide,
            "__idivide__": python2.divide_in_place,
            "__range__": python2.whole_range,
            "__tostring__": python2.tostring,
        }


class _NoIPython:
    """get_ipython() of a script that was a notebook: every magic does nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args, **kwargs: None


def _with_names(found: Any, fromlist: Sequence[str]) -> Any:
    """Looks the names up that `from found import names` asks for.

    Raises:
      RemovedModuleError: as an ImportError would, where one of them is gone.
    """
    for name in fromlist:
        if name != "*":
            try:
                getattr(found, name)
            except RemovedNameError as error:
                raise RemovedModuleError(*error.parts) from None
    return found


def _stand_in(name: str, wants_leaf: bool) -> Any:
    module = importlib.import_module(STAND_INS[name])
    top, _, leaf = name.partition(".")
    if not leaf:
        return module
    try:
        parent = importlib.import_module(top)
    except ModuleNotFoundError:
        parent = sys.modules.setdefault(top, ModuleType(top))
    setattr(parent, leaf, module)
    return module if wants_leaf else parent


def _is_tutorial_module(path: Path) -> bool:
    """Whether a file is a copy of the tutorial's input_data and no more than that.

    Such copies fetch files that have moved and index arrays as NumPy no longer allows; ours
    does the same work. A module with anything of its own, be it a number, is the script's.
    """
    try:
        tree, _ = python2.parsed(source.read(path), str(path))
    except Exception:  # not readable: importing it will say why
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
