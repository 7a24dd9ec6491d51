"""tf.keras.datasets.mnist and fashion_mnist, from the copies that deep_mnist finds."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from deep_mnist.data import search

__all__ = ["fashion_mnist", "mnist"]


def _load_data(dataset: str) -> Any:
    """Return ((images [60000, 28, 28], labels), (test images, test labels)), uint8."""
    arrays = search.load_arrays(dataset)
    return (
        (arrays.train_images.reshape(-1, 28, 28), arrays.train_labels),
        (arrays.test_images.reshape(-1, 28, 28), arrays.test_labels),
    )


mnist = SimpleNamespace(load_data=lambda path="mnist.npz": _load_data("mnist"))
fashion_mnist = SimpleNamespace(load_data=lambda: _load_data("fashion-mnist"))
