"""What training.Session is to a graph, for a model of NumPy arrays."""

from __future__ import annotations

import copy
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from deep_mnist.checkpoints import npz_saver
from deep_mnist.data import Split
from deep_mnist.training.evaluation import EVALUATION_BATCH, Score
from deep_mnist.training.evaluation import fingerprint as fingerprint_of


class NumpySession:
    """Saves, restores and evaluates a model whose weights are changed in place.

    Args:
      model: weights, a dict of arrays by name; and log_probabilities, a function of uint8 images
        [B, 784] -> [B, 10].
    """

    checkpoints = npz_saver

    def __init__(self, model: Any) -> None:
        self.model = model
        self._initial = copy.deepcopy(model.weights)

    def __enter__(self) -> NumpySession:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return

    def initialize(self) -> None:
        """Gives every weight its initial value."""
        self._assign(self._initial)

    def save(self, directory: Path, step: int, keep: int) -> None:
        """Saves the weights as model-STEP.npz."""
        npz_saver.save(self.model.weights, directory, step, keep)

    def save_weights(self, directory: Path, step: int) -> None:
        """The same, as the only checkpoint there: there is nothing but weights."""
        self.save(directory, step, keep=1)

    def restore(self, path: Path) -> None:
        """Restores what `save` saved; DeepMnistError unless all of it is there."""
        self._assign(npz_saver.read(path, self.model.weights))

    def restore_weights(self, path: Path) -> list[str]:
        """The same; there is nothing that the user should know beside."""
        self.restore(path)
        return []

    def evaluate(self, split: Split, batch_size: int = EVALUATION_BATCH) -> Score:
        """Counts the correct answers over all examples of a split, the last few included."""
        correct, loss = 0, 0.0
        answers = np.zeros(10, np.int64)
        for start in range(0, len(split.labels), batch_size):
            labels = split.labels[start : start + batch_size]
            log_probabilities = self.model.log_probabilities(
                split.images[start : start + batch_size]
            )
            said = log_probabilities.argmax(axis=1)
            correct += int(np.sum(said == labels))
            answers += np.bincount(said, minlength=10)
            loss -= float(np.sum(log_probabilities[np.arange(len(labels)), labels]))
        mean_loss = loss / len(split.labels)
        return Score(correct, len(split.labels), mean_loss, tuple(answers.tolist()))

    def is_finite(self) -> bool:
        """Whether every weight is a number, and no infinity."""
        return all(bool(np.isfinite(weight).all()) for weight in self.model.weights.values())

    def weights_sha256(self) -> str:
        """A fingerprint of the weights: names, shapes and bits."""
        return fingerprint_of(self.model.weights)

    def _assign(self, values: npz_saver.Arrays) -> None:
        for name, weight in self.model.weights.items():
            weight[...] = values[name]
