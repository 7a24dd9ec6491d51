"""The graph that is exported: a placeholder for images, the tutorial's inference(...), results."""

from __future__ import annotations

from typing import Any, NamedTuple

from deep_mnist.export.model import Trained
from deep_mnist.inference import PROGRAMS
from deep_mnist.lazy_tensorflow import tf

IMAGES, SCORES, CLASSES = "images", "scores", "classes"


class Handles(NamedTuple):
    """The graph's inputs and outputs, named as the fields are."""

    images: Any  # [B, 784] float32 in [0, 1]
    scores: Any  # [B, 10] float32, rows sum to 1
    classes: Any  # [B] int32, which TensorFlow Lite for microcontrollers has an argmax for


def open_session(trained: Trained) -> tuple[Any, Handles]:
    """Build the graph in the default graph, and return a session that has the weights in it."""
    program = PROGRAMS[trained.name]
    images = tf.placeholder(tf.float32, [None, 784], name=IMAGES)
    logits = program.inference(images, trained.config)
    probabilities = (
        tf.nn.softmax(logits) if program.predicts_probabilities else nearest_probabilities(logits)
    )
    scores = tf.identity(probabilities, name=SCORES)
    # Of the logits: int8 can round two different logits to the same probability.
    classes = tf.argmax(logits, axis=1, output_type=tf.int32, name=CLASSES)
    session = tf.Session()
    initializers = {v.op.name: v.initializer for v in tf.trainable_variables()}
    session.run(
        list(initializers.values()),
        {initializers[name].inputs[1]: value for name, value in trained.weights.items()},
    )
    return session, Handles(images, scores, classes)


def nearest_probabilities(outputs: Any) -> Any:
    """Return the probabilities nearest to outputs [B, 10] in squared error.

    They are max(outputs - t, 0) with t = max_k (o_1 + ... + o_k - 1) / k over the outputs o in
    descending order: a product with a constant matrix, which int8 supports too. See
    deep_mnist.inference.nearest_probabilities.
    """
    descending, _ = tf.nn.top_k(outputs, k=10)
    k = tf.range(1.0, 11.0)
    means = tf.cast(tf.range(10)[:, None] <= tf.range(10), tf.float32) / k  # [10, 10]
    t = tf.reduce_max(tf.matmul(descending, means) - 1 / k, axis=1, keepdims=True)  # [B, 1]
    return tf.nn.relu(outputs - t)
