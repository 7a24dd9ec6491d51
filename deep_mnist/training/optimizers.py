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
      weight_decay: fraction of the weights that a step subtracts, divided by the learning rate;
        biases do not decay. 0: none.
    """
    rate = one_cycle(learning_rate, steps) if schedule == "one-cycle" else learning_rate
    optimizer_class, keywords = tf.train.GradientDescentOptimizer, {}
    if name == "adam":
        optimizer_class, keywords = tf.train.AdamOptimizer, {"beta2": beta2}
    if weight_decay:
        optimizer_class = with_weight_decay(optimizer_class, rate, weight_decay)
    return optimizer_class(rate, **keywords)


def with_weight_decay(base: Any, learning_rate: Any, weight_decay: float) -> Any:
    """Return a subclass of an optimizer that also decays the weights, as AdamW does.

    W' = (1 - learning_rate * weight_decay) W + update

    Small weights overfit less. Adam would rescale the gradient of an L2 penalty, so the weights are
    decayed directly. Biases, which are vectors, are not. The decay is multiplied by the learning
    rate, as in tf.keras.optimizers.AdamW, not as in tf.contrib.opt.

    Args:
      base: a subclass of tf.train.Optimizer.
      learning_rate: float or scalar float32 tensor.
      weight_decay: at least 0.

    Source: Loshchilov, Hutter, Decoupled weight decay regularization, 2019.
    """

    class WithWeightDecay(base):  # type: ignore[misc]
        def _resource_apply_dense(self, gradient: Any, W: Any) -> Any:
            if W.shape.rank < 2:
                return super()._resource_apply_dense(gradient, W)
            with tf.control_dependencies([gradient]):  # it is the gradient at W before the decay
                decayed = W.assign_sub(learning_rate * weight_decay * W, read_value=False)
            with tf.control_dependencies([decayed]):
                return super()._resource_apply_dense(gradient, W)

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
