"""Runs a SavedModel in a process of its own: SAVED_MODEL ASKED.npz ANSWERED.npz.

Both signatures must give the same.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from deep_mnist.export import saved_model


def main() -> None:
    directory, asked, answered = map(Path, sys.argv[1:])
    signatures = [saved_model.load(directory, name) for name in saved_model.SIGNATURES]
    answers = {}
    with np.load(asked) as batches:
        for i in range(len(batches.files)):
            first, second = (run(batches[f"arr_{i}"]) for run in signatures)
            if not all(np.array_equal(a, b) for a, b in zip(first, second, strict=True)):
                sys.exit("its signatures answer differently")
            answers[f"scores_{i}"], answers[f"classes_{i}"] = first
    np.savez(answered, **answers)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
