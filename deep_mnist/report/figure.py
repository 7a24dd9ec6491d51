"""One sheet with a picture: its size, colours and words; PNG and SVG, the same bytes every time.

A sheet is as wide as a phone shows at the size of text. Its SVG keeps text as text and turns light
on dark where the reader's screen is dark; colours are told apart by colour-blind people
(Okabe and Ito, Color Universal Design, 2008).
"""

from __future__ import annotations

import io
import logging
import re
import textwrap
from html import escape
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

WIDTH = 4.6  # inches
MARGIN = 0.12
LINE = 0.2  # inches from a line of the title to the next

INK, MUTED, GRID = "#1f2328", "#59636e", "#d1d9e0"
BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY = (
    "#0072b2",
    "#c44e00",
    "#007d5c",
    "#a0468a",
    "#a06800",
    "#4682b4",
)
SERIES = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
MODEL_COLORS = {"softmax": BLUE, "mlp": GREEN, "cnn": VERMILLION, "fnn": PURPLE}
IN_THE_DARK = {
    INK: "#e6edf3",
    MUTED: "#9ea7b3",
    GRID: "#3d444d",
    BLUE: "#58b0e8",
    VERMILLION: "#ff8b45",
    GREEN: "#3fc79a",
    PURPLE: "#df86c8",
    ORANGE: "#e0a83a",
    SKY: "#8fbde6",
}
SETTINGS: Any = {
    "axes.edgecolor": GRID,
    "axes.facecolor": "none",
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.dpi": 100,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.5,
    "image.composite_image": False,
    "svg.fonttype": "none",
    "text.color": INK,
    "xtick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.color": GRID,
    "ytick.labelcolor": MUTED,
}


class Picture(NamedTuple):
    """A drawn sheet."""

    name: str  # of its file, without the extension
    title: str
    alt: str  # what it shows, for who can't see it
    figure: Any


class Sheet:
    """An empty sheet under a title; what is drawn on it is placed in inches from below, left.

    Args:
      title: what the picture tells, as a sentence.
      note: how to read it.
      height: inches below the words.
    """

    def __init__(self, title: str, note: str, height: float) -> None:
        from matplotlib.figure import Figure

        titles, notes = textwrap.wrap(title, 50), textwrap.wrap(note, 70)
        head = LINE * len(titles) + 0.85 * LINE * len(notes) + 2 * MARGIN
        self.title = title
        self.height = height
        self._whole = height + head
        self.figure = Figure(figsize=(WIDTH, self._whole), facecolor="none")
        y = self._whole - MARGIN
        for line in titles:
            self.text(MARGIN, y, line, weight="bold", size=10, va="top")
            y -= LINE
        y -= 0.02
        for line in notes:
            self.text(MARGIN, y, line, color=MUTED, size=8, va="top")
            y -= 0.85 * LINE

    def axes(self, left: float, bottom: float, width: float, height: float) -> Any:
        """Axes with two sides and no more grid than a few pale lines."""
        place = (left / WIDTH, bottom / self._whole, width / WIDTH, height / self._whole)
        axes = self.figure.add_axes(place)
        axes.tick_params(length=0, labelsize=8)
        axes.grid(axis="y", color=GRID, linewidth=0.6)
        axes.set_axisbelow(True)
        return axes

    def empty_axes(self, left: float, bottom: float, width: float, height: float) -> Any:
        """Axes in inches, without sides: x to the right, y down."""
        axes = self.axes(left, bottom, width, height)
        axes.set_axis_off()
        axes.set(xlim=(0, width), ylim=(height, 0))
        return axes

    def text(self, x: float, y: float, words: str, **style: Any) -> None:
        """Words at a place in inches."""
        self.figure.text(x / WIDTH, y / self._whole, words, **style)

    def picture(self, name: str, alt: str) -> Picture:
        """The finished sheet."""
        return Picture(name, self.title, alt, self.figure)


def tiles(images: npt.NDArray[Any], columns: int, gap: int) -> npt.NDArray[Any]:
    """Images [N, H, W, 4] in rows of `columns`, `gap` clear pixels between: [H', W', 4]."""
    number, height, width, _ = images.shape
    rows = -(-number // columns)
    mosaic = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap, 4), np.uint8)
    for index, image in enumerate(images):
        top, left = (height + gap) * (index // columns), (width + gap) * (index % columns)
        mosaic[top : top + height, left : left + width] = image
    return mosaic


def ink_on_white(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Values [..., H, W] in [0, 1] -> greys [..., H, W, 4], 1 the darkest."""
    grey = np.round(255 * (1 - values)).astype(np.uint8)
    return np.stack([grey, grey, grey, np.full_like(grey, 255)], axis=-1)


def for_and_against(values: npt.NDArray[Any], largest: float) -> npt.NDArray[np.uint8]:
    """Values [..., H, W] -> colours [..., H, W, 4]: blue above 0, red below, white at 0."""
    from matplotlib import colormaps

    shares = np.clip(values / (largest or 1), -1, 1)
    colors: npt.NDArray[np.uint8] = colormaps["RdBu"]((shares + 1) / 2, bytes=True)
    return colors


def png(picture: Picture) -> bytes:
    """The picture on white, in pixels."""
    return _saved(picture, format="png", dpi=200, facecolor="white", metadata={"Software": None})


def svg(picture: Picture) -> bytes:
    """The picture without a background, in lines and letters, for light screens and dark ones."""
    none = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    text = _saved(picture, format="svg", metadata=none).decode("utf-8")
    text = re.sub(r"<!DOCTYPE.*?>\s*|<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    dark = "".join(
        f'[style*="{what}: {light}"]{{{what}:{color}!important}}'
        for light, color in IN_THE_DARK.items()
        for what in ("fill", "stroke")
    )
    head = (
        f"<title>{escape(picture.title)}</title><desc>{escape(picture.alt)}</desc>"
        f"<style>:root{{color-scheme:light dark}}text{{font-family:{FONTS}}}"
        f"@media(prefers-color-scheme:dark){{{dark}}}</style>"
    )
    text = re.sub(r"(<svg\b[^>]*>)", lambda match: match.group(1) + head, text, count=1)
    return text.replace("'DejaVu Sans', sans-serif", FONTS).encode("utf-8")


FONTS = "'DejaVu Sans', Verdana, sans-serif"


def settings() -> Any:
    """A context in which sheets are begun, drawn on and saved; matplotlib's own come back after."""
    from matplotlib import rc_context

    return rc_context(SETTINGS)


def _saved(picture: Picture, **how: Any) -> bytes:
    from matplotlib import rc_context

    file = io.BytesIO()
    # Identifiers in the SVG are made of the salt, and random without.
    with settings(), rc_context({"svg.hashsalt": picture.name}):
        picture.figure.savefig(file, **how)
    return file.getvalue()


def silence() -> None:
    """Keeps matplotlib's notices on fonts and folders off standard error: for commands."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
