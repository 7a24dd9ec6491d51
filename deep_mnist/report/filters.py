"""The weights of the first layer and the feature maps of the convolutions, as images."""

from __future__ import annotations

import numpy as np

from deep_mnist.inference import PROGRAMS
from deep_mnist.report.figure import Chart, create, image_grid
from deep_mnist.report.predictions import Predictions
from deep_mnist.report.runs import Run

MAX_UNITS = 32
COLUMNS = 8


def draw_weights(run: Run, predictions: Predictions) -> Chart:
    """Draw the weights of the first layer: filters, or an image for each class or hidden unit."""
    weights = predictions.first_weights
    caption = "Blue weights are positive, red ones negative."
    if weights.ndim == 4:
        images, columns = weights[:, :, 0].transpose(2, 0, 1), COLUMNS
        title = f"The {len(images)} filters of the first convolution of {run.model}"
    elif weights.shape[1] == 10:
        images, columns = weights.T.reshape(10, 28, 28), 5
        title = f"The weights of {PROGRAMS[run.model].title.lower()} for each digit"
        caption += " Strokes on blue pixels are evidence for the digit, on red ones against it."
    else:
        norms = np.linalg.norm(weights, axis=0)
        largest = np.sort(np.argsort(-norms, kind="stable")[:MAX_UNITS])
        images, columns = weights.T[largest].reshape(-1, 28, 28), COLUMNS
        title = f"The weights of {len(images)} of the {len(norms)} hidden units of {run.model}"
        caption += " These units have the largest weights. The noise is left of the initialization."
    limit = float(np.quantile(np.abs(images), 0.999))  # few weights are larger
    rows = -(-len(images) // columns)
    figure = create(title, caption, 5.2 / columns * rows + 1)
    axes = image_grid(figure, images, columns, cmap="RdBu", vmin=-limit, vmax=limit)
    if len(images) == 10:
        for digit, digit_axes in enumerate(axes):
            digit_axes.set_title(digit)
    figure.colorbar(
        axes[0].images[0],
        ax=axes,
        location="bottom",
        shrink=0.4,
        ticks=[-limit, 0, limit],
        format="{x:.2g}",
    )
    _, height, width = images.shape
    alt = f"{len(images)} images of {height}x{width} weights, blue above 0, red below."
    return Chart(f"weights-{run.kind}", title, alt, figure)


def draw_feature_maps(run: Run, predictions: Predictions) -> Chart | None:
    """Draw the first test image and its feature maps; None for a model without convolutions."""
    if not predictions.feature_maps:
        return None
    title = f"Feature maps of {run.model} for an image of a {predictions.labels[0]}"
    parts = [("test image", predictions.images[0].reshape(1, 28, 28) / 255)]
    for number, features in enumerate(predictions.feature_maps, 1):
        maps = features.transpose(2, 0, 1)
        largest = maps.max(axis=(1, 2), keepdims=True)
        parts.append(
            (
                f"convolution {number}: {len(maps)} maps of {maps.shape[1]}x{maps.shape[2]}",
                maps / np.where(largest > 0, largest, 1),
            )
        )
    figure = create(title, "Dark: large values. Each map is scaled to its largest.", 9.4)
    ratios = [-(-len(images) // COLUMNS) + 0.4 for _, images in parts]
    subfigures = figure.subfigures(len(parts), 1, squeeze=False, height_ratios=ratios)
    for subfigure, (label, images) in zip(subfigures[:, 0], parts, strict=True):
        subfigure.suptitle(label, x=0.01, ha="left", size=8.5, weight="normal")
        # 0 is a pale gray, so that empty maps are seen.
        image_grid(subfigure, images, COLUMNS, vmin=-0.06, vmax=1)
    alt = f"{'; '.join(label for label, _ in parts)}."
    return Chart(f"feature-maps-{run.kind}", title, alt, figure)
