"""tf.contrib.layers: what tf_slim has not."""

from __future__ import annotations

from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = ["embed_sequence"]


def embed_sequence(
    ids: Any, vocab_size: int, embed_dim: int, scope: Any = None, reuse: Any = None, **unused: Any
) -> Any:
    """ids [B, time] -> [B, time, embed_dim]."""
    with tf.variable_scope(scope, "EmbedSequence", [ids], reuse=reuse):
        table = tf.get_variable("embeddings", [vocab_size, embed_dim])
        return tf.nn.embedding_lookup(table, ids)
