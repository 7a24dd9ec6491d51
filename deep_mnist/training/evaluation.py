"""How a model does, and which model it is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

EVALUATION_BATCH = 250  # examples: bounds the memory of an evaluation, changes no result


class Score(NamedTuple):
    """How a model does on a split."""

    correct: int
    examples: int
    loss: float  # the model's loss, mean over the examples
    answers: tuple[int, ...]  # how often each of the ten labels is the model's answer

    @property
    def accuracy(self) -> float:
        return self.correct / self.examples


def fingerprint(weights: Mapping[str, Any]) -> str:
    """The SHA-256 of weights by name: names, types, shapes and bits."""
    digest = hashlib.sha256()
    for name, value in sorted(weights.items()):
        digest.update(f"{name} {value.dtype} {value.shape}\n".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()
