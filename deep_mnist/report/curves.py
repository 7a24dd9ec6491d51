"""Training curves: what every report of a run said, and a line through the points."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from deep_mnist.inference import PROGRAMS
from deep_mnist.report.figure import GRID, INK, MODEL_COLORS, MUTED, SERIES, WIDTH, Picture, Sheet
from deep_mnist.report.runs import Run

MANY = 60  # points: a line through so many noisy ones is read better as a mean
PANEL, GAP, LEFT, RIGHT, BOTTOM = 1.7, 0.4, 0.62, 0.85, 0.45  # inches
RARE = 0.04  # the share of points, at the start of a long run, that may lie below the panel
FEW_DECADES = 60  # a loss axis that spans less has marks at 2 and 5 as well
LEAST_LOSS = 1e-7  # of an image: float32 holds no probability nearer to 1
LONGEST = 11  # characters of a label


def draw(runs: list[Run]) -> Picture | None:
    """Accuracy and loss over the steps of runs of a kind; None where none has a report."""
    runs = [run for run in runs if run.reports]
    if not runs:
        return None
    model = runs[0].model
    window = max(_window(run) for run in runs)
    sheet = Sheet(_title(model, runs), _note(runs, window), 2 * (PANEL + GAP) + BOTTOM)
    panels = [
        sheet.axes(LEFT, bottom, WIDTH - LEFT - RIGHT, PANEL)
        for bottom in (BOTTOM + PANEL + GAP, BOTTOM)
    ]
    single = len(runs) > len(SERIES)
    colors = [MODEL_COLORS[model]] * len(runs) if single else SERIES
    ends: list[list[tuple[float, str, str]]] = [[], []]
    for run, color in zip(runs, colors, strict=False):
        steps = np.array([report.step for report in run.reports])
        accuracy = 100 * np.array([report.accuracy for report in run.reports])
        loss = np.array([report.loss for report in run.reports]) / _images_summed(run)
        # What is drawn on a logarithmic axis is averaged on it.
        logarithms = np.log(np.maximum(loss, LEAST_LOSS))
        trends = (smooth(accuracy, _window(run)), np.exp(smooth(logarithms, _window(run))))
        both = zip(panels, (accuracy, loss), trends, ends, strict=True)
        for panel, values, line, labels in both:
            faint = 0.15 if single else 0.35
            panel.plot(steps, values, ".", color=color, markersize=3, alpha=faint, mew=0)
            panel.plot(steps, line, color=color, linewidth=0.8 if single else 1.4)
            if len(steps) == 1:  # no line: the one point has to be seen
                panel.plot(steps, values, "o", color=color, markersize=4, mew=0, clip_on=False)
            labels.append((float(line[-1]), _short(run.label), color))
    _finish(panels, runs)
    words = _end_words(model, runs, single)
    for panel, labels in zip(panels, ends, strict=True):
        _label_ends(panel, labels, words)
    return sheet.picture(f"curves-{runs[0].kind}", _alt(model, runs))


def smooth(values: npt.NDArray[Any], window: int) -> npt.NDArray[Any]:
    """The mean of `window` points around each; towards the ends of those that there are.

    At the start as many before as after, or the steep first steps would look flat.
    """
    middle = np.arange(len(values))
    before = np.minimum(window // 2, middle)
    after = np.minimum(before, middle[::-1])
    sums = np.concatenate([[0], np.cumsum(values)])
    return np.asarray((sums[middle + after + 1] - sums[middle - before]) / (before + after + 1))


def _window(run: Run) -> int:
    """An odd number of points: a twentieth of the run's."""
    points = len(run.reports)
    return points // 20 | 1 if points >= MANY else 1


def _images_summed(run: Run) -> int:
    return int(run.config.get("batch_size", 50)) if PROGRAMS[run.model].loss_is_sum else 1


