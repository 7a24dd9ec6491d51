"""tf.contrib.eager.Network: a Keras Model whose layers are registered by track_layer."""

from __future__ import annotations

from typing import Any

from deep_mnist.legacy import libraries, symbol_table

__all__ = ["Network"]

keras: Any = libraries.load(symbol_table.KERAS)


class Network(keras.Model):  # type: ignore[misc]
    """A Keras Model with track_layer."""

    def track_layer(self, layer: Any) -> Any:
        """Return the layer, now a layer of this network."""
        self._tracked_layers = [*getattr(self, "_tracked_layers", []), layer]
        return layer
