"""Images that look as if ink and paper were exchanged, or as if they were scaled twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

BORDER = np.pad(np.zeros((26, 26), np.bool_), 1, constant_values=True).ravel()  # [784]
LIGHT = 0.5  # the border of a digit in MNIST's manner is near 0
FAINT = 0.02  # some stroke of such a digit is near 1


def doubt(images: npt.NDArray[Any]) -> str | None:
    """What makes digits [N, 784] in [0, 1] doubtful, and what to do; None where nothing does.

    0 is paper and 1 is ink. Blank images are not doubted.
    """
    inverted = int(np.sum(images[:, BORDER].mean(axis=1) > LIGHT))
    if inverted:
        return (
            f"{inverted} of {len(images)} have a border of ink: expected 0 for paper and 1 for "
            "ink; give 1 - images if it is the other way round"
        )
    largest = images.max(axis=1, initial=0)
    faint = (largest > 0) & (largest < FAINT)
    if faint.any():
        return (
            f"the largest value of {int(faint.sum())} of {len(images)} is "
            f"{largest[faint].max():.2g} or less: expected ink near 1; have they been divided by "
            "255 twice, or are they whole numbers up to 1?"
        )
    return None
