"""The initial weights of a run: the tutorial's, or scaled to the number of inputs of a unit."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from typing import Any

from deep_mnist.lazy_tensorflow import tf

INITIALIZATIONS = ("tutorial", "he")
TUTORIAL_STDDEV = 0.1  # of all weights


def he_initialization() -> AbstractContextManager[Any]:
    """Return a context in which weights start with the standard deviation sqrt(2 / fan_in).

    fan_in is the number of inputs of a unit. The random values are the tutorial's, which have
    the standard deviation 0.1, rescaled; weights that start at 0, and biases, stay as they are.

    Source: He et al., Delving deep into rectifiers, 2015.
    """

    def create(next_creator: Any, initial_value: Any, trainable: bool, **kwargs: Any) -> Any:
        if trainable and initial_value.shape.rank > 1:  # not the variables of the optimizer
            fan_in = math.prod(initial_value.shape[:-1].as_list())
            initial_value *= math.sqrt(2 / fan_in) / TUTORIAL_STDDEV
        return next_creator(initial_value=initial_value, trainable=trainable, **kwargs)

    scope: AbstractContextManager[Any] = tf.variable_creator_scope(create)
    return scope
