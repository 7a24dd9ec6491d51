"""What is exported, and what an export answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.float32]  # [N, 784] in [0, 1]


class Trained(NamedTuple):
    """A model and its weights, no optimizer's among them."""

    name: str  # one of inference.PROGRAMS
    config: Any  # its program's Config
    weights: dict[str, npt.NDArray[Any]]  # by the names of the program's variables


class Answers(NamedTuple):
    """Of a batch of N images."""

    scores: npt.NDArray[Any]  # [N, 10] the probabilities; rows sum to 1, but for int8's steps
    classes: npt.NDArray[Any]  # [N] the digit that is said


Run = Callable[[Sequence[Images]], list[Answers]]  # of several batches, one after the other
