"""Training curves: accuracy and loss of the batches that a run reported."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.ticker import LogLocator, MaxNLocator, PercentFormatter

from deep_mnist.inference import PROGRAMS
from deep_mnist.report.figure import Chart, create, model_color
from deep_mnist.report.runs import Run

MAX_COLORS = 6  # of the style sheet; more runs have one color and no legend
SMOOTHED = 60  # points, from which on the line is a moving mean
LEAST_LOSS = 2**-24  # of an image whose probability is the float32 next to 1
BELOW = 0.04  # share of the points, at the start of a run, that may lie below the accuracy axis


def draw(runs: list[Run]) -> Chart | None:
    """Draw the curves of runs of one model and dataset; None if nothing was reported."""
    runs = [run for run in runs if run.reports]
    if not runs:
        return None
    title = _title(runs)
    figure = create(title, _caption(runs), 4.8)
    accuracy_axes, loss_axes = figure.subplots(2, 1, sharex=True)
    for index, run in enumerate(runs):
        color = f"C{index}" if len(runs) <= MAX_COLORS else model_color(run.model)
        steps, accuracy, loss = np.array(run.reports).T
        logarithm = np.log(np.maximum(loss / _summed(run), LEAST_LOSS))
        window = _window(run)
        for axes, values, line in (
            (accuracy_axes, accuracy, smooth(accuracy, window)),
            (loss_axes, np.exp(logarithm), np.exp(smooth(logarithm, window))),
        ):
            axes.plot(steps, values, "o", color=color, markersize=2.5, alpha=0.4)
            axes.plot(smooth(steps, window), line, color=color, label=run.label)
    accuracy_axes.set(ylabel="accuracy on the batch", ylim=(_lowest_accuracy(runs), 1.01))
    accuracy_axes.yaxis.set_major_formatter(PercentFormatter(1))
    loss_axes.set(ylabel="loss per image", yscale="log", xlabel="step")
    low, high = loss_axes.get_ylim()
    loss_axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 60 * low else (1,)))
    loss_axes.yaxis.set_major_formatter("{x:g}")
    loss_axes.minorticks_off()
    last = max(1, *(report.step for run in runs for report in run.reports))
    loss_axes.set_xlim(-0.04 * last, 1.04 * last)
    loss_axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
    loss_axes.xaxis.set_major_formatter("{x:,.0f}")
    if 1 < len(runs) <= MAX_COLORS:
        loss_axes.legend(loc="upper right")
    return Chart(f"curves-{runs[0].kind}", title, _alt(runs), figure)


def smooth(values: npt.NDArray[Any], window: int) -> npt.NDArray[Any]:
    """Return the mean of each `window` neighboring values."""
    return np.convolve(values, np.full(window, 1 / window), mode="valid")


def _window(run: Run) -> int:
    """Return an odd number of points, a twentieth of the run's."""
    points = len(run.reports)
    return points // 20 | 1 if points >= SMOOTHED else 1


def _summed(run: Run) -> int:
    """Return the number of images that the reported loss is a sum over."""
    return int(run.config["batch_size"]) if PROGRAMS[run.model].loss_is_sum else 1


def _lowest_accuracy(runs: list[Run]) -> float:
    """Return where the accuracy axis starts, a multiple of 10%."""
    accuracies = [report.accuracy for run in runs for report in run.reports]
    return min(float(np.quantile(accuracies, BELOW)) * 10 // 1 / 10, 0.9)


def _title(runs: list[Run]) -> str:
    model, digits = runs[0].model, runs[0].digits
    accuracies = [run.result["test_accuracy"] for run in runs if run.result is not None]
    unfinished = len(runs) - len(accuracies)
    if len(runs) == 1 and unfinished:
        steps = runs[0].config["steps"]
        return f"{model}, unfinished: step {runs[0].reports[-1].step:,} of {steps:,}"
    if len(runs) == 1:
        return f"{model} classifies {accuracies[0]:.2%} of the test {digits} correctly"
    if not accuracies:
        return f"{model}: {len(runs)} unfinished runs"
    span = f"{min(accuracies):.2%} to {max(accuracies):.2%} of the test {digits}"
    more = f", {unfinished} unfinished" if unfinished else ""
    return f"{len(accuracies)} runs of {model}: {span}{more}"


def _caption(runs: list[Run]) -> str:
    sizes = sorted({run.config["batch_size"] for run in runs})
    window = max(_window(run) for run in runs)
    size = " or ".join(f"{size:,}" for size in sizes)
    text = f"Points: batches of {size} training images, each before it is trained on. "
    if window > 1:
        text += f"Lines: mean of {window} points. "
    lowest = _lowest_accuracy(runs)
    hidden = sum(report.accuracy < lowest for run in runs for report in run.reports)
    return text + (f"Points below the accuracy axis: {hidden}." if hidden else "")


def _alt(runs: list[Run]) -> str:
    first, last = runs[0].reports[0], runs[0].reports[-1]
    summed = _summed(runs[0])
    return (
        f"Training curves of {len(runs)} run{'s' * (len(runs) > 1)}. "
        f"{runs[0].directory.name}: from step {first.step} to {last.step:,} the accuracy on the "
        f"batch goes from {first.accuracy:.1%} to {last.accuracy:.1%}, the loss per image from "
        f"{first.loss / summed:.3g} to {last.loss / summed:.3g}."
    )