def _finish(panels: list[Any], runs: list[Run]) -> None:
    last = max(report.step for run in runs for report in run.reports)
    ends = [run.result["steps"] for run in runs if run.result is not None]
    for panel in panels:
        panel.set_xlim(0, max(last, 1, *ends))
        panel.margins(y=0.05)
        panel.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        panel.xaxis.get_major_locator().set_params(nbins=4, integer=True)
    above, below = panels
    above.set_ylim(_floor(runs), 101)
    above.yaxis.set_major_formatter(lambda value, _: f"{value:g} %")
    above.tick_params(labelbottom=False)
    above.set_title("accuracy on the batch", loc="left", fontsize=8.5, color=INK)
    least, most = np.maximum(below.dataLim.intervaly, LEAST_LOSS)
    if most < 1.01 * least:  # a single report, around which no logarithmic axis is made
        below.set_ylim(least / 2, most * 2)
    below.set_yscale("log")
    low, high = below.get_ylim()
    if high < FEW_DECADES * low:
        below.yaxis.get_major_locator().set_params(subs=(1, 2, 5))
    below.yaxis.set_major_formatter(lambda value, _: np.format_float_positional(value, trim="-"))
    below.yaxis.set_minor_formatter(lambda value, _: "")
    below.minorticks_off()
    below.set_title("loss per image", loc="left", fontsize=8.5, color=INK)
    below.set_xlabel("step", fontsize=8.5, color=MUTED)
    below.spines["bottom"].set_color(GRID)


def _floor(runs: list[Run]) -> float:
    """Where the accuracies' panel begins, in percent."""
    points = [100 * report.accuracy for run in runs for report in run.reports]
    return float(min(10 * (np.quantile(points, RARE) // 10), 90))


def _end_words(model: str, runs: list[Run], single: bool) -> str | None:
    """What stands at the end of all lines together; None where each has a label of its own."""
    if single:
        return f"{model},\n{len(runs)} runs"
    return "" if len(runs) == 1 else None


def _short(label: str) -> str:
    """The end of a long label, where names of runs differ: as much as the margin holds."""
    return label if len(label) <= LONGEST else f"\N{HORIZONTAL ELLIPSIS}{label[1 - LONGEST :]}"


def _label_ends(panel: Any, ends: list[tuple[float, str, str]], words: str | None) -> None:
    if words is not None:
        ends = [(float(np.median([y for y, _, _ in ends])), words, ends[0][2])]
    figure = panel.figure
    transform = panel.transData
    at = sorted((float(transform.transform((0, y))[1]), text, color) for y, text, color in ends)
    apart = 11 * figure.dpi / 72
    ys: list[float] = []
    for y, _, _ in at:
        ys.append(max(y, ys[-1] + apart) if ys else y)
    down = max(0, ys[-1] - panel.bbox.y1)
    x = panel.bbox.x1 / figure.bbox.width + 0.012
    for y, (_, text, color) in zip(ys, at, strict=True):
        place = (y - down) / figure.bbox.height
        figure.text(x, place, text, color=color, size=8, va="center")


def _title(model: str, runs: list[Run]) -> str:
    accuracies = [run.result["test_accuracy"] for run in runs if run.result is not None]
    unfinished = len(runs) - len(accuracies)
    if not accuracies:
        last = runs[0].reports[-1].step
        steps = runs[0].config.get("steps", "?")
        return (
            f"{model}, unfinished: reported up to step {last:,} of {steps:,}"
            if len(runs) == 1
            else f"{model}: {len(runs)} unfinished runs"
        )
    of = runs[0].digits
    low, high = min(accuracies), max(accuracies)
    if len(runs) == 1:
        return f"{model} learns to read {100 * high:.2f} % of the test {of}"
    more = f", {unfinished} unfinished" if unfinished else ""
    span = f"{100 * low:.2f} to {100 * high:.2f} %"
    return f"{len(accuracies)} runs of {model}: {span} of the test {of}{more}"


def _note(runs: list[Run], window: int) -> str:
    sizes = sorted({int(run.config.get("batch_size", 0)) for run in runs})
    size = f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"
    note = f"A point is a batch of {size} images before it is trained on"
    note += f"; a line is the mean of {window} around." if window > 1 else "; lines join them."
    hidden = sum(100 * report.accuracy < _floor(runs) for run in runs for report in run.reports)
    lie = "lies" if hidden == 1 else "lie"
    return f"{note} {hidden} {lie} below the upper panel." if hidden else note


def _alt(model: str, runs: list[Run]) -> str:
    first, last = runs[0].reports[0], runs[0].reports[-1]
    summed = _images_summed(runs[0])
    return (
        f"Training curves of {model}, {len(runs)} run{'s' * (len(runs) > 1)}. "
        f"{runs[0].directory.name}: from step {first.step} to {last.step:,} the accuracy on the "
        f"batch goes from {first.accuracy:.1%} to {last.accuracy:.1%}, the loss per image from "
        f"{first.loss / summed:.3g} to {last.loss / summed:.3g}."
    )
