"""The confusion matrix of a model on the test images."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.colors import PowerNorm

from deep_mnist.report.figure import Chart, create
from deep_mnist.report.predictions import Predictions
from deep_mnist.report.runs import Run

WORST = 5  # confusions that the text alternative lists


def draw(run: Run, predictions: Predictions) -> Chart:
    """Draw the matrix; the colours are the numbers of errors, so the diagonal is grey."""
    matrix = predictions.confusion_matrix()
    recall = matrix.diagonal() / np.maximum(matrix.sum(axis=1), 1)
    errors = matrix - np.diag(matrix.diagonal())
    worst = [
        f"{true} predicted as {predicted} ({errors[true, predicted]})"
        for true, predicted in _largest_first(errors)
    ]
    title = (
        f"{run.model} classifies {predictions.correct:,} of {len(predictions.labels):,} "
        f"test {run.digits} correctly"
    )
    caption = f"Most frequent error: {worst[0]}." if worst else "No errors."
    figure = create(title, f"Colour: number of errors. {caption}", 4.6)
    axes = figure.subplots()
    axes.imshow(
        np.ma.array(errors, mask=np.eye(10, dtype=bool)),
        cmap=mpl.colormaps["Oranges"].with_extremes(bad="#e6e9ed"),
        norm=PowerNorm(0.5, vmin=0, vmax=2.5 * max(errors.max(), 1)),  # legible below dark text
    )
    for (true, predicted), count in np.ndenumerate(matrix):
        if count:
            axes.text(predicted, true, str(count), ha="center", va="center", fontsize=7.5)
    axes.set_xticks(range(10))
    axes.set_yticks(range(10))
    axes.set_xlabel("predicted label")
    axes.set_ylabel("true label")
    axes.grid(visible=False)
    right = axes.secondary_yaxis("right")
    right.set_yticks(range(10), [f"{share:.1%}" for share in recall])
    right.set_ylabel("classified correctly")
    alt = (
        f"Confusion matrix. Most frequent errors: {', '.join(worst[:WORST]) or 'none'}. "
        f"Classified correctly by digit: "
        f"{', '.join(f'{digit} {share:.1%}' for digit, share in enumerate(recall))}."
    )
    return Chart(f"confusion-{run.kind}", title, alt, figure)


def _largest_first(errors: np.ndarray) -> list[tuple[int, int]]:
    """Return the pairs of true and predicted label that occur, the most frequent first."""
    pairs = [(int(true), int(predicted)) for true, predicted in np.argwhere(errors)]
    return sorted(pairs, key=lambda pair: -errors[pair])
