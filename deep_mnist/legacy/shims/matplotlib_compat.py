"""Gives this process's matplotlib the arguments and names that its later releases dropped."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

# Old keyword -> the one of today, wherever a function of the list takes keywords.
KEYWORDS = {"normed": "density", "axisbg": "facecolor"}
COLORMAPS = {"spectral": "nipy_spectral"}


@functools.cache
def install() -> None:
    """Adds what is missing; new programs would not notice."""
    matplotlib: Any = importlib.import_module("matplotlib")
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    axes: Any = importlib.import_module("matplotlib.axes").Axes
    figure: Any = importlib.import_module("matplotlib.figure").Figure
    canvas: Any = importlib.import_module("matplotlib.backend_bases").FigureCanvasBase
    for place in (pyplot, axes, figure):
        _add(place, "hold", _nothing)
    _add(pyplot, "ishold", lambda: True)
    _add(canvas, "set_window_title", _nothing)
    for place, names in (
        (axes, ("hist", "__init__")),
        (figure, ("add_subplot", "add_axes")),
        (pyplot, ("hist", "subplot", "axes")),
    ):
        for name in names:
            setattr(place, name, _with_old_keywords(getattr(place, name)))
    for old, new in COLORMAPS.items():
        for suffix in ("", "_r"):
            if old + suffix not in matplotlib.colormaps:
                matplotlib.colormaps.register(matplotlib.colormaps[new + suffix], name=old + suffix)
    library = pyplot.style.library
    for name in [name for name in library if name.startswith("seaborn-v0_8")]:
        library.setdefault(name.replace("-v0_8", ""), library[name])


def _with_old_keywords(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **keywords: Any) -> Any:
        return function(*args, **{KEYWORDS.get(name, name): keywords[name] for name in keywords})

    return call


def _add(place: Any, name: str, value: Any) -> None:
    if not hasattr(place, name):
        setattr(place, name, value)


def _nothing(*args: Any, **keywords: Any) -> None:
    """Stands for what has no effect any more."""
