"""tf.contrib.losses: what is compared stood first, the labels second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = [
    "absolute_difference",
    "cosine_distance",
    "hinge_loss",
    "log_loss",
    "mean_pairwise_squared_error",
    "mean_squared_error",
    "sigmoid_cross_entropy",
    "softmax_cross_entropy",
    "sparse_softmax_cross_entropy",
]


def _swapped(loss: Callable[..., Any], second: str, first: str) -> Callable[..., Any]:
    def swapped(*args: Any, **kwargs: Any) -> Any:
        given = dict(zip((first, second, "weights"), args, strict=False)) | kwargs
        if "weight" in given:
            given["weights"] = given.pop("weight")
        if given.get("weights", 1) is None:
            del given["weights"]
        if "targets" in given:
            given[second] = given.pop("targets")
        return loss(**given)

    swapped.__name__ = loss.__name__
    return swapped


absolute_difference = _swapped(tf.losses.absolute_difference, "labels", "predictions")
cosine_distance = _swapped(tf.losses.cosine_distance, "labels", "predictions")
hinge_loss = _swapped(tf.losses.hinge_loss, "labels", "logits")
log_loss = _swapped(tf.losses.log_loss, "labels", "predictions")
mean_pairwise_squared_error = _swapped(
    tf.losses.mean_pairwise_squared_error, "labels", "predictions"
)
mean_squared_error = _swapped(tf.losses.mean_squared_error, "labels", "predictions")
sigmoid_cross_entropy = _swapped(tf.losses.sigmoid_cross_entropy, "multi_class_labels", "logits")
softmax_cross_entropy = _swapped(tf.losses.softmax_cross_entropy, "onehot_labels", "logits")
sparse_softmax_cross_entropy = _swapped(tf.losses.sparse_softmax_cross_entropy, "labels", "logits")
