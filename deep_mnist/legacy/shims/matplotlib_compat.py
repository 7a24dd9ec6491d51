"""matplotlib 2 for TF1 scripts: names and arguments that later releases dropped."""

from __future__ import annotations

import functools
import importlib
import warnings
from collections.abc import Callable
from typing import Any

# Old keyword -> the one of today, wherever a function of the list takes keywords.
KEYWORDS = {"normed": "density", "axisbg": "facecolor"}
COLORMAPS = {"spectral": "nipy_spectral"}


@functools.cache
def install() -> None:
    """Add the dropped names and arguments to this process's matplotlib."""
    matplotlib: Any = importlib.import_module("matplotlib")
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    axes: Any = importlib.import_module("matplotlib.axes").Axes
    figure: Any = importlib.import_module("matplotlib.figure").Figure
    warnings.simplefilter("ignore", matplotlib.MatplotlibDeprecationWarning)
    canvas: Any = importlib.import_module("matplotlib.backend_bases").FigureCanvasBase
    for owner in (pyplot, axes, figure):
        _add(owner, "hold", _nothing)
    _add(pyplot, "ishold", lambda: True)
    legend: Any = importlib.import_module("matplotlib.legend").Legend
    _add(legend, "draggable", legend.set_draggable)
    _add(axes.ArtistList, "remove", lambda artists, artist: artist.remove())
    _add(axes.ArtistList, "pop", lambda artists, index=-1: artists[index].remove())
    _add(canvas, "set_window_title", _nothing)
    _add(importlib.import_module("matplotlib.cm"), "get_cmap", pyplot.get_cmap)
    for owner in (figure, pyplot):
        owner.gca = _with_projection(owner.gca, owner)
    for owner, names in (
        (axes, ("hist", "__init__")),
        (figure, ("add_subplot", "add_axes")),
        (pyplot, ("hist", "subplot", "axes")),
    ):
        for name in names:
            setattr(owner, name, _with_old_keywords(getattr(owner, name)))
    for owner, name in ((figure, "add_subplot"), (figure, "subplots"), (pyplot, "subplot")):
        setattr(owner, name, _with_whole_numbers(getattr(owner, name)))
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


def _with_whole_numbers(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of rows and columns that may be floats, as quotients are."""

    @functools.wraps(function)
    def call(*args: Any, **keywords: Any) -> Any:
        args = tuple(int(arg) if isinstance(arg, float) else arg for arg in args)
        return function(*args, **keywords)

    return call


def _with_projection(gca: Callable[..., Any], owner: Any) -> Callable[..., Any]:
    """Return gca, which made new axes of a projection until 3.6."""

    @functools.wraps(gca)
    def call(*args: Any, **options: Any) -> Any:
        if not options:
            return gca(*args)
        add = owner.subplot if not args else args[0].add_subplot
        return add(111, **options)

    return call


def _add(owner: Any, name: str, value: Any) -> None:
    if not hasattr(owner, name):
        setattr(owner, name, value)


def _nothing(*args: Any, **keywords: Any) -> None:
    """Do nothing: the function has no effect any more."""
