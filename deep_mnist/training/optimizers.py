"""The optimizer of a run: its learning-rate schedule and weight decay."""

from __future__ import annotations

from typing import Any

import numpy as np

from deep_mnist.lazy_tensorflow import tf

OPTIMIZERS = ("gradient-descent", "adam")
SCHEDULES = ("constant", "one-cycle")
WARM_UP = 0.05  # fraction of the steps


def create(
    name: str, learning_rate: float, schedule: str, steps: int, beta2: float, weight_decay: float
) -> Any:
    """Return a tf.train.Optimizer.

    Args:
      name: one of OPTIMIZERS.
      learning_rate: the step size, or the largest one of the schedule.
      schedule: one of SCHEDULES.
      steps: number of training steps, the length of the schedule.
      beta2: Adam's decay of squared gradients.
      weight_decay: each step multiplies the weights by 1 - learning rate * weight_decay.
    """
    rate = one_cycle(learning_rate, steps) if schedule == "one-cycle" else learning_rate
    adam = name == "adam"
    optimizer = tf.train.AdamOptimizer if adam else tf.train.GradientDescentOptimizer
    if weight_decay:
        optimizer = extend_with_decoupled_weight_decay(optimizer, rate, weight_decay)
    return optimizer(rate, beta2=beta2) if adam else optimizer(rate)


def extend_with_decoupled_weight_decay(
    base_optimizer: Any, learning_rate: Any, weight_decay: float
) -> Any:
    """Return a subclass of an optimizer whose steps also decay the weights.

    W' = (1 - learning_rate * weight_decay) W + (what the optimizer adds to W)

    Biases, which are vectors, do not decay. Large weights are what overfitting needs; the gradient
    of a penalty on them would be scaled by Adam like any other, so they are decayed directly.

    Args:
      base_optimizer: a subclass of tf.train.Optimizer.
      learning_rate: float or scalar float32 tensor.
      weight_decay: at least 0.

    Source: Loshchilov, Hutter, Decoupled weight decay regularization, 2019.
    """

    class WithWeightDecay(base_optimizer):  # type: ignore[misc]
        def apply_gradients(
            self, grads_and_vars: Any, global_step: Any = None, name: str | None = None
        ) -> Any:
            grads_and_vars = list(grads_and_vars)
            gradients, _ = zip(*grads_and_vars, strict=True)
            with tf.name_scope("weight_decay"), tf.control_dependencies(gradients):
                decay = learning_rate * weight_decay
                decayed = [W.assign_sub(decay * W) for _, W in grads_and_vars if W.shape.rank > 1]
            with tf.control_dependencies(decayed):
                return super().apply_gradients(grads_and_vars, global_step, name)

    return WithWeightDecay


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
