"""How compare.py controls an implementation: a command on stdin, its result as JSON on stdout.

    train N          take N steps                        -> seconds
    losses N         take N steps                        -> loss of each batch before its update
    classify B N     classify N batches of B test images -> seconds
    recipe SEED      train with recipe.py from the start -> seconds
    accuracy         classify all test images            -> accuracy
    versions                                             -> versions by name

Between two commands an implementation waits and uses no CPU. Its program is started as
`python PROGRAM.py DIRECTORY KEEP_PROB [FLAG ...]` with the DIRECTORY that shared_inputs.py wrote.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import recipe
import shared_inputs
from recipe import Batches, Recipe, Split

BATCH_SIZE = 50
# Of Adam, for the loss summed over the batch; beta1 is 0.9, beta2 0.999, epsilon 1e-8.
LEARNING_RATE = 1e-4


class Implementation(Protocol):
    """The tutorial's network in one framework, with the training loop its users would write."""

    versions: dict[str, str]

    def train(self, steps: int) -> float:
        """Take steps, including making and feeding their batches; return the seconds."""

    def losses(self, steps: int) -> list[float]:
        """Take steps; return the losses summed over each batch, before its update."""

    def classify(self, images: Any) -> Any:
        """Return the labels [B] of images [B, 784] uint8, as NumPy arrays."""


def serve(
    implementation: Implementation,
    inputs: shared_inputs.Inputs,
    train_recipe: Callable[[Recipe, Batches], None] | None = None,
) -> None:
    """Execute the commands on standard input until it ends.

    Args:
      implementation: the network and its training loop.
      inputs: the images of the training and test set.
      train_recipe: trains with a recipe on its batches, from the shared initial weights.
    """
    _, directory, *_ = sys.argv
    for line in sys.stdin:
        command, *arguments = line.split()
        numbers = [int(argument) for argument in arguments]
        result: Any
        if command == "train":
            result = implementation.train(*numbers)
        elif command == "losses":
            result = implementation.losses(*numbers)
        elif command == "classify":
            result = classify(implementation, inputs.test_images, *numbers)
        elif command == "recipe" and train_recipe is not None:
            settings = recipe.read(directory)
            batches = settings.batches(Split(inputs.images, inputs.labels), *numbers)
            start = time.perf_counter()
            train_recipe(settings, batches)
            result = time.perf_counter() - start
        elif command == "accuracy":
            parts = [implementation.classify(part) for part in np.split(inputs.test_images, 10)]
            result = float(np.mean(np.concatenate(parts) == inputs.test_labels))
        else:
            result = {"python": platform.python_version(), **implementation.versions}
        print(json.dumps(result), flush=True)


def classify(
    implementation: Implementation, test_images: Any, batch_size: int, count: int
) -> float:
    """Classify the first test images in `count` batches and return the seconds."""
    batches = [test_images[k * batch_size : (k + 1) * batch_size] for k in range(count)]
    start = time.perf_counter()
    for images in batches:
        if implementation.classify(images).shape != (batch_size,):
            raise ValueError(f"expected {batch_size} labels")
    return time.perf_counter() - start
