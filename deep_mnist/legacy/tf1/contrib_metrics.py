"""tf.contrib.metrics: predictions stood first, the labels second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = [
    "accuracy",
    "aggregate_metric_map",
    "confusion_matrix",
    "streaming_accuracy",
    "streaming_auc",
    "streaming_false_negatives",
    "streaming_false_positives",
    "streaming_mean",
    "streaming_mean_absolute_error",
    "streaming_mean_squared_error",
    "streaming_mean_tensor",
    "streaming_precision",
    "streaming_recall",
    "streaming_recall_at_k",
    "streaming_root_mean_squared_error",
    "streaming_sparse_recall_at_k",
    "streaming_true_negatives",
    "streaming_true_positives",
]


def accuracy(predictions: Any, labels: Any, weights: Any = None, name: Any = None) -> Any:
    """The part of the predictions that are their labels, a scalar float32."""
    right = tf.cast(tf.equal(predictions, tf.cast(labels, predictions.dtype)), tf.float32)
    return tf.reduce_mean(right if weights is None else right * weights)


def confusion_matrix(labels: Any, predictions: Any, *args: Any, **kwargs: Any) -> Any:
    """confusion_matrix."""
    return tf.confusion_matrix(labels, predictions, *args, **kwargs)


def aggregate_metric_map(metrics: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """{name: (value, update)} -> the values and the updates."""
    return {k: v[0] for k, v in metrics.items()}, {k: v[1] for k, v in metrics.items()}


def _swapped(metric: Callable[..., Any]) -> Callable[..., Any]:
    def swapped(predictions: Any, labels: Any, *args: Any, **kwargs: Any) -> Any:
        return metric(labels, predictions, *args, **kwargs)

    return swapped


streaming_accuracy = _swapped(tf.metrics.accuracy)
streaming_mean_absolute_error = _swapped(tf.metrics.mean_absolute_error)
streaming_root_mean_squared_error = _swapped(tf.metrics.root_mean_squared_error)
streaming_mean_tensor = tf.metrics.mean_tensor
streaming_true_positives = _swapped(tf.metrics.true_positives)
streaming_true_negatives = _swapped(tf.metrics.true_negatives)
streaming_false_positives = _swapped(tf.metrics.false_positives)
streaming_false_negatives = _swapped(tf.metrics.false_negatives)
streaming_recall_at_k = _swapped(tf.metrics.recall_at_k)
streaming_sparse_recall_at_k = streaming_recall_at_k
streaming_auc = _swapped(tf.metrics.auc)
streaming_mean = tf.metrics.mean
streaming_mean_squared_error = _swapped(tf.metrics.mean_squared_error)
streaming_precision = _swapped(tf.metrics.precision)
streaming_recall = _swapped(tf.metrics.recall)
