"""DNNClassifier and LinearClassifier: a network or one layer over feature columns."""

from __future__ import annotations

from typing import Any

from deep_mnist.lazy_tensorflow import tf
from deep_mnist.legacy.tf1 import layers
from deep_mnist.legacy.tf1.estimator import Estimator, EstimatorSpec, ModeKeys

__all__ = ["DNNClassifier", "LinearClassifier"]


class DNNClassifier(Estimator):
    """Layers of hidden_units, then a softmax over n_classes; the loss is summed over the batch."""

    def __init__(
        self,
        hidden_units: Any,
        feature_columns: Any,
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Any = None,
        optimizer: Any = "Adagrad",
        activation_fn: Any = tf.nn.relu,
        dropout: Any = None,
        config: Any = None,
        **unused: Any,
    ) -> None:
        def model_fn(features: Any, labels: Any, mode: str) -> Any:
            hidden = _inputs(features, feature_columns)
            for number, units in enumerate(hidden_units):
                with tf.variable_scope(f"dnn/hiddenlayer_{number}"):
                    hidden = layers.dense(hidden, units, activation_fn, name="dense")
                    if dropout is not None:
                        training = mode == ModeKeys.TRAIN
                        hidden = layers.dropout(hidden, dropout, training=training)
            with tf.variable_scope("dnn/logits"):
                logits = layers.dense(hidden, n_classes, name="dense")
            return _classified(mode, logits, labels, optimizer, 0.05)

        super().__init__(model_fn, model_dir, config)


class LinearClassifier(Estimator):
    """Softmax regression; the loss is summed over the batch."""

    def __init__(
        self,
        feature_columns: Any,
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Any = None,
        optimizer: Any = "Ftrl",
        config: Any = None,
        **unused: Any,
    ) -> None:
        def model_fn(features: Any, labels: Any, mode: str) -> Any:
            inputs = _inputs(features, feature_columns)
            zeros = tf.zeros_initializer()
            logits = layers.dense(
                inputs, n_classes, kernel_initializer=zeros, name="linear/linear_model"
            )
            return _classified(mode, logits, labels, optimizer, 0.2)

        super().__init__(model_fn, model_dir, config)


def _inputs(features: Any, columns: Any) -> Any:
    """The features that the columns name, flattened and side by side, [B, width] float32."""
    if not isinstance(features, dict):
        features = {"": features}
    keys = [getattr(c, "key", getattr(c, "column_name", "")) for c in columns or []]
    chosen = [features[key] for key in keys if key in features] or list(features.values())
    return tf.concat([layers.flatten(tf.cast(f, tf.float32)) for f in chosen], 1)


def _classified(mode: str, logits: Any, labels: Any, optimizer: Any, rate: float) -> Any:
    classes = tf.argmax(logits, 1)
    predictions = {
        "logits": logits,
        "probabilities": tf.nn.softmax(logits),
        "class_ids": tf.expand_dims(classes, 1),
        "classes": tf.expand_dims(tf.as_string(classes), 1),
    }
    if mode == ModeKeys.PREDICT:
        return EstimatorSpec(mode, predictions)
    labels = tf.reshape(tf.cast(labels, tf.int64), [-1])
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    loss = tf.reduce_sum(losses)
    metrics = {
        "accuracy": tf.metrics.accuracy(labels, classes),
        "average_loss": tf.metrics.mean(losses),
    }
    by_name = {
        "Adagrad": tf.train.AdagradOptimizer,
        "Adam": tf.train.AdamOptimizer,
        "Ftrl": tf.train.FtrlOptimizer,
        "RMSProp": tf.train.RMSPropOptimizer,
        "SGD": tf.train.GradientDescentOptimizer,
    }
    if isinstance(optimizer, str):
        optimizer = by_name[optimizer](rate)
    elif callable(optimizer):
        optimizer = optimizer()
    train_op = optimizer.minimize(loss, tf.train.get_global_step())
    return EstimatorSpec(mode, predictions, loss, train_op, metrics)
