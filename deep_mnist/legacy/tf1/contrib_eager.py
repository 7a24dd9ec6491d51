"""tf.contrib.eager beside its names that are tf's own."""

from __future__ import annotations

from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = ["Iterator", "Variable", "gradients_function", "implicit_gradients"]

Variable = tf.Variable


def Iterator(dataset: Any) -> Any:  # noqa: N802, the name of the time
    """A data set's elements, one after another."""
    return iter(dataset)


def implicit_gradients(function: Any) -> Any:
    """function -> a function that gives (gradient, variable) for each trainable one it reads."""

    def gradients(*args: Any, **kwargs: Any) -> Any:
        with tf.GradientTape() as tape:
            value = function(*args, **kwargs)
        watched = tape.watched_variables()
        return list(zip(tape.gradient(value, watched), watched, strict=True))

    return gradients


def gradients_function(function: Any) -> Any:
    """function -> a function that gives its gradient for each argument."""

    def gradients(*args: Any) -> Any:
        tensors = [tf.convert_to_tensor(arg) for arg in args]
        with tf.GradientTape() as tape:
            for tensor in tensors:
                tape.watch(tensor)
            value = function(*tensors)
        return tape.gradient(value, tensors)

    return gradients
