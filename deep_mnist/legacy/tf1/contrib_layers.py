"""tf.contrib.layers: what tf_slim lacks."""

from __future__ import annotations

from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = ["embed_sequence"]


def embed_sequence(
    ids: Any, vocab_size: int, embed_dim: int, scope: Any = None, reuse: Any = None, **unused: Any
) -> Any:
    """Return the embeddings [B, time, embed_dim] of ids [B, time]."""
    with tf.variable_scope(scope, "EmbedSequence", [ids], reuse=reuse):
        table = tf.get_variable("embeddings", [vocab_size, embed_dim])
        return tf.nn.embedding_lookup(table, ids)
