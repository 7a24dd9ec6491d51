"""tensorflow.examples.tutorials.mnist.mnist: the network of "TensorFlow Mechanics 101"."""

from __future__ import annotations

import math
from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = [
    "IMAGE_PIXELS",
    "IMAGE_SIZE",
    "NUM_CLASSES",
    "evaluation",
    "inference",
    "loss",
    "training",
]

NUM_CLASSES = 10
IMAGE_SIZE = 28
IMAGE_PIXELS = IMAGE_SIZE * IMAGE_SIZE


def inference(images: Any, hidden1_units: int, hidden2_units: int) -> Any:
    """Return the logits [B, 10] of images [B, 784], by two ReLU layers of the given sizes."""
    hidden = images
    for scope, units in (("hidden1", hidden1_units), ("hidden2", hidden2_units)):
        hidden = tf.nn.relu(_linear(scope, hidden, units))
    return _linear("softmax_linear", hidden, NUM_CLASSES)


def loss(logits: Any, labels: Any) -> Any:
    """Return the mean cross-entropy of logits [B, 10] and integer labels [B]."""
    labels = tf.cast(labels, tf.int64)
    cross_entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=labels, logits=logits, name="xentropy"
    )
    return tf.reduce_mean(cross_entropy, name="xentropy_mean")


def training(loss: Any, learning_rate: float) -> Any:
    """Return the op of one step of gradient descent; it counts global_step and logs the loss."""
    tf.summary.scalar("loss", loss)
    global_step = tf.Variable(0, name="global_step", trainable=False)
    optimizer = tf.train.GradientDescentOptimizer(learning_rate)
    return optimizer.minimize(loss, global_step=global_step)


def evaluation(logits: Any, labels: Any) -> Any:
    """Return the number of correct predictions, int32, of logits [B, 10] and labels [B]."""
    return tf.reduce_sum(tf.cast(tf.nn.in_top_k(logits, labels, 1), tf.int32))


def _linear(scope: str, inputs: Any, units: int) -> Any:
    """Return inputs W + b, with W from a normal of standard deviation 1/sqrt(width)."""
    width = int(inputs.shape[1])
    with tf.name_scope(scope):
        start = tf.truncated_normal([width, units], stddev=1 / math.sqrt(width))
        weights = tf.Variable(start, name="weights")
        biases = tf.Variable(tf.zeros([units]), name="biases")
        return tf.matmul(inputs, weights) + biases
