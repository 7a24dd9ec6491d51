"""tf.contrib.distributions, beside what is in tf.distributions still."""

from __future__ import annotations

from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = ["MultivariateNormalDiag", "kl", "kl_divergence"]

kl_divergence = kl = tf.distributions.kl_divergence


class MultivariateNormalDiag(tf.distributions.Normal):  # type: ignore[misc]
    """A normal of independent components; log_prob is summed over the last dimension."""

    def __init__(self, loc: Any = None, scale_diag: Any = None, **more: Any) -> None:
        loc = more.pop("mu", loc)
        scale = more.pop("diag_stdev", scale_diag)
        super().__init__(
            tf.zeros_like(scale) if loc is None else loc,
            tf.ones_like(loc) if scale is None else scale,
        )

    def log_prob(self, value: Any, name: str = "log_prob") -> Any:
        return tf.reduce_sum(super().log_prob(value), -1)

    def entropy(self, name: str = "entropy") -> Any:
        return tf.reduce_sum(super().entropy(), -1)
