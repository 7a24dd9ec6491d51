"""tf.contrib.learn.datasets: load_dataset and load_mnist."""

from __future__ import annotations

from typing import Any

from deep_mnist import input_data

__all__ = ["load_dataset", "load_mnist"]


def load_mnist(train_dir: str = "MNIST-data") -> Any:
    """Return MNIST, with integer labels [N]."""
    return input_data.read_data_sets(train_dir)


def load_dataset(name: str, size: str = "small", test_with_fake_data: bool = False) -> Any:
    """Return a dataset by name; of the four of TensorFlow 1 only MNIST is supported.

    Raises:
      ValueError: another dataset.
    """
    if name != "mnist":
        raise ValueError(f"load_dataset: expected 'mnist', found {name!r}")
    return load_mnist()
