"""Images of a dataset and their labels."""

from __future__ import annotations

from deep_mnist.data import Split
from deep_mnist.report.figure import Chart, create, image_grid

COLUMNS = 10


def draw(split: Split, title: str) -> Chart:
    """Draw all images of a split, [N, 784] uint8, in rows of ten."""
    rows = -(-len(split.labels) // COLUMNS)
    figure = create(title, "Below each image: its label.", 0.62 * rows + 0.7)
    images = split.images.reshape(-1, 28, 28)
    for axes, label in zip(image_grid(figure, images, COLUMNS), split.labels, strict=True):
        axes.set_xlabel(label)
    labels = " ".join(map(str, split.labels))
    return Chart("digits", title, f"Images of the digits {labels}.", figure)
