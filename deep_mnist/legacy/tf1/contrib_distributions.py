"""tf.contrib.distributions: names of before 1.3; the others are in tf.distributions and TFP."""

from __future__ import annotations

from typing import Any

from deep_mnist.lazy_tensorflow import tf
from deep_mnist.legacy import libraries

__all__ = ["Bernoulli", "Categorical", "Normal", "kl", "kl_divergence"]


class Normal(tf.distributions.Normal):  # type: ignore[misc]
    """tf.distributions.Normal, whose arguments were mu and sigma until 1.0."""

    def __init__(self, *args: Any, mu: Any = None, sigma: Any = None, **more: Any) -> None:
        old = {name: value for name, value in (("loc", mu), ("scale", sigma)) if value is not None}
        super().__init__(*args, **old, **more)


class Bernoulli(tf.distributions.Bernoulli):  # type: ignore[misc]
    """tf.distributions.Bernoulli, whose argument was p until 1.0."""

    def __init__(self, *args: Any, p: Any = None, **more: Any) -> None:
        super().__init__(*args, **({} if p is None else {"probs": p}), **more)


Categorical = tf.distributions.Categorical


def kl_divergence(distribution_a: Any, distribution_b: Any, *args: Any, **more: Any) -> Any:
    """Return KL(a || b), by the library that both are of."""
    if isinstance(distribution_a, tf.distributions.Distribution):
        return tf.distributions.kl_divergence(distribution_a, distribution_b, *args, **more)
    return libraries.load("tensorflow_probability.distributions").kl_divergence(
        distribution_a, distribution_b, *args, **more
    )


kl = kl_divergence
