"""IPython.display for scripts and notebooks that run where IPython is not installed.

Objects print as `<Image>`, `<HTML>` and so on: a terminal cannot show them.
"""

from __future__ import annotations

from typing import Any

from deep_mnist.legacy.ipython_shell import display

__all__ = [
    "HTML",
    "SVG",
    "Audio",
    "IFrame",
    "Image",
    "Javascript",
    "Latex",
    "Markdown",
    "Math",
    "Video",
    "YouTubeVideo",
    "clear_output",
    "display",
]


class _Shown:
    def __init__(self, data: Any = None, *args: Any, **options: Any) -> None:
        self.data = data

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class HTML(_Shown):
    """Stands for IPython's object of the same name, as the classes below do."""


class SVG(_Shown): ...


class Audio(_Shown): ...


class IFrame(_Shown): ...


class Image(_Shown): ...


class Javascript(_Shown): ...


class Latex(_Shown): ...


class Markdown(_Shown): ...


class Math(_Shown): ...


class Video(_Shown): ...


class YouTubeVideo(_Shown): ...


def clear_output(wait: bool = False) -> None:
    """Do nothing: the output of a terminal stays."""
