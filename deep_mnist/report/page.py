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


def render(runs: list[Run], charts: list[Chart], file_format: str) -> str:
    """Return the page.

    Args:
      runs: the runs that it lists.
      charts: their charts.
      file_format: of the charts in it, svg or png.
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
            "charts": [chart for chart in charts if chart.name.endswith(f"-{kind}")],
            "comparison": published.compare(group),
        }
        for kind, group in groups.items()
    ]
    number = "A run" if len(runs) == 1 else f"{len(runs)} runs"
    return environment.get_template("page.html.jinja").render(
        title=f"{number} of {', '.join(groups)}",
        runs=runs,
        overview=[chart for chart in charts if chart.name == "test-accuracy"],
        sections=sections,
        data_uri=lambda chart: _data_uri(chart, file_format),
        version=__version__,
    )


def _data_uri(chart: Chart, file_format: str) -> str:
    content = base64.b64encode(chart.content(file_format)).decode("ascii")
    return f"data:{MEDIA_TYPES[file_format]};base64,{content}"
