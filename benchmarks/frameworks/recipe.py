"""`cnn --recipe fast` for other frameworks: settings, learning rate, initial weights, batches.

The batches are made by deep_mnist.data, which needs NumPy alone, in a thread as in deep_mnist.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))  # deep_mnist is not installed everywhere

from deep_mnist import data
from deep_mnist.data import Split

__all__ = ["Batches", "Recipe", "Split", "read", "write"]

Batches = Iterator[tuple[int, data.Batch]]  # with their step

FILE = "recipe.json"
WARM_UP = 0.05  # fraction of the steps


class Recipe(NamedTuple):
    """Settings of a recipe that an implementation has to follow."""

    steps: int
    batch_size: int
    learning_rate: float
    keep_prob: float
    beta2: float
    label_smoothing: float
    augmentation: str

    def rate(self, step: int) -> float:
        """Return the learning rate of a step: one cycle."""
        t = (step + 1) / self.steps
        return self.learning_rate * min(t / WARM_UP, 1) * (1 + math.cos(math.pi * t)) / 2

    def initial(self, weights: dict[str, Any]) -> dict[str, Any]:
        """Return the initial weights, by name: from the tutorial's 0.1 to He's sqrt(2 / fan_in)."""
        return {
            name: w * np.float32(math.sqrt(2 / math.prod(w.shape[:-1])) / 0.1) if w.ndim > 1 else w
            for name, w in weights.items()
        }

    def batches(self, split: Split, seed: int) -> Batches:
        """Yield (step, batch) for every step; labels are smoothed, [B, 10]."""
        made = data.batches(split, self.batch_size, seed)
        made = data.smooth_labels(made, self.label_smoothing)
        augmentation = data.AUGMENTATIONS[self.augmentation]
        made = data.prefetch(data.augmented(made, augmentation, seed, 0, self.steps))
        yield from zip(range(self.steps), made, strict=False)


def read(directory: str) -> Recipe:
    """Read what `write` wrote."""
    return Recipe(**json.loads(Path(directory, FILE).read_text("utf-8")))


def write(directory: str) -> None:
    """Write the settings of the recipe."""
    from deep_mnist import cnn
    from deep_mnist.training import config

    fast = config.with_recipe("cnn", {"recipe": "fast"})
    settings = config.settings_of("cnn", *config.create_configs(cnn.Config, fast))
    values = {name: settings[name] for name in Recipe._fields}
    Path(directory, FILE).write_text(json.dumps(values), "utf-8")
