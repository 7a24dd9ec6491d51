"""One self-contained HTML page with the charts of runs: nothing on it is fetched."""

from __future__ import annotations

import base64
from typing import Any

import jinja2

from deep_mnist import __version__
from deep_mnist.report import published
from deep_mnist.report.figure import Chart
from deep_mnist.report.runs import Run, by_kind

MEDIA_TYPES = {"svg": "image/svg+xml", "png": "image/png"}


def render(runs: list[Run], charts: list[tuple[Chart, bytes]], file_format: str) -> str:
    """Return the page.

    Args:
      runs: the runs that it lists.
      charts: their charts, each with the content of its file.
      file_format: "svg" or "png".
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("deep_mnist.report", ""),
        autoescape=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    groups = by_kind(runs)
    sections: list[dict[str, Any]] = [
        {
            "title": kind,
            "charts": [pair for pair in charts if pair[0].name.endswith(f"-{kind}")],
            "comparison": published.compare(group),
        }
        for kind, group in groups.items()
    ]
    number = "A run" if len(runs) == 1 else f"{len(runs)} runs"
    return environment.get_template("page.html.jinja").render(
        title=f"{number} of {', '.join(groups)}",
        runs=runs,
        overview=[pair for pair in charts if pair[0].name == "test-accuracy"],
        sections=sections,
        media_type=MEDIA_TYPES[file_format],
        base64=lambda content: base64.b64encode(content).decode("ascii"),
        version=__version__,
    )
