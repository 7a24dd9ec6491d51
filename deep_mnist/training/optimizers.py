"""The optimizer of a run: its learning-rate schedule and the moving average of the weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from deep_mnist.lazy_tensorflow import tf

OPTIMIZERS = ("gradient-descent", "adam")
SCHEDULES = ("constant", "one-cycle")
WARM_UP = 0.05  # fraction of the steps


def create(name: str, learning_rate: float, schedule: str, steps: int, beta2: float) -> Any:
    """Return a tf.train.Optimizer.

    Args:
      name: one of OPTIMIZERS.
      learning_rate: the step size, or the largest one of the schedule.
      schedule: one of SCHEDULES.
      steps: number of training steps, the length of the schedule.
      beta2: Adam's decay of squared gradients.
    """
    rate = one_cycle(learning_rate, steps) if schedule == "one-cycle" else learning_rate
    if name == "adam":
        return tf.train.AdamOptimizer(rate, beta2=beta2)
    return tf.train.GradientDescentOptimizer(rate)


def one_cycle(learning_rate: float, steps: int) -> Any:
    """Return the learning rate of the current step: linear warm-up, then cosine decay to zero.

    learning_rate * min(t / 0.05, 1) * (1 + cos(pi t)) / 2,  t = (global_step + 1) / steps

    Returns:
      Scalar float32 tensor, 0 at the last step.

    Source: Smith, Topin, Super-convergence, 2018 (one cycle; here without that of the momentum);
    Goyal et al., Accurate, large minibatch SGD, 2017 (linear warm-up); Loshchilov, Hutter, SGDR:
    stochastic gradient descent with warm restarts, 2017 (cosine).
    """
    global_step = tf.train.get_or_create_global_step()
    with tf.name_scope("learning_rate"):
        t = (tf.cast(global_step, tf.float32) + 1) / steps
        cosine = (1 + tf.cos(np.pi * t)) / 2
        return learning_rate * tf.minimum(t / WARM_UP, 1) * cosine


class AveragingOptimizer:
    """An optimizer that also keeps an exponential moving average of all trainable variables.

    Args:
      optimizer: a tf.train.Optimizer.
      decay: weight of the past in the average, in (0, 1).
    """

    def __init__(self, optimizer: Any, decay: float) -> None:
        self._optimizer = optimizer
        self._decay = decay

    def minimize(self, loss: Any, global_step: Any, name: str) -> Any:
        """Return an op that updates the variables, and then their averages."""
        update = self._optimizer.minimize(loss, global_step=global_step, name=name)
        average = tf.train.ExponentialMovingAverage(self._decay, global_step)
        with tf.name_scope("averages"), tf.control_dependencies([update]):
            return average.apply(tf.trainable_variables())
