"""Adds dropped names to SciPy, scikit-learn, matplotlib and Pillow when they are imported."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__all__ = ["install"]

# Module -> what runs after its import, below deep_mnist.legacy.
HOOKS: dict[str, str] = {
    "PIL.ImageDraw": "shims.pillow_compat.install",
    "matplotlib.pyplot": "shims.matplotlib_compat.install",
    "requests": "downloads.install_requests",
    "scipy.ndimage": "shims.scipy_compat.install_ndimage",
    "sklearn.datasets": "shims.sklearn_compat.install_datasets",
    "sklearn.manifold": "shims.sklearn_compat.install_manifold",
}
# Removed module -> the module that has its names.
MOVED: dict[str, str] = {
    "sklearn.cross_validation": "sklearn.model_selection",
    "sklearn.grid_search": "sklearn.model_selection",
    "sklearn.learning_curve": "sklearn.model_selection",
    "sklearn.externals.joblib": "joblib",
}


def install() -> None:
    """Register the import hooks of this process, once."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
        for name in HOOKS:
            if name in sys.modules:
                _run(HOOKS[name])


def _run(hook: str) -> None:
    """Call `module.function`."""
    name, _, function = hook.rpartition(".")
    getattr(importlib.import_module(f"deep_mnist.legacy.{name}"), function)()


class _Finder(MetaPathFinder):
    def __init__(self) -> None:
        self._is_searching = False

    def find_spec(
        self, name: str, path: Any = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name in MOVED:
            return ModuleSpec(name, _Moved(MOVED[name]))
        if name not in HOOKS or self._is_searching:
            return None
        self._is_searching = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._is_searching = False
        if spec is not None and spec.loader is not None:
            spec.loader = _Hooked(spec.loader, HOOKS[name])
        return spec


class _Moved(Loader):
    """Imports the module that has the names of a removed one."""

    def __init__(self, name: str) -> None:
        self._name = name

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = ModuleType(spec.name)
        vars(module).update(vars(importlib.import_module(self._name)))
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: the module was made complete."""


class _Hooked(Loader):
    """Runs a function after a module was imported."""

    def __init__(self, loader: Any, hook: str) -> None:
        self._loader = loader
        self._hook = hook

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        created: ModuleType | None = self._loader.create_module(spec)
        return created

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        _run(self._hook)
