"""The forward passes alone: one placeholder, no dropout, no loss, no optimizer, no step.

The formulas are those of the programs, which build them among what training needs; `check` holds
every export against the program's own graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from deep_mnist.lazy_tensorflow import tf

IMAGES, SCORES, CLASSES = "images", "scores", "classes"


class Handles(NamedTuple):
    """The graph's ends, named as the fields are."""

    images: Any  # [B, 784] float32 in [0, 1]
    scores: Any  # [B, 10] float32, rows sum to 1
    classes: Any  # [B] int32, which TensorFlow Lite for microcontrollers has an argmax for


def add(name: str, config: Any, weights: Mapping[str, Any]) -> Handles:
    """Adds a model to the default graph.

    Args:
      name: softmax, mlp or cnn.
      config: its program's Config.
      weights: tensors of that graph, constants or variables, by the names of the program's.
    """
    images = tf.placeholder(tf.float32, [None, 784], name=IMAGES)
    if name == "softmax":
        logits = _softmax(images, weights)
    elif name == "mlp":
        logits = _mlp(
            tf.round(255.0 * images) if config.variant == "raw-pixels" else images, weights
        )
    else:
        logits = _cnn(images, weights)
    probabilities = _nearest_probabilities(logits) if name == "mlp" else tf.nn.softmax(logits)
    scores = tf.identity(probabilities, name=SCORES)
    # Of the logits, which int8 tells apart where it rounds two probabilities to one.
    classes = tf.argmax(logits, axis=1, output_type=tf.int32, name=CLASSES)
    return Handles(images, scores, classes)


def _softmax(x: Any, weights: Mapping[str, Any]) -> Any:
    return tf.matmul(x, weights["W"]) + weights["b"]  # [B, 10]


def _mlp(x: Any, weights: Mapping[str, Any]) -> Any:
    h1 = tf.nn.relu(tf.matmul(x, weights["w1"]) + weights["b1"])  # [B, 256]
    h2 = tf.nn.relu(tf.matmul(h1, weights["w2"]) + weights["b2"])  # [B, 128]
    return tf.matmul(h2, weights["w3"]) + weights["b3"]  # [B, 10]


def _cnn(x: Any, weights: Mapping[str, Any]) -> Any:
    maps = tf.reshape(x, [-1, 28, 28, 1])  # [B, 28, 28, 1]
    for layer in ("conv1", "conv2"):  # to [B, 14, 14, 32], and [B, 7, 7, 64]
        convolved = tf.nn.conv2d(maps, weights[f"W_{layer}"], strides=1, padding="SAME")
        rectified = tf.nn.relu(convolved + weights[f"b_{layer}"])
        maps = tf.nn.max_pool(rectified, ksize=2, strides=2, padding="SAME")
    flat = tf.reshape(maps, [-1, 7 * 7 * 64])  # [B, 3136]
    h_fc1 = tf.nn.relu(tf.matmul(flat, weights["W_fc1"]) + weights["b_fc1"])  # [B, 1024]
    return tf.matmul(h_fc1, weights["W_fc2"]) + weights["b_fc2"]  # [B, 10]


def _nearest_probabilities(outputs: Any) -> Any:
    """The point of the simplex that is nearest to each row, [B, 10] -> [B, 10].

    It is max(outputs - t, 0); t = max_k (o_1 + ... + o_k - 1) / k over the falling outputs o, which
    is a product with a constant matrix: so that int8, too, can do it (see deep_mnist.inference).
    """
    falling, _ = tf.nn.top_k(outputs, k=10)
    k = tf.range(1.0, 11.0)
    means = tf.cast(tf.range(10)[:, None] <= tf.range(10), tf.float32) / k  # [10, 10]
    t = tf.reduce_max(tf.matmul(falling, means) - 1 / k, axis=1, keepdims=True)  # [B, 1]
    return tf.nn.relu(outputs - t)
