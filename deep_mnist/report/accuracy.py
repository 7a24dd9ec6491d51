"""The test accuracy of every run, a row a kind."""

from __future__ import annotations

import statistics

from deep_mnist.report.figure import MODEL_COLORS, MUTED, WIDTH, Picture, Sheet
from deep_mnist.report.runs import Run, by_kind

ROW, BOTTOM, LEFT, RIGHT = 0.5, 0.5, 0.15, 0.2  # inches


def draw(runs: list[Run]) -> Picture | None:
    """None where there are not two finished runs to compare."""
    finished = by_kind(run for run in runs if run.result is not None)
    number = sum(len(group) for group in finished.values())
    if number < 2:
        return None
    accuracies = {
        kind: [100 * float(run.result["test_accuracy"]) for run in group if run.result]
        for kind, group in finished.items()
    }
    means = {kind: statistics.mean(values) for kind, values in accuracies.items()}
    order = sorted(means, key=lambda kind: -means[kind])
    sheet = Sheet(
        f"Test accuracy of {number} runs",
        "A point is a run, the upright line the mean of a row's.",
        ROW * len(order) + BOTTOM,
    )
    axes = sheet.axes(LEFT, BOTTOM, WIDTH - LEFT - RIGHT, ROW * len(order))
    lines = []
    for row, kind in enumerate(order):
        values, color = accuracies[kind], MODEL_COLORS[finished[kind][0].model]
        axes.plot(values, [row] * len(values), "o", color=color, alpha=0.55, mew=0, markersize=6)
        axes.plot([means[kind]] * 2, [row - 0.17, row + 0.17], color=color, linewidth=1.6)
        words = f"{means[kind]:.2f} %"
        if len(values) > 1:
            words += f", {min(values):.2f} to {max(values):.2f}"
        lines.append(f"{kind} {words} ({len(values)} run{'s' * (len(values) > 1)})")
        place = axes.get_yaxis_transform()
        style = {"va": "center", "transform": place}
        axes.text(0.01, row - 0.32, kind, color=color, weight="bold", **style)
        axes.text(0.03 + 0.0195 * len(kind), row - 0.32, words, **style)
    axes.set_yticks([])
    axes.set_ylim(len(order) - 0.5, -0.6)
    axes.grid(False)
    axes.spines["left"].set_visible(False)
    axes.set_xlim(min(50.0, *(min(values) - 2 for values in accuracies.values())), 101)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g} %")
    digits = {run.digits for group in finished.values() for run in group}
    axes.set_xlabel(f"of the test {' or '.join(sorted(digits))}", fontsize=8.5, color=MUTED)
    return sheet.picture("accuracies", f"Test accuracy by model. {'; '.join(lines)}.")
