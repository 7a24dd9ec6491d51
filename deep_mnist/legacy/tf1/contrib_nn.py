"""tf.contrib.nn: the dropout of self-normalizing networks."""

from __future__ import annotations

from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = ["alpha_dropout"]

_SATURATED = -1.7580993408473766  # the limit of selu at minus infinity


def alpha_dropout(
    x: Any, keep_prob: Any, noise_shape: Any = None, seed: Any = None, name: Any = None
) -> Any:
    """Dropout that keeps mean 0 and variance 1: dropped units get selu's lower limit.

    Source: Klambauer et al. 2017, section 2, https://arxiv.org/abs/1706.02515.
    """
    if isinstance(keep_prob, int | float) and keep_prob == 1:
        return x
    shape = tf.shape(x) if noise_shape is None else noise_shape
    kept = tf.cast(tf.random_uniform(shape, seed=seed) < keep_prob, x.dtype)
    scale = (keep_prob + _SATURATED**2 * keep_prob * (1 - keep_prob)) ** -0.5
    shift = -scale * _SATURATED * (1 - keep_prob)
    return tf.add(scale * (x * kept + _SATURATED * (1 - kept)), shift, name=name)
