"""The counterpart of Session for a model of NumPy arrays."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np

from deep_mnist.checkpoints import npz_saver
from deep_mnist.data import Split
from deep_mnist.training import evaluation
from deep_mnist.training.config import RunConfig
from deep_mnist.training.evaluation import Evaluation


class NumpySession:
    """Saves, restores and evaluates a model whose weights are updated in place.

    Args:
      model: weights, a dict of arrays by name; and log_probabilities, a function from uint8 images
        [B, 784] to [B, 10].
    """

    checkpoints = npz_saver
    mean_loss = True

    def __init__(
        self, model: Any, run_config: RunConfig | None = None, *, mean_loss: bool = True
    ) -> None:
        self.model = model
        self._initial = copy.deepcopy(model.weights)

    def __enter__(self) -> NumpySession:
        """Return the session."""
        return self

    def __exit__(self, *error: object) -> None:
        """Do nothing: there is nothing to close."""

    def initialize(self) -> None:
        """Give every weight its initial value."""
        self._assign(self._initial)

    def save(self, directory: Path, step: int, keep: int) -> None:
        """Save the weights as model-STEP.npz."""
        npz_saver.save(self.model.weights, directory, step, keep)

    def save_weights(self, directory: Path, step: int) -> None:
        """Save the weights as the only checkpoint of the directory."""
        self.save(directory, step, keep=1)

    def restore(self, path: Path) -> None:
        """Restore what `save` saved.

        Raises:
          CheckpointError: an array is missing, unexpected, damaged or of another shape.
        """
        self._assign(npz_saver.read(path, self.model.weights))

    def restore_weights(self, path: Path) -> list[str]:
        """Restore the weights; returns the notes for the user, of which there are none."""
        self.restore(path)
        return []

    def evaluate(self, split: Split, batch_size: int = evaluation.BATCH) -> Evaluation:
        """Evaluate the model on all examples of a split."""

        def predict(images: Any, labels: Any) -> tuple[Any, float]:
            log_probabilities = self.model.log_probabilities(images)  # [B, 10]
            loss = -float(np.sum(log_probabilities[np.arange(len(labels)), labels]))
            return log_probabilities.argmax(axis=1), loss

        return evaluation.evaluate(split, predict, batch_size)

    def is_finite(self) -> bool:
        """Return whether no weight is NaN or infinite."""
        return all(bool(np.isfinite(weight).all()) for weight in self.model.weights.values())

    def weights(self) -> dict[str, Any]:
        """Return the weights by name."""
        return dict(self.model.weights)

    def weights_sha256(self) -> str:
        """Return the SHA-256 of the weights: of their names, types, shapes and bits."""
        return evaluation.weights_sha256(self.model.weights)

    def _assign(self, values: npz_saver.Arrays) -> None:
        for name, weight in self.model.weights.items():
            weight[...] = values[name]
