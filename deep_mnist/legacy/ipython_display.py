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
    """An object of IPython.display."""

    def __init__(self, data: Any = None, *args: Any, **options: Any) -> None:
        self.data = data

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


HTML = type("HTML", (_Shown,), {})
SVG = type("SVG", (_Shown,), {})
Audio = type("Audio", (_Shown,), {})
IFrame = type("IFrame", (_Shown,), {})
Image = type("Image", (_Shown,), {})
Javascript = type("Javascript", (_Shown,), {})
Latex = type("Latex", (_Shown,), {})
Markdown = type("Markdown", (_Shown,), {})
Math = type("Math", (_Shown,), {})
Video = type("Video", (_Shown,), {})
YouTubeVideo = type("YouTubeVideo", (_Shown,), {})


def clear_output(wait: bool = False) -> None:
    """Do nothing: the output of a terminal stays."""
