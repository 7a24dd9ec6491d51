"""The test accuracy of several runs, a row for each model and dataset."""

from __future__ import annotations

import statistics

from matplotlib.ticker import PercentFormatter

from deep_mnist.report.figure import Chart, create, model_color
from deep_mnist.report.runs import Run, by_kind


def draw(runs: list[Run]) -> Chart | None:
    """Draw the test accuracies; None if fewer than two runs are finished."""
    finished = [run for run in runs if run.result is not None]
    if len(finished) < 2:
        return None
    groups = sorted(by_kind(finished).items(), key=lambda item: -_mean(item[1]))
    title = f"Test accuracy of {len(finished)} runs"
    figure = create(title, "Points: runs. Vertical lines: means.", 0.45 * len(groups) + 1)
    axes = figure.subplots()
    labels = []
    for row, (kind, group) in enumerate(groups):
        accuracies, mean, color = _accuracies(group), _mean(group), model_color(group[0].model)
        axes.plot(accuracies, [row] * len(group), "o", color=color, alpha=0.55)
        axes.plot(mean, row, "|", color=color, markersize=16, markeredgewidth=1.6)
        span = f" ({min(accuracies):.2%} to {max(accuracies):.2%})" if len(group) > 1 else ""
        labels.append(f"{kind}\n{mean:.2%}{span}")
    axes.set_yticks(range(len(groups)), labels)
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_xlim(min(0.5, *(value - 0.02 for value in _accuracies(finished))), 1.01)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    digits = sorted({run.digits for run in finished})
    axes.set_xlabel(f"accuracy on the test {' or '.join(digits)}")
    alt = "; ".join(label.replace("\n", " ") for label in labels)
    return Chart("test-accuracy", title, f"Mean, lowest and highest by model: {alt}.", figure)


def _accuracies(runs: list[Run]) -> list[float]:
    return [float(run.result["test_accuracy"]) for run in runs if run.result is not None]


def _mean(runs: list[Run]) -> float:
    return statistics.mean(_accuracies(runs))
