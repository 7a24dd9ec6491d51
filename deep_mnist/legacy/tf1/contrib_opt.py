"""tf.contrib.opt: Adam with Nesterov's momentum, and optimizers with decoupled weight decay."""

from __future__ import annotations

from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = ["AdamWOptimizer", "LazyAdamOptimizer", "MomentumWOptimizer", "NadamOptimizer"]

LazyAdamOptimizer = tf.train.AdamOptimizer  # the same but for sparse gradients


class NadamOptimizer(tf.train.AdamOptimizer):  # type: ignore[misc]
    """Adam, whose step looks ahead along the mean of the gradients.

    Source: Dozat 2016, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ.
    """

    def _apply_dense(self, grad: Any, var: Any) -> Any:
        beta1, beta2 = self._get_beta_accumulators()
        m, v, kind = self.get_slot(var, "m"), self.get_slot(var, "v"), grad.dtype.base_dtype
        beta1_t, beta2_t = tf.cast(self._beta1_t, kind), tf.cast(self._beta2_t, kind)
        step = self._lr_t * tf.sqrt(1 - beta2) / (1 - beta1)
        mean = tf.assign(m, beta1_t * m + (1 - beta1_t) * grad)
        square = tf.assign(v, beta2_t * v + (1 - beta2_t) * tf.square(grad))
        ahead = beta1_t * mean + (1 - beta1_t) * grad
        change = tf.cast(step, kind) * ahead / (tf.sqrt(square) + tf.cast(self._epsilon_t, kind))
        return tf.assign_sub(var, change)

    _resource_apply_dense = _apply_dense


class _Decaying:
    """Subtracts weight_decay times each variable before the gradient step.

    Source: Loshchilov and Hutter 2017, https://arxiv.org/abs/1711.05101.
    """

    def __init__(self, weight_decay: Any, *args: Any, **kwargs: Any) -> None:
        self._weight_decay = weight_decay
        super().__init__(*args, **kwargs)

    def apply_gradients(self, grads_and_vars: Any, *args: Any, **kwargs: Any) -> Any:
        pairs = [(gradient, var) for gradient, var in grads_and_vars if gradient is not None]
        decayed = []
        with tf.control_dependencies([gradient for gradient, _ in pairs]):
            decayed = [tf.assign_sub(var, self._weight_decay * var) for _, var in pairs]
        with tf.control_dependencies(decayed):
            return super().apply_gradients(pairs, *args, **kwargs)  # type: ignore[misc]


class AdamWOptimizer(_Decaying, tf.train.AdamOptimizer):  # type: ignore[misc]
    """AdamWOptimizer(weight_decay, learning_rate=0.001, ...)."""


class MomentumWOptimizer(_Decaying, tf.train.MomentumOptimizer):  # type: ignore[misc]
    """MomentumWOptimizer(weight_decay, learning_rate, momentum, ...)."""
