"""scikit-learn 0.19 for TF1 scripts: fetch_mldata, whose server is gone, and TSNE(n_iter)."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import numpy as np

from deep_mnist.data import search

__all__ = ["install_datasets", "install_manifold"]


def install_datasets() -> None:
    """Add sklearn.datasets.fetch_mldata."""
    datasets: Any = importlib.import_module("sklearn.datasets")
    if not hasattr(datasets, "fetch_mldata"):
        datasets.fetch_mldata = fetch_mldata


def install_manifold() -> None:
    """Let sklearn.manifold.TSNE take n_iter, which is max_iter since 1.5."""
    manifold: Any = importlib.import_module("sklearn.manifold")
    original = manifold.TSNE
    if "max_iter" not in inspect.signature(original).parameters:
        return

    def tsne(*args: Any, n_iter: int | None = None, **options: Any) -> Any:
        return original(*args, **(options if n_iter is None else {**options, "max_iter": n_iter}))

    manifold.TSNE = tsne


def fetch_mldata(dataname: str, *args: Any, **options: Any) -> Any:
    """Return MNIST as mldata.org had it: training and test images, each sorted by label.

    Returns:
      A Bunch of data [70000, 784] uint8 and target [70000] float64.

    Raises:
      ValueError: another dataset.
    """
    bunch: Any = importlib.import_module("sklearn.utils").Bunch
    if dataname.lower().replace("_", " ").replace("-", " ") != "mnist original":
        raise ValueError(f"fetch_mldata: expected 'MNIST original', found {dataname!r}")
    arrays = search.load_arrays("mnist")
    parts = (
        (arrays.train_images, arrays.train_labels),
        (arrays.test_images, arrays.test_labels),
    )
    data, target = [], []
    for images, labels in parts:
        order = np.argsort(labels, kind="stable")
        data.append(images[order].reshape(-1, 784))
        target.append(labels[order].astype(np.float64))
    return bunch(
        DESCR="mldata.org dataset: mnist-original",
        COL_NAMES=["label", "data"],
        data=np.concatenate(data),
        target=np.concatenate(target),
    )
