"""The result of evaluating a model, and the digest that identifies its weights."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from deep_mnist.data import Split

BATCH = 250  # images at a time: limits the memory of an evaluation, does not change its result


class Evaluation(NamedTuple):
    """The accuracy and the loss of a model on a split."""

    correct: int  # number of images classified correctly
    examples: int
    loss: float  # mean over the examples
    predictions: tuple[int, ...]  # number of times that each of the ten labels is predicted

    @property
    def accuracy(self) -> float:
        """Fraction of the images that are classified correctly, in [0, 1]."""
        return self.correct / self.examples


def evaluate(
    split: Split,
    predict: Callable[[npt.NDArray[np.uint8], npt.NDArray[np.uint8]], tuple[Any, float]],
    batch_size: int = BATCH,
) -> Evaluation:
    """Evaluate a model on all examples of a split, in batches; the last may be smaller.

    Args:
      split: images and labels.
      predict: (images [B, 784], labels [B]) -> (predicted labels [B], loss summed over the batch).
      batch_size: images at a time.
    """
    correct, loss = 0, 0.0
    predictions = np.zeros(10, np.int64)
    for start in range(0, len(split.labels), batch_size):
        labels = split.labels[start : start + batch_size]
        predicted, batch_loss = predict(split.images[start : start + batch_size], labels)
        correct += int(np.sum(predicted == labels))
        loss += batch_loss
        predictions += np.bincount(predicted, minlength=10)
    examples = len(split.labels)
    return Evaluation(correct, examples, loss / examples, tuple(predictions.tolist()))


def weights_sha256(weights: Mapping[str, Any]) -> str:
    """Return the SHA-256 of weights by name: of their names, types, shapes and bits."""
    digest = hashlib.sha256()
    for name, value in sorted(weights.items()):
        digest.update(f"{name} {value.dtype} {value.shape}\n".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()
