"""The confusion matrix of a model on the test images."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.colors import PowerNorm

from deep_mnist.report.figure import Chart, create
from deep_mnist.report.predictions import Predictions
from deep_mnist.report.runs import Run


def draw(run: Run, predictions: Predictions) -> Chart:
    """Draw the matrix; the colors are the numbers of errors, so the diagonal is gray."""
    matrix = predictions.confusion_matrix()
    recall = matrix.diagonal() / np.maximum(matrix.sum(axis=1), 1)
    errors = matrix.copy()
    np.fill_diagonal(errors, 0)
    pairs = sorted(np.argwhere(errors), key=lambda pair: -errors[tuple(pair)])
    frequent = [
        f"{true} predicted as {predicted} ({errors[true, predicted]})"
        for true, predicted in pairs[:5]
    ]
    title = (
        f"{run.model} classifies {predictions.correct:,} of {len(predictions.labels):,} "
        f"test {run.digits} correctly"
    )
    caption = f"Most frequent error: {frequent[0]}." if frequent else "No errors."
    figure = create(title, f"Color: number of errors. {caption}", 4.6)
    axes = figure.subplots()
    axes.imshow(
        np.ma.array(errors, mask=np.eye(10, dtype=bool)),
        cmap=mpl.colormaps["Oranges"].with_extremes(bad="#e6e9ed"),
        norm=PowerNorm(0.5, vmin=0, vmax=2.5 * max(errors.max(), 1)),  # legible below dark text
    )
    for (true, predicted), count in np.ndenumerate(matrix):
        if count:
            axes.text(predicted, true, str(count), ha="center", va="center", fontsize=7.5)
    ticks = range(10)
    axes.set(xticks=ticks, yticks=ticks, xlabel="predicted label", ylabel="true label")
    axes.grid(visible=False)
    right = axes.secondary_yaxis("right")
    right.set_yticks(ticks, [f"{share:.1%}" for share in recall])
    right.set_ylabel("classified correctly")
    alt = (
        f"Confusion matrix. Most frequent errors: {', '.join(frequent) or 'none'}. "
        f"Classified correctly by digit: "
        f"{', '.join(f'{digit} {share:.1%}' for digit, share in enumerate(recall))}."
    )
    return Chart(f"confusion-{run.kind}", title, alt, figure)
