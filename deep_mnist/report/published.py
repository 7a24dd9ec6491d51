"""The figures that a source document prints, beside those of our runs."""

from __future__ import annotations

import statistics
from typing import NamedTuple

from deep_mnist.report import documents
from deep_mnist.report.figure import INK, MODEL_COLORS, MUTED, WIDTH, Picture, Sheet
from deep_mnist.report.runs import Run

LEFT, RIGHT, BOTTOM, PANEL = 0.55, 0.95, 0.45, 2.4  # inches
LIKE = {  # what makes a run one that the document's figures are of
    "mlp": {"dataset": "mnist", "batch_size": 128, "learning_rate": 1e-3, "variant": "scaled"},
    "fnn": {"dataset": "mnist", "batch_size": 60_000, "learning_rate": 1e-5},
}


class Row(NamedTuple):
    """A printed figure, and ours of the same step: mlp's loss, or fnn's training accuracy."""

    place: str  # as the document calls it
    published: float
    ours: list[float]  # of each run

    @property
    def mean(self) -> float:
        return statistics.mean(self.ours)


class Comparison(NamedTuple):
    """A document's table beside ours."""

    model: str
    figure: str  # what the figures are
    runs: list[Run]
    rows: list[Row]


def compare(runs: list[Run]) -> Comparison | None:
    """The runs of a kind; None where no document prints figures of it, or no run was made alike."""
    model = runs[0].model
    if model not in LIKE:
        return None
    asked = LIKE[model]
    if model == "mlp":
        figure = "loss"
        per_epoch = documents.MLP_STEPS_PER_EPOCH
        published = {
            epoch * per_epoch + step: (f"epoch {epoch}, step {step}", loss)
            for epoch, step, loss in documents.MLP_ROWS
        }
    else:
        figure = "training accuracy"
        published = {
            epoch: (f"epoch {epoch}", accuracy) for epoch, _, accuracy in documents.FNN_ROWS
        }
    alike, ours = [], []
    for run in runs:
        found = {
            report.step: report.loss if model == "mlp" else report.accuracy
            for report in run.reports
        }
        if published.keys() <= found.keys() and asked.items() <= run.config.items():
            alike.append(run)
            ours.append(found)
    if not alike:
        return None
    rows = [
        Row(place, figure_of_it, [found[step] for found in ours])
        for step, (place, figure_of_it) in published.items()
    ]
    return Comparison(model, figure, alike, rows)


def draw(comparison: Comparison) -> Picture:
    """The document's figures as points, ours as a line and, of several runs, the span of them."""
    model, _, runs, rows = comparison
    several = len(runs) > 1
    note = "Points: as printed, of one run whose seed is not told. "
    note += "The first row, before any training, aside. " if model == "mlp" else ""
    note += f"Line: mean of our {len(runs)} runs; band: all of them." if several else "Line: ours."
    sheet = Sheet(_title(comparison), note, PANEL + BOTTOM + 0.1)
    axes = sheet.axes(LEFT, BOTTOM, WIDTH - LEFT - RIGHT, PANEL)
    color = MODEL_COLORS[model]
    # Five rows of the MLP's table are an epoch; one of fnn's is.
    places = [row / (5 if model == "mlp" else 1) for row in range(len(rows))]
    scale = 1 if model == "mlp" else 100
    mean = [scale * row.mean for row in rows]
    published = [scale * row.published for row in rows]
    if several:
        low, high = ([scale * pick(row.ours) for row in rows] for pick in (min, max))
        axes.fill_between(places, low, high, color=color, alpha=0.15, linewidth=0)
    axes.plot(places, mean, color=color, linewidth=1.4)
    axes.plot(places, published, "o", color=INK, markersize=2.6, mew=0)
    axes.margins(x=0)
    axes.set_xlabel("epoch", fontsize=8.5, color=MUTED)
    if model == "mlp":
        # Its first rows, before anything is learnt, are far above the others.
        axes.set_yscale("log")
        axes.set_yticks([0.1, 0.2, 0.3, 0.5], ["0.1", "0.2", "0.3", "0.5"])
        axes.minorticks_off()
    else:
        axes.set_ylim(0, 100)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g} %")
    axes.set_title(comparison.figure, loc="left", fontsize=8.5, color=INK)
    apart = 0.07 * (1 if mean[-1] > published[-1] else -1)
    close = abs(mean[-1] - published[-1]) < 0.07 * (axes.get_ylim()[1] - axes.get_ylim()[0])
    for value, words, shade, shift in (
        (mean[-1], "ours", color, apart),
        (published[-1], "document", INK, -apart),
    ):
        axes.annotate(
            words,
            (places[-1], value),
            xytext=(6, 72 * shift if close else 0),
            textcoords="offset points",
            va="center",
            color=shade,
            size=8,
            annotation_clip=False,
        )
    first, last = rows[0], rows[-1]
    alt = (
        f"{comparison.figure.capitalize()} of {model} as its document prints it and as measured "
        f"here. {first.place}: {first.published:.4g} and {first.mean:.4g}; "
        f"{last.place}: {last.published:.4g} and {last.mean:.4g}."
    )
    return sheet.picture(f"published-{model}", alt)


def _title(comparison: Comparison) -> str:
    model, _, runs, rows = comparison
    whose = "the mean of ours" if len(runs) > 1 else "ours"
    if model == "mlp":
        largest = max(abs(row.mean / row.published - 1) for row in rows[1:])
        return f"mlp's losses: {whose} is within {100 * largest:.1f} % of the document's"
    tests = [100 * run.result["test_accuracy"] for run in runs if run.result is not None]
    published = documents.FNN_TEST_ACCURACY
    if not tests:
        return "The accuracies that fnn's document prints, and ours"
    span = f"{min(tests):.2f}"
    span += f" to {max(tests):.2f}" if len(tests) > 1 else ""
    return f"fnn's document ends at {100 * published:.2f} % of the test set, ours at {span} %"
