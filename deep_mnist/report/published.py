"""Losses and accuracies that a source document prints, compared with those of runs."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.ticker import PercentFormatter

from deep_mnist.report.figure import Chart, create, model_color
from deep_mnist.report.runs import Run

TABLES: dict[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))


class Row(NamedTuple):
    """A row of a document's table."""

    label: str  # "epoch 2, step 100", as in the document
    epoch: float  # at that step
    published: float
    ours: list[float]  # of each run

    @property
    def mean(self) -> float:
        """The mean of the runs."""
        return statistics.mean(self.ours)


class Comparison(NamedTuple):
    """A document's table, and the runs with the document's settings."""

    model: str
    metric: str  # "loss" or "accuracy", on the batch
    runs: list[Run]
    rows: list[Row]


def compare(runs: list[Run]) -> Comparison | None:
    """Compare runs of one model with its document.

    Returns:
      None if the document prints no table, or if no run has its settings and all of its steps.
    """
    model = runs[0].model
    if model not in TABLES:
        return None
    table = TABLES[model]
    metric = table["metric"]
    steps_per_epoch = table["steps_per_epoch"]
    steps = [row["epoch"] * steps_per_epoch + row.get("step", 0) for row in table["rows"]]
    compared, ours = [], []
    for run in runs:
        values = {report.step: getattr(report, metric) for report in run.reports}
        if values.keys() >= {*steps} and run.config.items() >= table["config"].items():
            compared.append(run)
            ours.append(values)
    if not compared:
        return None
    rows = [
        Row(
            f"epoch {row['epoch']}" + (f", step {row['step']}" if "step" in row else ""),
            step / steps_per_epoch,
            row[metric],
            [values[step] for values in ours],
        )
        for row, step in zip(table["rows"], steps, strict=True)
    ]
    return Comparison(model, metric, compared, rows)


def draw(comparison: Comparison) -> Chart:
    """Draw the document's values as points, and the mean and range of the runs'."""
    model, metric, runs, rows = comparison
    title = _title(comparison)
    figure = create(title, "The document prints one run and does not name its seed.", 3.4)
    axes = figure.subplots()
    color, epochs = model_color(model), [row.epoch for row in rows]
    label = "ours" if len(runs) == 1 else f"ours: mean and range of {len(runs)} runs"
    axes.plot(epochs, [row.mean for row in rows], color=color, label=label)
    lowest, highest = ([pick(row.ours) for row in rows] for pick in (min, max))
    axes.fill_between(epochs, lowest, highest, color=color, alpha=0.15, linewidth=0)
    axes.plot(epochs, [row.published for row in rows], ".k", label="published")
    axes.set(xlabel="epoch", ylabel=f"{metric} on the batch")
    if metric == "loss":
        axes.set_yscale("log")
        axes.set_yticks([0.1, 0.2, 0.5], ["0.1", "0.2", "0.5"])
        axes.minorticks_off()
    else:
        axes.set_ylim(0, 1)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.legend()
    first, last = rows[0], rows[-1]
    alt = (
        f"{metric.capitalize()}, published and ours. {first.label}: {first.published:.4g} and "
        f"{first.mean:.4g}; {last.label}: {last.published:.4g} and {last.mean:.4g}."
    )
    return Chart(f"published-{model}", title, alt, figure)


def _title(comparison: Comparison) -> str:
    model, metric, runs, rows = comparison
    published = TABLES[model].get("test_accuracy")
    tests = [run.result["test_accuracy"] for run in runs if run.result is not None]
    if published is None or not tests:
        largest = max(abs(row.mean / row.published - 1) for row in rows[1:])
        ours = metric if len(runs) == 1 else f"mean {metric}"
        return f"{model}: after the first row, the {ours} is within {largest:.1%} of the published"
    span = f"{min(tests):.2%}" + (f" to {max(tests):.2%}" if len(tests) > 1 else "")
    return f"{model}: published test accuracy {published:.2%}, ours {span}"
