"""The learning rate over the steps of a run."""

from __future__ import annotations

from typing import Any

import numpy as np

from deep_mnist.lazy_tensorflow import tf

WARM_UP = 0.05  # of the steps


def learning_rate(config: Any, global_step: Any) -> Any:
    """The step size at global_step.

    constant:   learning_rate
    one-cycle:  learning_rate min(t / 0.05, 1) (1 + cos(pi t)) / 2,  t = (global_step + 1) / steps

    Args:
      config: a program's Config: schedule, learning_rate, steps.
      global_step: scalar integer.

    Returns:
      A float, or a scalar float32 that is 0 at the last step, which changes no weight.

    Source: Smith, Topin, Super-convergence (one cycle; here without that of the momentum), 2018;
    Goyal et al., Accurate, large minibatch SGD (linear warm-up), 2017; Loshchilov, Hutter, SGDR:
    stochastic gradient descent with warm restarts (cosine), 2017.
    """
    if config.schedule == "constant":
        return config.learning_rate
    with tf.name_scope("learning_rate"):
        t = (tf.cast(global_step, tf.float32) + 1) / config.steps
        cosine = (1 + tf.cos(np.pi * t)) / 2
        return config.learning_rate * tf.minimum(t / WARM_UP, 1) * cosine
