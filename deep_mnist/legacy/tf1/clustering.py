"""tf.contrib.factorization.KMeans: Lloyd's steps as ops, over a batch or with running means."""

from __future__ import annotations

from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = ["COSINE_DISTANCE", "RANDOM_INIT", "SQUARED_EUCLIDEAN_DISTANCE", "KMeans"]

COSINE_DISTANCE = "cosine"
SQUARED_EUCLIDEAN_DISTANCE = "squared_euclidean"
RANDOM_INIT = "random"


class KMeans:
    """Builds the graph of the clustering.

    Args:
      inputs: [N, features] float32, or a list of them.
      distance_metric: "squared_euclidean", or "cosine": 1 - cos of the angle.
      use_mini_batch: each centre is the mean of all examples it was ever given, else of the
        latest batch.
    """

    def __init__(
        self,
        inputs: Any,
        num_clusters: int,
        initial_clusters: Any = RANDOM_INIT,
        distance_metric: str = SQUARED_EUCLIDEAN_DISTANCE,
        use_mini_batch: bool = False,
        **unused: Any,
    ) -> None:
        self._inputs = tf.concat(list(inputs), 0) if isinstance(inputs, list) else inputs
        self._clusters, self._mini_batch = int(num_clusters), use_mini_batch
        self._cosine = distance_metric == COSINE_DISTANCE

    def training_graph(self) -> Any:
        """(all distances, (nearest,), (distances to it,), initialized, init_op, train_op)."""
        x = tf.nn.l2_normalize(self._inputs, 1) if self._cosine else self._inputs
        width = int(x.shape[1])
        centres = tf.Variable(tf.zeros([self._clusters, width]), name="clusters", trainable=False)
        counts = tf.Variable(tf.zeros([self._clusters]), name="counts", trainable=False)
        started = tf.Variable(False, name="initialized", trainable=False)
        chosen = tf.random_shuffle(tf.range(tf.shape(x)[0]))[: self._clusters]
        begin = tf.group(
            tf.assign(centres, tf.gather(x, chosen)),
            tf.assign(counts, tf.zeros_like(counts)),
            tf.assign(started, True),
        )
        distances = self._distances(x, centres)
        nearest = tf.cast(tf.argmin(distances, 1), tf.int32)
        given = tf.unsorted_segment_sum(tf.ones_like(nearest, tf.float32), nearest, self._clusters)
        total = tf.unsorted_segment_sum(x, nearest, self._clusters)
        before = counts if self._mini_batch else tf.zeros_like(counts)
        after = before + given
        mean = (centres * before[:, None] + total) / tf.maximum(after, 1.0)[:, None]
        moved = tf.where(after > 0, mean, tf.identity(centres))
        with tf.control_dependencies([moved, after]):
            train = tf.group(tf.assign(centres, moved), tf.assign(counts, after))
        best = tf.reduce_min(distances, 1)
        return (distances,), (nearest,), (best,), started, begin, train

    def _distances(self, x: Any, centres: Any) -> Any:
        """[N, clusters]."""
        if self._cosine:
            return 1 - tf.matmul(x, tf.nn.l2_normalize(centres, 1), transpose_b=True)
        lengths = tf.reduce_sum(x**2, 1, keepdims=True) + tf.reduce_sum(centres**2, 1)[None]
        return lengths - 2 * tf.matmul(x, centres, transpose_b=True)
