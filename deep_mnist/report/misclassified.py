"""The misclassified test images, the most confident errors first."""

from __future__ import annotations

import numpy as np

from deep_mnist.inference import PROGRAMS
from deep_mnist.report.figure import Chart, create, image_grid
from deep_mnist.report.predictions import Predictions
from deep_mnist.report.runs import Run

COLUMNS, ROWS = 6, 5


def draw(run: Run, predictions: Predictions) -> Chart | None:
    """Draw the most confident errors; None if all images are classified correctly."""
    predicted, labels = predictions.predicted, predictions.labels
    errors = np.flatnonzero(predicted != labels)
    if len(errors) == 0:
        return None
    confidence = predictions.probabilities.max(axis=1)
    shown = errors[np.argsort(-confidence[errors], kind="stable")][: COLUMNS * ROWS]
    title = f"{run.model} misclassifies {len(errors):,} {run.digits}"
    if len(shown) < len(errors):
        title += ": the most confident errors"
    caption = "Below each image: predicted label and confidence; true label."
    if not PROGRAMS[run.model].predicts_probabilities:
        caption += (
            " The confidence is not a probability: the outputs are fitted to one-hot labels by "
            "squared error."
        )
    rows = -(-len(shown) // COLUMNS)
    figure = create(title, caption, rows + 0.8)
    images = predictions.images[shown].reshape(-1, 28, 28)
    for axes, index in zip(image_grid(figure, images, COLUMNS), shown, strict=True):
        percent = _percent(confidence[index])
        axes.set_xlabel(f"{predicted[index]}, {percent}\ntrue {labels[index]}", size=7.5)
    listed = "; ".join(
        f"{labels[i]} predicted as {predicted[i]}, {_percent(confidence[i])}" for i in shown
    )
    alt = f"True label, predicted label and confidence of {len(shown)} images: {listed}."
    return Chart(f"misclassified-{run.kind}", title, alt, figure)


def _percent(confidence: float) -> str:
    """Return a percentage; a confidence below 1 is never 100%."""
    return f"{np.floor(1000 * confidence) / 10:.1f}%" if confidence > 0.99 else f"{confidence:.0%}"
