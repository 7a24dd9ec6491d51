"""Run a SavedModel in a process of its own.

    python -m deep_mnist.export.run_saved_model SAVED_MODEL IMAGES.npz OUTPUTS.npz

IMAGES.npz has batches of images, arr_0, arr_1 and so on; OUTPUTS.npz gets scores_0, classes_0 and
so on. The outputs of both signatures must be equal.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from deep_mnist.export import saved_model


def main() -> None:
    """Run the command line."""
    directory, images, outputs = map(Path, sys.argv[1:])
    signatures = [saved_model.load(directory, name) for name in saved_model.SIGNATURES]
    arrays = {}
    with np.load(images) as batches:
        for i in range(len(batches.files)):
            first, second = (predict(batches[f"arr_{i}"]) for predict in signatures)
            if not all(np.array_equal(a, b) for a, b in zip(first, second, strict=True)):
                sys.exit("its signatures return different outputs")
            arrays[f"scores_{i}"], arrays[f"classes_{i}"] = first
    np.savez(outputs, **arrays)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
