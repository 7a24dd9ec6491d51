"""Figures in the style of deep_mnist.mplstyle, and their PNG and SVG files."""

from __future__ import annotations

import base64
import html
import io
import textwrap
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import matplotlib.style
import numpy.typing as npt
from matplotlib.figure import Figure

from deep_mnist.inference import PROGRAMS


class Chart(NamedTuple):
    """A figure, and what its file and the page need besides."""

    name: str  # of the file, without the extension
    title: str
    alt: str  # text alternative: the numbers of the figure
    figure: Figure

    def content(self, file_format: str) -> bytes:
        """Return the file of the figure, the same bytes for the same figure.

        Args:
          file_format: "svg" or "png".
        """
        file = io.BytesIO()
        metadata = {"Title": self.title, "Description": self.alt, "Date": None}
        self.figure.savefig(file, format=file_format, metadata=metadata)
        return file.getvalue()

    def _repr_html_(self) -> str:
        """Return the chart as the value of a notebook's cell: an image with its alternative."""
        with style():
            image = base64.b64encode(self.content("svg")).decode("ascii")
        alt = html.escape(self.alt)
        return f'<img alt="{alt}" src="data:image/svg+xml;base64,{image}" style="max-width: 100%">'


def style() -> AbstractContextManager[None]:
    """Return the context in which figures are created, drawn and saved."""
    return matplotlib.style.context("deep_mnist.report.deep_mnist", after_reset=True)


def create(title: str, caption: str, height: float) -> Figure:
    """Return an empty figure, `height` inches high, with a title above and a caption below."""
    figure = Figure(layout="constrained")
    figure.set_figheight(height)
    figure.suptitle(textwrap.fill(title, 52), x=0.01, ha="left")
    figure.supxlabel(textwrap.fill(caption, 72), x=0.01, ha="left")
    return figure


def image_grid(figure: Any, images: npt.NDArray[Any], columns: int, **imshow: Any) -> Sequence[Any]:
    """Draw images in rows of `columns`, and return the axes of each.

    Args:
      figure: a figure or a subfigure.
      images: [N, H, W].
      columns: number of images in a row.
      imshow: arguments of Axes.imshow.
    """
    rows = -(-len(images) // columns)
    no_axis = {"xticks": [], "yticks": [], "frame_on": False}
    axes = list(figure.subplots(rows, columns, squeeze=False, subplot_kw=no_axis).flat)
    for image_axes, image in zip(axes, images, strict=False):
        image_axes.imshow(image, **imshow)
    return axes[: len(images)]


def model_color(model: str) -> str:
    """Return the color of one of inference.PROGRAMS, the same in all figures."""
    return f"C{list(PROGRAMS).index(model)}"
