"""tf.contrib.losses.metric_learning: losses over distances of embeddings."""

from __future__ import annotations

from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = ["contrastive_loss", "npairs_loss", "triplet_semihard_loss"]


def contrastive_loss(
    labels: Any, embeddings_anchor: Any, embeddings_positive: Any, margin: float = 1.0
) -> Any:
    """mean(y d^2 + (1 - y) max(margin - d, 0)^2), d the Euclidean distance of two embeddings.

    Args:
      labels: [B], 1 where the two are of one class.
      embeddings_anchor, embeddings_positive: [B, features].
    """
    squared = tf.reduce_sum(tf.square(embeddings_anchor - embeddings_positive), 1)
    same = tf.cast(labels, squared.dtype)
    apart = tf.square(tf.maximum(margin - tf.sqrt(squared), 0.0))
    return tf.reduce_mean(same * squared + (1 - same) * apart, name="contrastive_loss")


def triplet_semihard_loss(labels: Any, embeddings: Any, margin: float = 1.0) -> Any:
    """mean over pairs of one class of max(d(a, p)^2 - d(a, n)^2 + margin, 0).

    n is the nearest of another class that is farther than p, or the farthest where none is.

    Args:
      labels: [B] of integers.
      embeddings: [B, features], each of length 1.
    Source: Schroff et al. 2015, section 3.2, https://arxiv.org/abs/1503.03832.
    """
    distance = _squared_distances(embeddings)
    labels = tf.reshape(labels, [-1])
    same = tf.equal(labels[:, None], labels[None])
    other = tf.broadcast_to(
        tf.logical_not(same)[:, None], tf.shape(distance[:, :, None] + distance)
    )
    farther = tf.logical_and(other, distance[:, None] > distance[:, :, None])
    spread = tf.broadcast_to(distance[:, None], tf.shape(other))
    limit = tf.reduce_max(distance)
    nearest = tf.reduce_min(tf.where(farther, spread, tf.fill(tf.shape(other), limit)), 2)
    farthest = tf.reduce_max(tf.where(other, spread, tf.zeros_like(spread)), 2)
    negative = tf.where(tf.reduce_any(farther, 2), nearest, farthest)
    pairs = tf.cast(same, tf.float32) - tf.eye(tf.shape(labels)[0])
    losses = tf.maximum(distance - negative + margin, 0.0) * pairs
    return tf.reduce_sum(losses) / tf.maximum(tf.reduce_sum(pairs), 1.0)


def npairs_loss(
    labels: Any, embeddings_anchor: Any, embeddings_positive: Any, reg_lambda: float = 0.002
) -> Any:
    """Cross entropy of the similarities of all pairs, and a penalty of the lengths.

    Source: Sohn 2016, equation 4.
    """
    lengths = tf.reduce_mean(tf.reduce_sum(tf.square(embeddings_anchor), 1))
    lengths += tf.reduce_mean(tf.reduce_sum(tf.square(embeddings_positive), 1))
    similar = tf.matmul(embeddings_anchor, embeddings_positive, transpose_b=True)
    labels = tf.reshape(labels, [-1])
    same = tf.cast(tf.equal(labels[:, None], labels[None]), tf.float32)
    target = same / tf.reduce_sum(same, 1, keepdims=True)
    entropy = tf.nn.softmax_cross_entropy_with_logits_v2(labels=target, logits=similar)
    return tf.reduce_mean(entropy) + 0.25 * reg_lambda * lengths


def _squared_distances(embeddings: Any) -> Any:
    """[B, B], 0 on the diagonal."""
    squared = tf.reduce_sum(tf.square(embeddings), 1)
    product = tf.matmul(embeddings, embeddings, transpose_b=True)
    distance = tf.maximum(squared[:, None] - 2 * product + squared[None], 0.0)
    return distance * (1 - tf.eye(tf.shape(embeddings)[0]))
