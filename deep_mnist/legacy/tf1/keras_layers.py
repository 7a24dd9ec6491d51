"""Layers of tf.keras that TensorFlow's own copy of the Keras of the time has lost."""

from __future__ import annotations

from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = ["BatchNormalization", "GaussianNoise"]


def _layer() -> Any:
    from tensorflow.python.keras.engine import base_layer

    return base_layer.Layer


class BatchNormalization(_layer()):  # type: ignore[misc]
    """Normalises by the batch in training, by the moving mean and variance else."""

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        self.axis, self.momentum, self.epsilon = axis, momentum, epsilon
        self.center, self.scale = center, scale

    def build(self, input_shape: Any) -> None:
        width = [int(input_shape[self.axis])]
        self.gamma = self.add_weight("gamma", width, initializer="ones", trainable=self.scale)
        self.beta = self.add_weight("beta", width, initializer="zeros", trainable=self.center)
        self.moving_mean = self.add_weight(
            "moving_mean", width, initializer="zeros", trainable=False
        )
        self.moving_variance = self.add_weight(
            "moving_variance", width, initializer="ones", trainable=False
        )
        super().build(input_shape)

    def call(self, inputs: Any, training: Any = None) -> Any:
        from tensorflow.python.keras import backend

        training = backend.learning_phase() if training is None else training
        rank = inputs.shape.ndims
        axis = self.axis % rank
        batch = tf.nn.moments(inputs, [i for i in range(rank) if i != axis])
        moving = (self.moving_mean, self.moving_variance)
        chosen = [
            backend.in_train_phase(now, tf.identity(before), training)
            for now, before in zip(batch, moving, strict=True)
        ]
        for variable, value in zip(moving, chosen, strict=True):
            update = tf.assign_sub(variable, (variable - value) * (1 - self.momentum))
            self.add_update(update)
        shape = [-1 if i == axis else 1 for i in range(rank)]
        mean, variance, beta, gamma = (
            tf.reshape(v, shape) for v in (*chosen, self.beta, self.gamma)
        )
        return tf.nn.batch_normalization(inputs, mean, variance, beta, gamma, self.epsilon)

    def get_config(self) -> Any:
        own = {"axis": self.axis, "momentum": self.momentum, "epsilon": self.epsilon}
        return {**super().get_config(), **own, "center": self.center, "scale": self.scale}


class GaussianNoise(_layer()):  # type: ignore[misc]
    """Adds noise in training."""

    def __init__(self, stddev: float, **more: Any) -> None:
        super().__init__(**more)
        self.stddev = stddev

    def call(self, inputs: Any, training: Any = None) -> Any:
        from tensorflow.python.keras import backend

        noisy = inputs + tf.random_normal(tf.shape(inputs), stddev=self.stddev)
        return backend.in_train_phase(noisy, inputs, training)
