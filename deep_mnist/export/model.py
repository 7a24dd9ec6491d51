"""What is exported, and what an export returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.float32]  # [B, 784] in [0, 1]


class TrainedModel(NamedTuple):
    """A model with its weights."""

    name: str  # one of inference.PROGRAMS
    config: Any  # the program's Config
    weights: dict[str, npt.NDArray[Any]]  # by variable name


class Outputs(NamedTuple):
    """What an export returns for a batch of images."""

    scores: npt.NDArray[Any]  # [B, 10] probabilities; rows sum to 1, in int8 up to rounding
    classes: npt.NDArray[Any]  # [B] predicted labels


Predict = Callable[[Images], Outputs]
