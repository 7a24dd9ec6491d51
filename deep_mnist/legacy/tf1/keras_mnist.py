"""tf.keras.datasets.mnist."""

from __future__ import annotations

from typing import Any

from deep_mnist.data import search

__all__ = ["load_data"]


def load_data(path: str = "mnist.npz") -> Any:
    """Return ((images [60000, 28, 28], labels), (test images, test labels)), uint8."""
    arrays = search.load_arrays("mnist")
    return (
        (arrays.train_images.reshape(-1, 28, 28), arrays.train_labels),
        (arrays.test_images.reshape(-1, 28, 28), arrays.test_labels),
    )
