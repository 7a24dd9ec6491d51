"""How compare.py drives a contender: a line in on standard input, a line out on standard output.

    train N          takes N steps               the seconds that they took
    losses N         takes N steps               the loss on each batch, before its update
    classify B N     reads N times B test digits the seconds that it took
    versions         does nothing                versions by name

A contender that isn't asked waits for its next line, and leaves the processor to the others.
Its program is started as `python PROGRAM.py DIRECTORY KEEP_PROB [WORD ...]`, DIRECTORY being where
material.py wrote.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from typing import Any, Protocol

BATCH_SIZE = 50
LEARNING_RATE = 1e-4  # Adam's, on the loss summed over the batch; beta1 0.9, beta2 0.999, eps 1e-8


class Contender(Protocol):
    """The tutorial's network in one framework, and the loop that its users would write."""

    versions: dict[str, str]

    def train(self, steps: int) -> float:
        """Takes steps, making and feeding their batches included; returns the seconds."""

    def losses(self, steps: int) -> list[float]:
        """Takes steps; returns the losses summed over each batch, before its update."""

    def classify(self, images: Any) -> Any:
        """Images [B, 784] uint8 -> digits [B], in NumPy arrays."""


def serve(contender: Contender, test_images: Any) -> None:
    """Answers standard input until it ends."""
    for line in sys.stdin:
        command, *words = line.split()
        numbers = [int(word) for word in words]
        answer: Any
        if command == "train":
            answer = contender.train(*numbers)
        elif command == "losses":
            answer = contender.losses(*numbers)
        elif command == "classify":
            answer = classify(contender, test_images, *numbers)
        else:
            answer = {"python": platform.python_version(), **contender.versions}
        print(json.dumps(answer), flush=True)


def classify(contender: Contender, test_images: Any, batch_size: int, times: int) -> float:
    """Seconds to classify the first test digits, in `times` batches one after the other."""
    batches = [test_images[k * batch_size : (k + 1) * batch_size] for k in range(times)]
    start = time.perf_counter()
    for images in batches:
        if contender.classify(images).shape != (batch_size,):
            raise ValueError(f"expected {batch_size} digits")
    return time.perf_counter() - start
